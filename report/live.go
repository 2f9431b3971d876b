package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/measure"
	"vitals/targets"
)

// Now is what a live view shows. Zero fields are left out.
type Now struct {
	Scenario   string
	Phase      string
	Elapsed    time.Duration
	Total      time.Duration // planned length of the run
	Users      int           // active users (closed model)
	Rate       float64       // planned arrivals per second (open model)
	Snapshot   measure.Snapshot
	Answers    int64             // of limited operations, held to the limits' invariants
	Violations int64             // of those invariants, so far
	Losing     []targets.Verdict // targets that the last seconds miss
	Members    []fleet.Standing  // whose shares are merged in Snapshot; nil = one machine
}

// Live shows a run's progress: a few lines that are written over where the style
// can redraw, a plain line every few seconds otherwise. It may be used from several
// goroutines.
type Live struct {
	w     io.Writer
	style func() Style
	every time.Duration

	mu   sync.Mutex
	last time.Duration // elapsed time of the last plain line
	name string        // its scenario
	open int           // lines on the terminal that can be written over
}

// NewLive makes a live view. Where the style can redraw, every update is shown;
// elsewhere one each `every` of the run's own time (default 5s), and the first of
// each scenario. The style is asked for each time: windows change their size.
func NewLive(w io.Writer, style func() Style, every time.Duration) *Live {
	if every <= 0 {
		every = 5 * time.Second
	}
	return &Live{w: w, style: style, every: every}
}

// Show shows the run as it stands. The view is a convenience: that it could
// not be written is no reason to stop a run, so errors are dropped.
func (l *Live) Show(n Now) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.style()
	if !s.Redraw {
		if n.Scenario == l.name && n.Elapsed-l.last < l.every {
			return
		}
		l.name, l.last = n.Scenario, n.Elapsed
		_, _ = fmt.Fprintln(l.w, strings.Join(n.plain(), "  "))
		return
	}
	lines := n.screen(s)
	if s.Height > 0 && len(lines) >= s.Height {
		lines = lines[:1] // what scrolls away could not be written over
	}
	var b strings.Builder
	b.WriteString(l.erased())
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	l.open = len(lines)
	_, _ = io.WriteString(l.w, b.String()) // at once, so that nothing flickers
}

// Done removes what was written, so that other text can follow.
func (l *Live) Done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open > 0 {
		_, _ = io.WriteString(l.w, l.erased())
		l.open = 0
	}
}

// erased goes back to the first line and clears from there.
func (l *Live) erased() string {
	if l.open == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", l.open)
}

// latest is the last slice that is whole; false when there is none.
func (n Now) latest() (measure.Slice, bool) {
	last := n.Snapshot.Last
	if len(last) == 0 || n.Snapshot.Every <= 0 {
		return measure.Slice{}, false
	}
	return last[len(last)-1], true
}

// achieved is the rate of requests in the latest slice, beside that of the journeys due
// where there is, of which each may be several requests.
func (n Now) achieved() string {
	s, ok := n.latest()
	if !ok {
		return ""
	}
	text := rate(s.Counts.Served, n.Snapshot.Every)
	if n.Rate > 0 {
		text += ", " + strings.TrimSuffix(perSecond(n.Rate), "/s") + " journeys/s due"
	}
	return text
}

// generator is our own health as far as it is known while the run lasts.
func (n Now) generator() string {
	c := n.Snapshot.Counts
	var parts []string
	if n.Snapshot.Late { // what the verdict would not mind alarms nobody
		parts = append(parts, share(c.Late, c.Sent)+" late")
	}
	if n := n.dropped(); n > 0 {
		parts = append(parts, count(n)+" dropped")
	}
	return strings.Join(append(parts, count(c.Inflight)+" in flight"), ", ")
}

// dropped are the requests that the generator itself gave up.
func (n Now) dropped() int64 { return max(0, n.Snapshot.Counts.Dropped-n.Snapshot.Away) }

// away says what users without a session did not send: it was the system that let
// them in no more, or there are too few accounts.
func (n Now) away() string {
	return plural64(n.Snapshot.Away, "task") + " not begun: no session"
}

