package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/report"
)

func now(elapsed time.Duration) report.Now {
	return report.Now{
		Scenario: "normal", Phase: "hold", Elapsed: elapsed, Total: 30 * time.Second, Users: 50, Intruder: "locked after 5",
		Snapshot: measure.Snapshot{
			Every: time.Second, Counts: measure.Counts{Sent: 1000, Errors: 2},
			Last: []measure.Slice{{Counts: measure.Counts{Served: 312}, P95: 41500 * time.Microsecond}},
		},
	}
}

func TestLivePlainLines(t *testing.T) {
	var b bytes.Buffer
	l := report.NewLive(&b, report.Style{}, 5*time.Second)
	for s := range 12 {
		l.Show(now(time.Duration(s) * time.Second))
	}
	next := now(0)
	next.Scenario, next.Users, next.Rate, next.Snapshot = "peak", 0, 25, measure.Snapshot{}
	l.Show(next)
	l.Done()
	want := `normal 0:00/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%  intruders: locked after 5
normal 0:05/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%  intruders: locked after 5
normal 0:10/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%  intruders: locked after 5
peak 0:00/0:30  hold  25.0/s planned  errors –  intruders: locked after 5
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestLiveRewritesOneLine(t *testing.T) {
	var b bytes.Buffer
	l := report.NewLive(&b, report.Style{Width: 70, Redraw: true}, 0)
	l.Show(now(10 * time.Second))
	l.Show(now(20 * time.Second))
	l.Done()
	l.Done()
	got := b.String()
	if strings.Contains(got, "\n") || strings.Count(got, "\r\x1b[2K") != 3 || !strings.HasSuffix(got, "\r\x1b[2K") {
		t.Errorf("got %q, want two lines written over and one cleared", got)
	}
	for _, line := range strings.Split(got, "\r\x1b[2K") {
		if n := len([]rune(line)); n > 69 {
			t.Errorf("got %d columns, want it to fit 70: %q", n, line)
		}
	}
	if !strings.Contains(got, "0:20/0:30 ━━━━━━━━┄┄┄┄") || !strings.Contains(got, "…") {
		t.Errorf("got %q, want the progress, and a cut", got)
	}
}
