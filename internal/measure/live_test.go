package measure_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"vitals/internal/measure"
)

// flush takes a recorder's delta as it goes over the wire.
func flush(t testing.TB, rec *measure.Recorder, now time.Duration) *measure.Delta {
	t.Helper()
	text, err := rec.Delta(now).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	d := &measure.Delta{}
	if err := d.UnmarshalBinary(text); err != nil {
		t.Fatal(err)
	}
	return d
}

// Deltas of any number of members, taken at any moments, add up to what one
// recorder shows that saw every sample.
func TestLiveIsTheOneMachine(t *testing.T) {
	all := samples(5, 6000)
	one := measure.NewRecorder(steps, phases, measure.Options{})
	one.Gauge(3*time.Second, "cpu", 0.5)
	one.Gauge(3*time.Second, "cpu", 0.7)
	spread(one, all, 1)
	one.Add(0, 4*time.Second, measure.Counts{Planned: 2, Dropped: 2})
	want := one.Snapshot()
	for _, n := range []int{1, 3, 40} {
		live := measure.NewLive(steps[:2]) // the honest ones
		recs := make([]*measure.Recorder, n)
		for i := range recs {
			recs[i] = measure.NewRecorder(steps, phases, measure.Options{Deltas: true})
		}
		recs[0].Add(0, 4*time.Second, measure.Counts{Planned: 2, Dropped: 2})
		recs[0].Gauge(3*time.Second, "cpu", 0.5)
		recs[n-1].Gauge(3*time.Second, "cpu", 0.7)
		for part := range 4 { // answers that come late are in a later delta
			for i, rec := range recs {
				var mine []measure.Sample
				for j, s := range all {
					if j%n == i && j%4 == part {
						mine = append(mine, s)
					}
				}
				spread(rec, mine, 2)
				if err := live.Add(flush(t, rec, time.Duration(part)*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := live.Snapshot(want.At)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%d members (-one +merged):\n%s", n, diff)
		}
		if d := recs[0].Delta(0); !d.Empty() {
			t.Errorf("%d members: a delta holds what was given out before", n)
		}
	}
}

// A slice that a member has not told of yet is not shown.
func TestLiveShowsWhatIsComplete(t *testing.T) {
	rec := measure.NewRecorder(steps, phases, measure.Options{Deltas: true})
	spread(rec, samples(5, 600), 1)
	live := measure.NewLive(steps[:2])
	if err := live.Add(flush(t, rec, 0)); err != nil {
		t.Fatal(err)
	}
	if got := live.Snapshot(7900 * ms).Last; len(got) != 7 || got[6].At != 6*time.Second {
		t.Errorf("got %d slices, want 7", len(got))
	}
	if err := measure.NewLive(steps[:1]).Add(flushOf(t)); err == nil {
		t.Error("a step that the run has not was added")
	}
}

func flushOf(t testing.TB) *measure.Delta {
	rec := measure.NewRecorder(steps, phases, measure.Options{Deltas: true})
	spread(rec, samples(5, 100), 1)
	return flush(t, rec, 0)
}

// What is no delta is an error and takes no memory to speak of.
func FuzzDelta(f *testing.F) {
	rec := measure.NewRecorder(steps, phases, measure.Options{Deltas: true})
	spread(rec, samples(5, 100), 1)
	rec.Gauge(time.Second, "cpu", 0.5)
	text, err := rec.Delta(time.Minute).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte{2, 0, 255, 255, 3})
	f.Fuzz(func(t *testing.T, text []byte) {
		d := &measure.Delta{}
		if d.UnmarshalBinary(text) == nil {
			_ = measure.NewLive(steps).Add(d)
		}
	})
}