func (n Now) lost() (out []string) {
	for _, v := range n.Losing {
		out = append(out, v.Target.Text+" is "+got(v))
	}
	return out
}

// plain is the whole state in one line, the most wanted first.
func (n Now) plain() []string {
	parts := []string{n.Scenario + " " + clock(n.Elapsed) + "/" + clock(n.Total)}
	if n.Phase != "" {
		parts = append(parts, n.Phase)
	}
	if n.Users > 0 {
		parts = append(parts, plural(n.Users, "user"))
	}
	if a := n.achieved(); a != "" {
		parts = append(parts, a)
	}
	if s, ok := n.latest(); ok && s.P95 > 0 {
		parts = append(parts, "p95 "+took(s.P95))
	}
	c := n.Snapshot.Counts
	parts = append(parts, "errors "+share(c.Errors, c.Judged()))
	if n.Snapshot.Away > 0 {
		parts = append(parts, n.away())
	}
	if n.Snapshot.Late || n.dropped() > 0 {
		parts = append(parts, "generator "+n.generator())
	}
	if n.Violations > 0 {
		parts = append(parts, plural64(n.Violations, "rate-limit violation"))
	}
	if lost := n.lost(); len(lost) > 0 {
		parts = append(parts, "LOSING "+strings.Join(lost, "; "))
	}
	if m := n.memberWords(); m != "" {
		parts = append(parts, m)
	}
	for i := range parts {
		parts[i] = strip(parts[i])
	}
	return parts
}

// screen is the state in lines that fit the style's width.
func (n Now) screen(s Style) (lines []string) {
	room := s.width() - 1 // a line that fills the width might wrap
	add := func(c color, name, words string) {
		text := cut(pad("  "+name, 13)+strip(words), room)
		lines = append(lines, s.paint(c, text))
	}
	head := n.Scenario + "  " + clock(n.Elapsed) + "/" + clock(n.Total)
	if n.Phase != "" {
		head += "  " + n.Phase
	}
	if n.Users > 0 {
		head += "  " + plural(n.Users, "user")
	}
	head = strip(head)
	if wide := room - columns(head) - 2; wide >= 10 {
		head += "  " + bar(n.Elapsed, n.Total, min(wide, 40))
	}
	lines = append(lines, s.paint(bold, cut(head, room)))
	if last, ok := n.latest(); ok {
		trend := func(f func(measure.Slice) float64) string {
			var vs []float64
			for _, sl := range n.Snapshot.Last {
				vs = append(vs, f(sl))
			}
			return "  " + sparkline(vs, min(30, max(0, room-60)))
		}
		add("", "served", pad(n.achieved(), 27)+trend(func(sl measure.Slice) float64 { return float64(sl.Counts.Served) }))
		if last.P95 > 0 {
			add("", "response", pad(fmt.Sprintf("p50 %s  p95 %s  p99 %s", took(last.P50), took(last.P95), took(last.P99)), 26)+trend(func(sl measure.Slice) float64 { return float64(sl.P95) }))
		}
	}
	c := n.Snapshot.Counts
	tone := color("")
	if c.Errors > 0 {
		tone = yellow
	}
	add(tone, "errors", fmt.Sprintf("%s, %s of %s", share(c.Errors, c.Judged()), count(c.Errors), plural64(c.Sent, "request")))
	if n.Answers > 0 {
		tone = ""
		if n.Violations > 0 {
			tone = red
		}
		add(tone, "lockout", fmt.Sprintf("%s held to the limits, %s", plural64(n.Answers, "answer"), plural64(n.Violations, "violation")))
	}
	if n.Snapshot.Away > 0 {
		add(yellow, "users", n.away())
	}
	add("", "generator", n.generator())
	for i, lost := range n.lost() {
		name := ""
		if i == 0 {
			name = "losing"
		}
		add(red, name, lost)
	}
	return append(lines, n.memberLines(room)...)
}

// clock is m:ss.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func bar(at, of time.Duration, n int) string {
	full := 0
	if of > 0 {
		full = max(0, min(n, int(at*time.Duration(n)/of)))
	}
	return strings.Repeat("━", full) + strings.Repeat("┄", n-full)
}
