package measure_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"vitals/internal/measure"
)

const ms = time.Millisecond

var (
	steps = []measure.Step{
		{Journey: "patient", Name: "list"},
		{Journey: "patient", Name: "create"},
		{Journey: "intruder", Name: "guess", Intruder: true},
	}
	phases = []measure.Phase{
		{Name: "ramp", From: 0, To: 10 * time.Second},
		{Name: "hold", From: 10 * time.Second, To: 50 * time.Second, Judged: true},
	}
)

// samples are n requests of a minute, with every outcome among them.
func samples(seed uint64, n int) []measure.Sample {
	r := rand.New(rand.NewPCG(seed, 1))
	took := draw(seed, n)
	out := make([]measure.Sample, n)
	for i := range out {
		due := time.Duration(i) * time.Minute / time.Duration(n)
		sent := due + time.Duration(r.IntN(4000))*time.Microsecond
		s := measure.Sample{Planned: i%2 == 0, Step: r.IntN(3), Due: due, Sent: sent, Done: sent + took[i], Code: 200, Bytes: 100, Outcome: measure.Served, OK: true}
		switch r.IntN(10) {
		case 0:
			s.Code, s.Outcome, s.OK = 429, measure.Refused, s.Step == 2
			if !s.OK {
				s.Class = measure.BadStatus
			}
		case 1:
			s.Code, s.Outcome, s.OK, s.Class, s.Bytes = 0, measure.Failed, false, measure.ResetReused, 0
		}
		s.RequestID = fmt.Sprintf("req-%d", i)
		out[i] = s
	}
	return out
}

// spread records every sample, dealt to shards that work at once.
func spread(rec *measure.Recorder, all []measure.Sample, shards int) {
	var wg sync.WaitGroup
	for k := range shards {
		sh := rec.Shard()
		wg.Go(func() {
			defer sh.Close()
			for i := k; i < len(all); i += shards {
				sh.Record(&all[i])
			}
		})
	}
	wg.Wait()
}

func TestRecorderAgainstBruteForce(t *testing.T) {
	all := samples(1, 20_000)
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	spread(rec, all, 7)
	got := rec.Finish()

	var outside int64
	for p, phase := range phases {
		for i, step := range steps {
			want := measure.StepResult{Step: step, Codes: map[int]int64{}, Classes: map[string]int64{}}
			want.Response, want.Service = measure.NewHistogram(), measure.NewHistogram()
			want.Refusal, want.Failure = measure.NewHistogram(), measure.NewHistogram()
			for _, s := range all {
				if s.Step != i || s.Due < phase.From || s.Due >= phase.To {
					continue
				}
				want.Counts.Sent++
				if s.Planned {
					want.Counts.Planned++
				}
				want.Counts.Bytes += s.Bytes
				if s.Sent-s.Due > 2*ms {
					want.Counts.Late++
				}
				switch {
				case s.Class.Ours():
					want.Counts.Ours++
				case !s.OK:
					want.Counts.Errors++
				}
				if s.Code != 0 {
					want.Codes[s.Code]++
				}
				if s.Class != measure.None {
					want.Classes[s.Class.String()]++
				}
				switch s.Outcome {
				case measure.Served:
					want.Counts.Served++
					want.Response.Record(s.Done - s.Due)
					want.Service.Record(s.Done - s.Sent)
				case measure.Refused:
					want.Counts.Refused++
					want.Refusal.Record(s.Done - s.Due)
				case measure.Failed:
					want.Counts.Failed++
					want.Failure.Record(s.Done - s.Due)
				}
			}
			if diff := gocmp.Diff(got.Phases[p].Steps[i], want); diff != "" {
				t.Errorf("%s in %s (-got +want):\n%s", step.Name, phase.Name, diff)
			}
		}
	}
	for _, s := range all {
		if s.Due >= 50*time.Second {
			outside++
		}
	}
	if got.Outside != outside {
		t.Errorf("got %d outside every phase, want %d", got.Outside, outside)
	}
}

