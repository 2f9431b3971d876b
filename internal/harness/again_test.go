package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/report"
)

// A scenario that the generator made invalid is run once more by itself: the second
// try counts, and both are told. Asked for none, the first one counts.
func TestAnInvalidScenarioIsTriedAgain(t *testing.T) {
	t.Parallel()
	const hold = 2 * time.Second
	sc := file(t, "few.yaml", `name: few
arrivals: {rate: 200/s, run_for: 2s, workers: 2}
journeys:
  - name: j
    tasks:
      - {name: read, get: /x, anonymous: true}
targets:
  - p95 < 2s
`)
	for retries := range 2 {
		var began atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/x" {
				began.CompareAndSwap(0, time.Now().UnixNano())
				if time.Since(time.Unix(0, began.Load())) < hold {
					time.Sleep(20 * time.Millisecond) // the server's work: two workers cannot send what is due
				}
			}
			fmt.Fprint(w, `{}`)
		}))
		defer s.Close()
		o := options(t, sc, "--url", s.URL, "--targets", "none")
		o.Retries = retries
		r := carryOutWith(t, o)
		if r.doc == nil || len(r.doc.Runs) != 1 {
			t.Fatalf("got no run, exit %d: %s", r.code, r.talk)
		}
		run := r.doc.Runs[0]
		if len(run.Earlier) != retries || retries == 0 && run.Verdict != report.Invalid {
			t.Fatalf("retries %d: got %d earlier tries and %s: %v", retries, len(run.Earlier), run.Verdict, run.Reasons)
		}
		if retries == 0 {
			continue
		}
		e := run.Earlier[0]
		reasons := strings.Join(e.Reasons, "\n")
		if e.Verdict != report.Invalid ||
			!strings.Contains(reasons, measure.CauseWorkers) && !strings.Contains(reasons, measure.CauseCPU) || // on a crowded machine no processor for them
			!e.Began.Before(run.Result.Began) {
			t.Errorf("the first try: got %+v", e)
		}
		if !strings.Contains(r.talk, "few is invalid by the machine or the generator: tried again by itself") || !strings.Contains(r.out, "tried again, the try before was INVALID") {
			t.Errorf("not told:\n%s\n%s", r.talk, r.out)
		}
	}
}
