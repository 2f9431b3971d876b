package load

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// Recording a request must not take the recorder's lock: all workers would queue
// behind it. Only a full shard takes it, once in 64 requests. The runtime tells who
// held a lock that another wanted.
func TestRecordingTakesNoLock(t *testing.T) {
	sc := ping(constant(scenarios.Arrivals, 1, time.Second), 0)
	s := newNullServer(t, nil)
	r, err := newRun(sc, record(sc), Options{Base: s.url()})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			v := r.newVisitor(0)
			defer v.close()
			for range 50_000 {
				v.record(&r.plan.journeys[0].tasks[0].steps[0], 0, measure.None)
			}
		})
	}
	wg.Wait()
	if c := r.rec.Finish().Phases[0].Steps[0].Counts; c.Planned != 400_000 || c.Sent != c.Planned {
		t.Errorf("got %+v, want 400000 planned and sent", c)
	}
	records := make([]runtime.BlockProfileRecord, 1000)
	n, _ := runtime.MutexProfile(records)
	for _, rec := range records[:n] {
		frames := runtime.CallersFrames(rec.Stack())
		for {
			f, more := frames.Next()
			if strings.HasSuffix(f.Function, "(*Recorder).Add") {
				t.Fatalf("%d times a request waited for the recorder's lock in Recorder.Add", rec.Count)
			}
			if !more {
				break
			}
		}
	}
}