func TestRecorderShardsDoNotMatter(t *testing.T) {
	all := samples(2, 5000)
	var want measure.Finished
	for i, shards := range []int{1, 2, 3, 16} {
		rec := measure.NewRecorder(steps, phases, measure.Options{})
		spread(rec, all, shards)
		got := rec.Finish()
		got.Slowest, got.Failures = nil, nil // which of equals is kept may differ
		if i == 0 {
			want = got
		}
		if diff := gocmp.Diff(got, want); diff != "" {
			t.Errorf("%d shards (-got +want):\n%s", shards, diff)
		}
	}
}

func TestSeriesByDueTime(t *testing.T) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	sh := rec.Shard()
	sh.Record(&measure.Sample{Step: 0, Due: 500 * ms, Sent: 500 * ms, Done: 510 * ms, Outcome: measure.Served, OK: true})
	// Answered long after other slices passed: it still lands where it was due.
	sh.Record(&measure.Sample{Step: 1, Due: 900 * ms, Sent: 1000 * ms, Done: 31 * time.Second, Outcome: measure.Served, OK: true})
	sh.Record(&measure.Sample{Step: 0, Due: 2 * time.Second, Sent: 2 * time.Second, Done: 2001 * ms, Outcome: measure.Failed})
	sh.Record(&measure.Sample{Step: 2, Due: 100 * ms, Sent: 100 * ms, Done: 9 * time.Second, Outcome: measure.Served, OK: true})
	sh.Record(&measure.Sample{Step: 0, Due: -ms, Sent: 0, Done: ms, Outcome: measure.Served, OK: true})
	rec.Gauge(2100*ms, "cpu", 0.25)
	rec.Gauge(2600*ms, "cpu", 0.75)
	rec.Add(0, 2*time.Second, measure.Counts{Planned: 3, Dropped: 2})
	sh.Close()
	got := rec.Finish()

	p95 := got.Series.Slices[0].StepP95
	want := measure.Series{Every: time.Second, Slices: []measure.Slice{
		{
			Counts: measure.Counts{Sent: 2, Served: 2, Late: 1},
			P50:    10007 * time.Microsecond, P95: 30113791 * time.Microsecond, P99: 30113791 * time.Microsecond, Max: 30113791 * time.Microsecond, SentP95: 30015487 * time.Microsecond,
			StepP95: map[string]int64{"list": 10007, "create": 30113791},
		},
		{At: time.Second},
		{
			At: 2 * time.Second, Counts: measure.Counts{Planned: 3, Sent: 1, Dropped: 2, Failed: 1, Errors: 1},
			Gauges: map[string]float64{"cpu": 0.5},
		},
	}}
	if diff := gocmp.Diff(got.Series, want); diff != "" {
		t.Errorf("series with %v (-got +want):\n%s", p95, diff)
	}
	if got.Outside != 1 {
		t.Errorf("got %d outside, want the one before the start", got.Outside)
	}
}

func TestSeriesFoldsExactly(t *testing.T) {
	all := samples(3, 30_000)
	fine := measure.NewRecorder(steps, phases, measure.Options{MaxSlices: 8}) // 60 slices fold to 8s ones
	wide := measure.NewRecorder(steps, phases, measure.Options{Every: 8 * time.Second})
	for _, rec := range []*measure.Recorder{fine, wide} {
		spread(rec, all, 2)
		for i := range 60 {
			rec.Gauge(time.Duration(i)*time.Second, "cpu", float64(i))
		}
	}
	got, want := fine.Finish().Series, wide.Finish().Series
	if diff := gocmp.Diff(got, want); diff != "" {
		t.Errorf("folded against wide from the start (-got +want):\n%s", diff)
	}
	if len(got.Slices) != 8 || got.Every != 8*time.Second {
		t.Errorf("got %d slices of %v, want 8 of 8s", len(got.Slices), got.Every)
	}
}

func TestSnapshotLive(t *testing.T) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	all := samples(4, 6000)
	var wg sync.WaitGroup
	wg.Go(func() { spread(rec, all, 4) })
	var last int64
	for range 50 {
		s := rec.Snapshot()
		if s.Counts.Sent < last || len(s.Last) > 60 {
			t.Fatalf("got %d requests after %d, %d slices", s.Counts.Sent, last, len(s.Last))
		}
		last = s.Counts.Sent
		runtime.Gosched()
	}
	wg.Wait()
	var honest int64
	for _, s := range all {
		if s.Step != 2 {
			honest++
		}
	}
	s := rec.Snapshot()
	if s.Counts.Sent != honest {
		t.Errorf("got %d requests, want the %d honest ones", s.Counts.Sent, honest)
	}
	for i, sl := range s.Last {
		if sl.At+s.Every > s.At {
			t.Errorf("slice %d at %v is not past at %v", i, sl.At, s.At)
		}
	}
}

