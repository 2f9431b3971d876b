package measure

import (
	"fmt"
	"math"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// One geometry everywhere, so that every merge is exact: 1 µs to 60 s at three
// significant digits.
const (
	lowest  = 1
	highest = 60_000_000
	digits  = 3
)

// Longest is the longest time that is measured: one that took longer is counted as
// this, and known to be at least as long.
const Longest = highest * time.Microsecond

// maxEncoded bounds what a text may decode from: every bucket of the geometry
// filled with distinct counts stays far below it.
const maxEncoded = 1 << 20

// Histogram counts durations in microseconds, in constant memory (about 140 kB).
// A duration past 60 s is counted as 60 s. It is owned by one goroutine.
type Histogram struct{ h *hdr.Histogram }

// NewHistogram makes an empty histogram.
func NewHistogram() *Histogram { return &Histogram{h: hdr.New(lowest, highest, digits)} }

// Record counts one duration.
func (h *Histogram) Record(d time.Duration) {
	_ = h.h.RecordValue(clamp(d)) // cannot fail between lowest and highest
}

// clamp is d in microseconds, inside the geometry.
func clamp(d time.Duration) int64 { return min(max(lowest, d.Microseconds()), highest) }

// N is how many durations were counted; 0 for a nil histogram.
func (h *Histogram) N() int64 {
	if h == nil {
		return 0
	}
	return h.h.TotalCount()
}

// Clamped is how many of them are in the last bucket: 60 s, or longer and
// counted as 60 s.
func (h *Histogram) Clamped() int64 {
	if h.N() == 0 || h.h.Max() < highest {
		return 0
	}
	var n int64
	for _, bar := range h.h.Distribution() {
		if bar.To >= highest {
			n += bar.Count
		}
	}
	return n
}

// Quantile is the smallest duration that at least q·N (0 < q ≤ 1) were not
// above, and false when nothing was counted. It is exact but for the geometry:
// never below the true value, and at most 0.1 % above it.
func (h *Histogram) Quantile(q float64) (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.h.ValueAtPercentile(percentile(q, h.N()))) * time.Microsecond, true
}

// percentile asks the library, which rounds ranks to the nearest, for the rank
// ceil(q·n). The factor takes back what q·n may have gained in floating point.
func percentile(q float64, n int64) float64 {
	rank := min(max(1, math.Ceil(q*float64(n)*(1-1e-12))), float64(n))
	return 100 * rank / float64(n)
}

// Max is the largest duration counted, within the geometry's precision.
func (h *Histogram) Max() (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.h.Max()) * time.Microsecond, true
}

// Mean is the mean duration, within the geometry's precision.
func (h *Histogram) Mean() (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.h.Mean() * float64(time.Microsecond)), true
}

// Merge adds o's counts; exact, because every histogram has the same geometry.
func (h *Histogram) Merge(o *Histogram) {
	if o.N() == 0 {
		return
	}
	mustFit(h.h.Merge(o.h))
}

// mustFit holds the library to what one geometry promises: a merge that drops
// values would make every later figure silently wrong.
func mustFit(dropped int64) {
	if dropped != 0 {
		panic(fmt.Sprintf("measure: %d values dropped in a merge of equal geometries", dropped))
	}
}

// Clone is an independent copy; nil of nil.
func (h *Histogram) Clone() *Histogram {
	if h == nil {
		return nil
	}
	return &Histogram{h: h.h.Clone()}
}

// Equal says that both hold the same counts. It makes histograms comparable
// for go-cmp.
func (h *Histogram) Equal(o *Histogram) bool {
	if h == nil || o == nil {
		return h == o
	}
	return h.h.Equals(o.h)
}

// Reset empties the histogram for reuse.
func (h *Histogram) Reset() { h.h.Reset() }

// MarshalText is the histogram as the HdrHistogram family writes it: V2,
// compressed, base64. Any of its tools reads it, in microseconds.
func (h *Histogram) MarshalText() ([]byte, error) {
	b, err := h.h.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	return b, nil
}

// UnmarshalText reads what MarshalText wrote. A histogram of another geometry
// is refused, because it could not be merged exactly.
func (h *Histogram) UnmarshalText(b []byte) error {
	p, err := unpacked(b)
	if err != nil {
		return err
	}
	dense := hdr.New(lowest, highest, digits)
	if dropped := p.MergeInto(dense); dropped != 0 {
		return fmt.Errorf("decode histogram: %d values do not fit", dropped)
	}
	h.h = dense
	return nil
}

// unpacked decodes the packed form, which takes memory by what is in it, not by what
// a hostile header declares.
func unpacked(b []byte) (*hdr.PackedHistogram, error) {
	if len(b) > maxEncoded {
		return nil, fmt.Errorf("decode histogram: %d bytes, at most %d", len(b), maxEncoded)
	}
	p, err := hdr.DecodePacked(b)
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	if p.LowestTrackableValue() != lowest || p.HighestTrackableValue() != highest || p.SignificantFigures() != digits {
		return nil, fmt.Errorf("decode histogram: geometry %d..%d at %d digits, want %d..%d at %d",
			p.LowestTrackableValue(), p.HighestTrackableValue(), p.SignificantFigures(), lowest, highest, digits)
	}
	return p, nil
}
