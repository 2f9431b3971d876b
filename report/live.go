package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"vitals/internal/measure"
)

// Now is what the live view shows. Zero fields are left out.
type Now struct {
	Scenario string
	Phase    string
	Elapsed  time.Duration
	Total    time.Duration // planned length of the run
	Users    int           // active users (closed model)
	Rate     float64       // planned arrivals per second (open model)
	Snapshot measure.Snapshot
	Intruder string // state of the intruders in a few words
}

// Live shows a run's progress: one line that is rewritten where w is a
// terminal, a plain line every few seconds otherwise. It may be used from
// several goroutines.
type Live struct {
	w     io.Writer
	style Style
	every time.Duration

	mu   sync.Mutex
	last time.Duration // elapsed time of the last plain line
	name string        // its scenario
	open bool          // the terminal's line is not ended
}

// NewLive makes a live view. Where the style can redraw, every update is shown;
// elsewhere one each `every` of the run's own time (default 5s), and the first of
// each scenario.
func NewLive(w io.Writer, style Style, every time.Duration) *Live {
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
	if l.style.Redraw {
		_, _ = fmt.Fprintf(l.w, "\r\x1b[2K%s", cut(l.line(n), l.style.width()-1)) // a line that wraps could not be rewritten
		l.open = true
		return
	}
	if n.Scenario == l.name && n.Elapsed-l.last < l.every {
		return
	}
	l.name, l.last = n.Scenario, n.Elapsed
	_, _ = fmt.Fprintln(l.w, l.line(n))
}

// Done removes the rewritten line, so that other text can follow.
func (l *Live) Done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open {
		_, _ = io.WriteString(l.w, "\r\x1b[2K")
		l.open = false
	}
}

// line is the whole state in one line, the most wanted first: it is cut at the
// right on a narrow terminal.
func (l *Live) line(n Now) string {
	parts := []string{n.Scenario + " " + clock(n.Elapsed) + "/" + clock(n.Total)}
	if l.style.Redraw {
		parts[0] += " " + bar(n.Elapsed, n.Total, 12)
	}
	if n.Phase != "" {
		parts = append(parts, n.Phase)
	}
	switch {
	case n.Users > 0:
		parts = append(parts, count(int64(n.Users))+" users")
	case n.Rate > 0:
		parts = append(parts, perSecond(n.Rate)+" planned")
	}
	if slices := n.Snapshot.Last; len(slices) > 0 && n.Snapshot.Every > 0 {
		last := slices[len(slices)-1]
		parts = append(parts, rate(last.Counts.Served, n.Snapshot.Every))
		if last.P95 > 0 {
			parts = append(parts, "p95 "+took(last.P95))
		}
	}
	c := n.Snapshot.Counts
	parts = append(parts, "errors "+share(c.Errors, c.Sent))
	if n.Intruder != "" {
		parts = append(parts, "intruders: "+n.Intruder)
	}
	return strings.Join(parts, "  ")
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