// A sample that waits in an idle shard is seen by the live view.
func TestSnapshotSeesWaitingSamples(t *testing.T) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	sh := rec.Shard()
	defer sh.Close()
	sh.Record(&measure.Sample{Done: ms, Outcome: measure.Served, OK: true})
	if got := rec.Snapshot().Counts.Served; got != 1 {
		t.Errorf("got %d served, want 1", got)
	}
}

func TestExemplars(t *testing.T) {
	all := samples(5, 4000)
	rec := measure.NewRecorder(steps, phases, measure.Options{Keep: 5})
	spread(rec, all, 1)
	got := rec.Finish()

	honest := slices.DeleteFunc(slices.Clone(all), func(s measure.Sample) bool { return s.Step == 2 })
	slices.SortStableFunc(honest, func(a, b measure.Sample) int { return cmp.Compare(b.Done-b.Due, a.Done-a.Due) })
	for i, e := range got.Slowest {
		if want := honest[i]; e.RequestID != want.RequestID || e.Response != want.Done-want.Due || e.Service != want.Done-want.Sent {
			t.Errorf("slowest %d: got %+v, want %+v", i, e, want)
		}
	}
	var want []string
	seen, ofStep := map[measure.Class]int{}, map[[2]int]int{}
	for _, s := range all {
		if key := [2]int{s.Step, int(s.Class)}; !s.OK && (seen[s.Class] < 5 || ofStep[key] < measure.KeptOfStep) {
			seen[s.Class]++
			ofStep[key]++
			want = append(want, s.RequestID)
		}
	}
	var ids []string
	for _, e := range got.Failures {
		ids = append(ids, e.RequestID)
	}
	if diff := gocmp.Diff(ids, want); diff != "" || len(got.Slowest) != 5 {
		t.Errorf("%d slowest; first of each class, and of each step and class (-got +want):\n%s", len(got.Slowest), diff)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	sh := rec.Shard()
	defer sh.Close()
	all := samples(6, 1000)
	i := 0
	record := func() { sh.Record(&all[i%len(all)]); i++ }
	for range 2 * len(all) { // the buckets these durations need exist from here on
		record()
	}
	if got := testing.AllocsPerRun(2*len(all), record); got != 0 {
		t.Errorf("got %v allocations per sample, want 0", got)
	}
}

// The recorder of a long run takes the memory of a short one, but for wider
// slices holding more distinct durations.
func TestMemoryDoesNotGrowWithTheRun(t *testing.T) {
	size := func(length time.Duration) int64 {
		before := heap()
		rec := measure.NewRecorder(steps, []measure.Phase{{Name: "hold", To: length, Judged: true}}, measure.Options{})
		sh := rec.Shard()
		took := draw(7, 4096)
		for i := range int(length / (20 * ms)) {
			due := time.Duration(i) * 20 * ms
			sh.Record(&measure.Sample{Step: i % 3, Due: due, Sent: due, Done: due + took[i%4096], Outcome: measure.Served, OK: true})
			rec.Gauge(due, "cpu", 0.5)
		}
		sh.Close()
		rec.Snapshot()
		grown := heap() - before
		runtime.KeepAlive(rec)
		return grown
	}
	short, long := size(5*time.Minute), size(time.Hour)
	t.Logf("5 min: %d kB, 1 h: %d kB", short>>10, long>>10)
	if long > 3*short || long > 4<<20 { // twelve times the run
		t.Errorf("got %d kB after an hour and %d kB after 5 minutes", long>>10, short>>10)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkRecord(b *testing.B) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	sh := rec.Shard()
	defer sh.Close()
	all := samples(8, 60_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sh.Record(&all[i%len(all)])
		i++
	}
}

func BenchmarkSnapshot(b *testing.B) {
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	all := samples(9, 60_000)
	sh := rec.Shard()
	defer sh.Close()
	i := 0
	for b.Loop() {
		for range 100 {
			sh.Record(&all[i%len(all)])
			i++
		}
		rec.Snapshot()
	}
}
