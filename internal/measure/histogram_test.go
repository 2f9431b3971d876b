package measure_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"vitals/internal/measure"
)

// draw makes latencies as servers make them: lognormal with a long tail.
func draw(seed uint64, n int) []time.Duration {
	r := rand.New(rand.NewPCG(seed, 0))
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(math.Exp(r.NormFloat64()*1.2) * 5 * float64(time.Millisecond))
	}
	return out
}

func fill(ds []time.Duration) *measure.Histogram {
	h := measure.NewHistogram()
	for _, d := range ds {
		h.Record(d)
	}
	return h
}

// brute is the smallest value that at least q·n values are not above.
func brute(ds []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(ds))
	for i, d := range sorted {
		if float64(i+1) >= q*float64(len(sorted))-1e-9 {
			return d
		}
	}
	return 0
}

func TestQuantileAgainstBruteForce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 19, 20, 21, 32, 100, 101, 999, 1000, 20_000} {
		ds := draw(uint64(n), n)
		h := fill(ds)
		if h.N() != int64(n) {
			t.Fatalf("n = %d: got N %d", n, h.N())
		}
		for _, q := range []float64{0.001, 0.07, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
			got, ok := h.Quantile(q)
			want := brute(ds, q)
			if !ok || got < want.Truncate(time.Microsecond) || float64(got) > float64(want)*1.001+float64(time.Microsecond) {
				t.Errorf("n = %d: got p%g %v, want %v and at most 0.1 %% more", n, 100*q, got, want)
			}
		}
	}
}

func TestHistogramOfNothing(t *testing.T) {
	var none *measure.Histogram
	for _, h := range []*measure.Histogram{none, measure.NewHistogram()} {
		if _, ok := h.Quantile(0.95); ok {
			t.Error("got a quantile of nothing")
		}
		if _, ok := h.Max(); ok || h.N() != 0 || h.Clamped() != 0 {
			t.Error("got figures of nothing")
		}
	}
	h := fill(draw(1, 10))
	before := h.Clone()
	h.Merge(none)
	h.Merge(measure.NewHistogram())
	if !h.Equal(before) {
		t.Error("merging nothing changed the histogram")
	}
}

func TestMean(t *testing.T) {
	ds := draw(2, 5000)
	var sum time.Duration
	for _, d := range ds {
		sum += d
	}
	want := sum / 5000
	if got, ok := fill(ds).Mean(); !ok || (got-want).Abs() > want/1000 {
		t.Errorf("got %v, want %v within 0.1 %%", got, want)
	}
}

func TestHistogramClamps(t *testing.T) {
	h := fill([]time.Duration{-time.Second, 0, time.Nanosecond, time.Second, 59 * time.Second, 60 * time.Second, time.Hour})
	if got := h.Clamped(); got != 2 {
		t.Errorf("got %d clamped, want 2", got)
	}
	low, _ := h.Quantile(0.4)
	high, _ := h.Max()
	if low != time.Microsecond || high < time.Minute || high > 61*time.Second {
		t.Errorf("got %v and %v, want 1µs and a minute", low, high)
	}
}

func TestMergeIsExactInAnyOrder(t *testing.T) {
	ds := draw(9, 3000)
	a, b, c := ds[:700], ds[700:701], ds[701:]
	left, right := fill(a), fill(b)
	left.Merge(fill(b)) // (a+b)+c
	left.Merge(fill(c))
	right.Merge(fill(c)) // a+(b+c), taken backwards
	right.Merge(fill(a))
	if whole := fill(ds); !left.Equal(whole) || !right.Equal(whole) {
		t.Error("merged parts differ from the whole")
	}
}

func TestHistogramText(t *testing.T) {
	for _, ds := range [][]time.Duration{nil, draw(3, 1), draw(4, 5000), {time.Hour}} {
		h := fill(ds)
		text, err := json.Marshal(map[string]*measure.Histogram{"h": h})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]*measure.Histogram
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if !got["h"].Equal(h) || got["h"].Clamped() != h.Clamped() {
			t.Errorf("%d durations: got another histogram back", len(ds))
		}
	}
}

func TestHistogramTextIsReadByTheFamily(t *testing.T) {
	text, err := fill(draw(5, 1000)).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := hdr.Decode(text); err != nil || h.TotalCount() != 1000 {
		t.Errorf("got %v, want 1000 values", err)
	}
}

func TestHistogramTextRefused(t *testing.T) {
	other := hdr.New(1, 1_000_000, 2)
	_ = other.RecordValue(5)
	foreign, err := other.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty": nil, "noise": []byte("HISTFAAAA"), "other geometry": foreign, "too long": make([]byte, 2<<20),
	} {
		h := fill(draw(6, 3))
		if err := h.UnmarshalText(text); err == nil {
			t.Errorf("%s: got no error", name)
		}
		if h.N() != 3 {
			t.Errorf("%s: a refused text changed the histogram", name)
		}
	}
}

func FuzzHistogramText(f *testing.F) {
	for _, n := range []int{0, 1, 50} {
		text, err := fill(draw(7, n)).MarshalText()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var h measure.Histogram
		if h.UnmarshalText(text) != nil {
			return
		}
		again, err := h.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back measure.Histogram
		if err := back.UnmarshalText(again); err != nil || !back.Equal(&h) {
			t.Fatalf("read, written and read again: %v", err)
		}
	})
}
