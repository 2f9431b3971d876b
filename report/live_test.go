package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"vitals/internal/golden"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

func now(elapsed time.Duration) report.Now {
	n := report.Now{
		Scenario: "normal", Phase: "hold", Elapsed: elapsed, Total: 30 * time.Second, Users: 50, Answers: 120,
		Snapshot: measure.Snapshot{
			Every: time.Second, Counts: measure.Counts{Sent: 1000, Errors: 2, Late: 3, Inflight: 12},
		},
	}
	for i := range 20 {
		n.Snapshot.Last = append(n.Snapshot.Last, measure.Slice{
			Counts: measure.Counts{Served: int64(293 + i)}, P50: 12 * ms, P95: time.Duration(22+i)*ms + 500*time.Microsecond, P99: 80 * ms,
		})
	}
	return n
}

func always(s report.Style) func() report.Style { return func() report.Style { return s } }

func TestLivePlainLines(t *testing.T) {
	var b bytes.Buffer
	l := report.NewLive(&b, always(report.Style{}), 5*time.Second)
	for s := range 12 {
		n := now(time.Duration(s) * time.Second)
		n.Snapshot.Late = s > 5 // where it makes the run's times doubtful, and not before
		l.Show(n)
	}
	next := now(0)
	next.Scenario, next.Users, next.Rate, next.Snapshot, next.Violations = "peak", 0, 25, measure.Snapshot{}, 1
	l.Show(next)
	l.Done()
	want := `normal 0:00/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%
normal 0:05/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%
normal 0:10/0:30  hold  50 users  312/s  p95 41.5ms  errors 0.2%  generator 0.3% late, 12 in flight
peak 0:00/0:30  hold  errors –  1 rate-limit violation
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// screen is a terminal of so many columns and lines, as far as the live view uses
// one: text, new lines, cursor up and clearing to the end.
type screen struct {
	t           *testing.T
	wide, high  int
	lines       []string
	line        int
	scrolledOff int
}

func (s *screen) Write(text []byte) (int, error) {
	rest := string(text)
	for rest != "" {
		var n int
		switch {
		case strings.HasPrefix(rest, "\x1b[J"):
			s.lines, rest = s.lines[:s.line], rest[3:]
		case strings.HasPrefix(rest, "\r"):
			rest = rest[1:]
		case strings.HasPrefix(rest, "\x1b["):
			if _, err := fmt.Sscanf(rest, "\x1b[%dA", &n); err == nil {
				if s.line -= n; s.line < s.scrolledOff {
					s.t.Errorf("the cursor goes up to line %d, but %d have scrolled off", s.line, s.scrolledOff)
				}
				rest = rest[strings.IndexByte(rest, 'A')+1:]
				continue
			}
			rest = rest[strings.IndexByte(rest, 'm')+1:] // a colour
		default:
			end := strings.IndexAny(rest, "\n\x1b\r")
			if end == 0 { // a new line
				rest = rest[1:]
				s.line++
				s.scrolledOff = max(s.scrolledOff, s.line+1-s.high)
				continue
			}
			if end < 0 {
				end = len(rest)
			}
			for len(s.lines) <= s.line {
				s.lines = append(s.lines, "")
			}
			s.lines[s.line] += rest[:end]
			if n := len([]rune(s.lines[s.line])); n >= s.wide {
				s.t.Errorf("a line of %d columns wraps in %d: %q", n, s.wide, s.lines[s.line])
			}
			rest = rest[end:]
		}
	}
	return len(text), nil
}

func losing(n report.Now) report.Now {
	n.Losing = []targets.Verdict{{Target: targets.Target{Metric: "p95", Op: "<", Limit: float64(30 * ms), Text: "p95 < 30ms"}, Status: targets.Fail, Got: float64(41 * ms)}}
	n.Rate, n.Violations = 500, 2
	return n
}

// A scripted terminal shows one picture at a time, at any width, and nothing is left
// of it when other text follows.
func TestLiveRedrawsInPlace(t *testing.T) {
	for _, size := range [][2]int{{120, 40}, {80, 24}, {40, 24}, {25, 12}, {80, 4}} {
		s := &screen{t: t, wide: size[0], high: size[1]}
		l := report.NewLive(s, always(report.Style{Width: size[0], Height: size[1], Redraw: true, Color: true}), 0)
		l.Show(now(10 * time.Second))
		l.Show(losing(now(15 * time.Second)))
		l.Show(now(20 * time.Second))
		picture := strings.Join(s.lines, "\n")
		if strings.Count(picture, "normal") != 1 || !strings.Contains(picture, "0:20/0:30") {
			t.Errorf("%v: got\n%s", size, picture)
		}
		l.Done()
		l.Done()
		if len(s.lines) != 0 {
			t.Errorf("%v: got %q left", size, s.lines)
		}
	}
}

func TestLivePicture(t *testing.T) {
	for _, width := range []int{100, 50} {
		s := &screen{t: t, wide: width, high: 24}
		report.NewLive(s, always(report.Style{Width: width, Height: 24, Redraw: true}), 0).Show(losing(now(20 * time.Second)))
		golden.Check(t, []byte(strings.Join(s.lines, "\n")+"\n"), fmt.Sprintf("live-%d.txt", width))
	}
}

// What users without a session did not send is no fault of the generator's, and is
// called what it is.
func TestLiveUsersWithoutSession(t *testing.T) {
	n := now(time.Second)
	n.Snapshot.Counts.Dropped, n.Snapshot.Away = 1207, 1200
	show := func(s report.Style) string {
		var b bytes.Buffer
		report.NewLive(&b, always(s), time.Second).Show(n)
		return b.String()
	}
	for _, s := range []report.Style{{}, {Redraw: true, Width: 100}} {
		got := show(s)
		if !strings.Contains(got, "1,200 tasks not begun: no session") || !strings.Contains(got, "7 dropped") || strings.Contains(got, "1,207") {
			t.Errorf("got %q, want 1,200 tasks without a session and 7 that the generator dropped", got)
		}
	}
	n.Snapshot.Counts.Dropped = 1200
	if got := show(report.Style{}); strings.Contains(got, "generator") {
		t.Errorf("got %q, want nothing of the generator, which dropped nothing", got)
	}
}
