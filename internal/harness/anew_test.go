package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/observe"
	"vitals/report"
)

// What a page shows of a restart, of several processes that answer in turn, and of
// neither.
func TestAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		starts, cpu       []float64
		restarted, inTurn bool
	}{
		"one process":               {starts: []float64{100, 100, 100.9, 100}, cpu: []float64{1, 2, 3, 4}},
		"a restart":                 {starts: []float64{100, 100, 160, 160}, cpu: []float64{1, 2, 0.1, 1}, restarted: true},
		"two restarts":              {starts: []float64{100, 160, 160, 220}, cpu: []float64{1, 0.1, 1, 0.1}, restarted: true},
		"two in turn":               {starts: []float64{100, 103, 100, 103}, cpu: []float64{9, 1, 10, 2}, inTurn: true},
		"no start time":             {cpu: []float64{1, 2, 3}},
		"a restart, no start time":  {cpu: []float64{1, 2, 0.1, 1}, restarted: true},
		"falls again and again":     {cpu: []float64{9, 1, 10, 2}, inTurn: true},
		"a restart faster than two": {starts: []float64{100, 102}, cpu: []float64{5, 6}, restarted: true},
	} {
		var a anew
		for _, at := range c.starts {
			a.page(observe.Metrics{startTime: at})
		}
		for i := 1; i < len(c.cpu); i++ {
			seconds := func(v float64) observe.Usage { return observe.Usage{CPU: time.Duration(v * float64(time.Second))} }
			a.processor(seconds(c.cpu[i-1]), seconds(c.cpu[i]))
		}
		if got := a.restarted(); (got != "") != c.restarted {
			t.Errorf("%s: restarted: got %q, want %v", name, got, c.restarted)
		}
		if got := a.inTurn(); (got != "") != c.inTurn {
			t.Errorf("%s: in turn: got %q, want %v", name, got, c.inTurn)
		}
	}
}

// A system whose page is of another make, and counts nothing that could be compared, was
// not measured either when it restarted meanwhile.
func TestARestartIsSeenOnAnyPage(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		var first atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/metrics" {
				fmt.Fprint(w, `{}`)
				return
			}
			first.CompareAndSwap(0, time.Now().UnixNano())
			up, began := time.Since(time.Unix(0, first.Load())), 1000
			if restarts && up > 2*time.Second {
				up, began = up-2*time.Second, 1002
			}
			fmt.Fprintf(w, "app_requests_total %d\napp_cpu_seconds_total %f\nprocess_start_time_seconds %d\n", up.Milliseconds(), up.Seconds(), began)
		}))
		defer s.Close()
		p := file(t, "app.yaml", "profile: app\nmetrics: {requests: app_requests_total, cpu_seconds: app_cpu_seconds_total}\noperations:\n  health: {path: /health}\n")
		sc := file(t, "open.yaml", strings.Replace(reads("users: 2\nrun_for: 4s"), "get: /x", "get: /x, anonymous: true", 1))
		o := options(t, sc, "--url", s.URL, "--metrics", s.URL+"/metrics", "--targets", "none")
		o.Cores, o.Profile = 2, p
		r := carryOutWith(t, o)
		if r.doc == nil || len(r.doc.Runs) != 1 {
			t.Fatalf("exit %d: %s", r.code, r.talk)
		}
		run := r.doc.Runs[0]
		_, told := run.Result.Fact("cpu")
		if restarts && (run.Verdict != report.Invalid || !strings.Contains(strings.Join(run.Reasons, " "), "the system restarted mid-run") || told) {
			t.Errorf("restarted: got %s %q, its CPU is told: %v; want INVALID, and none", run.Verdict, run.Reasons, told)
		}
		if !restarts && (run.Verdict == report.Invalid && strings.Contains(strings.Join(run.Reasons, " "), "restarted") || !told) {
			t.Errorf("not restarted: got %s %q, its CPU is told: %v", run.Verdict, run.Reasons, told)
		}
	}
}
