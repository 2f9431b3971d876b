package load

import (
	"os"
	"runtime"
	"testing"
	"time"

	"vitals/internal/wire"
	"vitals/scenarios"
)

// Ten times the requests must not take more memory: nothing is kept per request.
func TestMemoryIsFlat(t *testing.T) {
	base := nullProcess(t)
	heap := func(n int) uint64 {
		sc := clinicMix(constant(scenarios.Arrivals, 1e6, time.Duration(n)*time.Microsecond))
		sc.Load.Workers = 32
		rec := record(sc)
		o, err := Run(t.Context(), sc, rec, Options{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		if o.Counts.Sent != int64(n) {
			t.Fatalf("got %d sent, want %d", o.Counts.Sent, n)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what finalizers held
		runtime.ReadMemStats(&m)
		rec.Finish()
		return m.HeapAlloc
	}
	heap(2_000)
	small, large := heap(5_000), heap(50_000)
	if large > small+1<<20 {
		t.Errorf("got a heap of %d kB after 50 000 requests and %d kB after 5 000, want them alike", large>>10, small>>10)
	}
}

// A request of a warm visitor, from filling in to recording, makes no garbage,
// whether somebody watches or not.
func TestVisitMakesNoGarbage(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates; run without -race")
	}
	t.Run("unseen", func(t *testing.T) { garbage(t, nil) })
	told := 0
	t.Run("seen", func(t *testing.T) { garbage(t, func(*wire.Seen) { told++ }) })
	if told < 5000 {
		t.Errorf("got %d told, want every request", told)
	}
}

func garbage(t *testing.T, seen func(*wire.Seen)) {
	base := nullProcess(t)
	sc := clinicMix(constant(scenarios.Arrivals, 1, time.Second))
	for i := range sc.Journeys {
		for k := range sc.Journeys[i].Tasks {
			s := &sc.Journeys[i].Tasks[k].Steps[0]
			s.Expect = scenarios.Expect{Status: []int{200}, Header: map[string]*string{"Content-Type": new("application/json")}, JSON: map[string]*string{"ok": new("true")}}
			s.Save = map[string]string{"fine": "json:ok", "kind": "header:Content-Type"}
		}
	}
	r, err := newRun(sc, record(sc), Options{Base: base, Seen: seen})
	if err != nil {
		t.Fatal(err)
	}
	r.requests = t.Context()
	r.connect()
	r.began = time.Now()
	r.clients.start(r.began)
	defer r.clients.close()
	v := r.newVisitor(0)
	defer v.close()
	n := uint64(0)
	one := func() {
		n++
		j := r.plan.journey(scenarios.Hash(1, n))
		v.forget()
		v.begin(j, scenarios.Hash(1, n, 2), n)
		v.visit(t.Context(), j, scenarios.Hash(1, n, 1), true, time.Since(r.began))
	}
	for range 3000 { // the slowest of the first ones get request IDs
		one()
	}
	if got := testing.AllocsPerRun(2000, one); got >= 0.1 {
		t.Errorf("got %v allocations a visit, want none", got)
	}
}

// After many runs there are no more goroutines and descriptors than before.
func TestNothingLeaks(t *testing.T) {
	s := newNullServer(t, nil)
	files := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("descriptors cannot be counted without /proc")
		}
		return len(list)
	}
	once := func() {
		for _, model := range []scenarios.Model{scenarios.Arrivals, scenarios.Users} {
			sc := ping(constant(model, 100, 50*time.Millisecond), time.Millisecond)
			if _, err := Run(t.Context(), sc, record(sc), Options{Base: s.url()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	settled := func() (int, int) {
		until(t, func() bool { // the server sees its connections close a moment later
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.open) == 0
		})
		return runtime.NumGoroutine(), files()
	}
	once()
	goroutines, descriptors := settled()
	for range 10 {
		once()
	}
	if g, d := settled(); g > goroutines+1 || d > descriptors+1 {
		t.Errorf("got %d goroutines and %d descriptors after ten runs, had %d and %d after one", g, d, goroutines, descriptors)
	}
}
