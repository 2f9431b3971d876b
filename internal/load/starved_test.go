package load

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// A generator with two workers, each with one connection, cannot send what is due to
// a server that needs 20 ms for an answer: its latencies are its own waiting.
func TestTooFewWorkersAreNamed(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond) // the server's work
		_, _ = io.WriteString(w, "{}")
	})
	sc := single(constant(scenarios.Arrivals, 200, 2*time.Second), scenarios.Step{Name: "a", Path: "/"})
	sc.Load.Workers = 2
	o, err := Run(t.Context(), sc, record(sc), Options{Base: base, MaxLag: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(o.Health.Late, "\n"); !strings.Contains(all, measure.CauseWorkers+": all 2 workers, each with a connection of its own, were busy") || !strings.Contains(all, "raise workers") {
		t.Errorf("got invalid %q, late %q, suspect %q, want too few workers named", o.Health.Invalid, o.Health.Late, o.Health.Suspect)
	}
}

// A server that slows down until all workers wait for it is degraded, and no fault of
// the generator: how long people wait then is what is measured.
func TestADegradedSystemIsNoFaultOfOurs(t *testing.T) {
	for name, tt := range map[string]struct {
		quick, slow time.Duration // an answer, before and while all workers wait
		cause       string
	}{
		"slower and slower":    {20 * time.Millisecond, 300 * time.Millisecond, measure.CauseDegraded},
		"as quick as before":   {20 * time.Millisecond, 30 * time.Millisecond, measure.CauseWorkers},
		"on a machine in need": {140 * time.Millisecond, 300 * time.Millisecond, measure.CauseDegraded},
	} {
		sc := single(constant(scenarios.Arrivals, 200, 3*time.Second), scenarios.Step{Name: "a", Path: "/"})
		sc.Load.Workers = 16
		r, err := newRun(sc, record(sc), Options{Base: nowhereURL, MaxLag: 30 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			for k := range 60 {
				due := time.Duration(i)*r.lag.width + time.Duration(k)*time.Millisecond
				if i < 3 {
					r.lag.record(due, 0)
					r.lag.held(due, tt.quick)
				} else {
					r.lag.wait(due)
					r.lag.held(due, tt.slow)
				}
			}
		}
		h := r.judge(&Outcome{})
		blamed := slices.ContainsFunc(h.Invalid, func(why string) bool { return strings.HasPrefix(why, measure.CauseWorkers) })
		named := strings.Contains(strings.Join(slices.Concat(h.Invalid, h.Suspect), "\n"), tt.cause+": all 16 workers")
		if blamed != (tt.cause == measure.CauseWorkers) || !named {
			t.Errorf("%s: got invalid %q, suspect %q, want %s named", name, h.Invalid, h.Suspect, tt.cause)
		}
	}
}

// The same on the wire: the server becomes slow once it has answered quickly for a
// while. On a machine that kept it from that, there is nothing to see.
func TestADegradedServerIsNamed(t *testing.T) {
	for range 5 {
		var answered atomic.Int64
		base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			if answered.Add(1) > 200 {
				time.Sleep(300 * time.Millisecond) // the server's work
			}
			_, _ = io.WriteString(w, "{}")
		})
		sc := single(constant(scenarios.Arrivals, 200, 3*time.Second), scenarios.Step{Name: "a", Path: "/"})
		sc.Load.Workers = 16
		rec := record(sc)
		o, err := Run(t.Context(), sc, rec, Options{Base: base, MaxLag: 30 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if p10, _ := rec.Finish().Phases[0].Steps[0].Service.Quantile(0.1); p10 > 50*time.Millisecond {
			continue // it was never quick
		}
		for _, why := range o.Health.Invalid {
			if strings.HasPrefix(why, measure.CauseWorkers) {
				t.Errorf("got %q, want no blame of the generator", why)
			}
		}
		if all := strings.Join(o.Health.Suspect, "\n"); !strings.Contains(all, measure.CauseDegraded+": all 16 workers") {
			t.Errorf("got suspect %q, want the degraded system named", all)
		}
		return
	}
	t.Skip("this machine let a server that does nothing not answer within 50ms, five times")
}

// Three late windows in a row, or a tenth of all, decide; one blip does not.
func TestThreeWindowsDecide(t *testing.T) {
	for _, tt := range []struct {
		windows string // one letter each: L late, . not, _ empty
		invalid bool
	}{
		{"..........", false}, {"....L.....", false}, {"LL........", false}, {"LLL.......", true}, {"L_L_L.....", true},
		{"L.L.L.....", true}, {"L.L.L" + strings.Repeat(".", 40), false}, {"LLL" + strings.Repeat(".", 400), true},
	} {
		sc := ping(constant(scenarios.Arrivals, 1, time.Duration(len(tt.windows))*time.Second), 0)
		r, err := newRun(sc, record(sc), Options{Base: nowhereURL, MaxLag: 5 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for i, kind := range tt.windows {
			for k := range 50 {
				late := time.Duration(0)
				if kind == 'L' && k < 5 {
					late = 20 * time.Millisecond
				}
				if kind != '_' {
					r.lag.record(time.Duration(i)*r.lag.width+time.Duration(k)*time.Millisecond, late)
				}
			}
		}
		h := r.judge(&Outcome{})
		if r.opt.NoTimes = true; len(r.judge(&Outcome{}).Invalid) > 0 {
			t.Errorf("%.20s: got it invalid, though nobody asks for a time", tt.windows)
		}
		if got := len(h.Late) > 0; got != tt.invalid {
			t.Errorf("%.20s: got %q, invalid is %v, want %v", tt.windows, h.Late, got, tt.invalid)
		}
		if strings.Contains(tt.windows, "L") && len(h.Late)+len(h.Suspect) == 0 {
			t.Errorf("%.20s: got not even a suspicion", tt.windows)
		}
	}
}

// Where every worker was busy from the first second on, the first answers tell whose
// doing it was: as slow as all others, there are too few workers; quicker, the system
// is full.
func TestStarvedFromTheBeginning(t *testing.T) {
	for _, tt := range []struct {
		name          string
		held          func(n int) time.Duration // of the n-th request
		silent        int64
		late, suspect string
		ours          time.Duration // lateness of our own timer
	}{
		{"takes its time", func(int) time.Duration { return 400 * time.Millisecond }, 0, measure.CauseWorkers, "", 0},
		{"is full", func(n int) time.Duration { return min(20*time.Millisecond*time.Duration(1+n/8), 640*time.Millisecond) }, 0, "", measure.CauseDegraded + ": all 256 workers", 0},
		{"is read late by us", func(n int) time.Duration { return min(20*time.Millisecond*time.Duration(1+n/8), 640*time.Millisecond) }, 0, measure.CauseCPU + ": all 256 workers", "", 200 * time.Millisecond},
		{"is silent", func(int) time.Duration { return 10 * time.Second }, 4000, "", measure.CauseDegraded, 0},
	} {
		sc := ping(constant(scenarios.Arrivals, 1500, 4*time.Second), 0)
		r, err := newRun(sc, record(sc), Options{Base: nowhereURL, MaxLag: 30 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 6000 {
			due := time.Duration(n) * 4 * time.Second / 6000
			if n < 25 { // a few have a worker at once
				r.lag.record(due, 0)
			} else {
				r.lag.wait(due)
			}
			r.lag.held(due, tt.held(n))
		}
		r.watch.silent.Store(tt.silent)
		r.monitor.ticks = measure.NewHistogram()
		for range 40 {
			r.monitor.ticks.Record(tt.ours)
		}
		h := r.judge(&Outcome{Counts: measure.Counts{Planned: 6000, Sent: 6000}})
		late, suspect := strings.Join(h.Late, "\n"), strings.Join(h.Suspect, "\n")
		if !strings.Contains(late, tt.late) || !strings.Contains(suspect, tt.suspect) || tt.late == "" && late != "" {
			t.Errorf("a system that %s: got late %q, suspect %q", tt.name, late, suspect)
		}
	}
}
