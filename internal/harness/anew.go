package harness

import (
	"fmt"
	"time"

	"vitals/internal/observe"
)

// anew watches what only a process that has started again takes back, on the pages of a
// deployment: when it started, and how much processor time it has used.
type anew struct {
	first, last float64 // start times, unix seconds; 0 = the page has none
	starts      int     // how often it moved on
	back        bool    // it moved back: several processes answer in turn
	falls       int     // of the processor time
	fell        string  // the first of them
}

// startTime is what client libraries call it; clockStep is how far it may move by
// itself, for it is derived from a clock that is set now and then.
const (
	startTime = "process_start_time_seconds"
	clockStep = 1.1
)

// page notes a reading of the page.
func (a *anew) page(m observe.Metrics) {
	now, ok := m[startTime]
	switch {
	case !ok:
	case a.last == 0:
		a.first, a.last = now, now
	case now > a.last+clockStep:
		a.last = now
		a.starts++
	case now < a.last-clockStep:
		a.last = now
		a.back = true
	}
}

// processor notes two readings of the processor time in a row.
func (a *anew) processor(before, after observe.Usage) {
	if after.CPU < before.CPU {
		if a.falls++; a.falls == 1 {
			a.fell = fmt.Sprintf("its processor time fell from %v to %v", before.CPU.Round(time.Millisecond), after.CPU.Round(time.Millisecond))
		}
	}
}

// restarted says by what it is known that the system was started again; "" when it was
// not, or when its page is that of several processes in turn.
func (a *anew) restarted() string {
	switch {
	case a.back:
	case a.starts > 0:
		return fmt.Sprintf("the system restarted mid-run: %s moved by %.0f s", startTime, a.last-a.first)
	case a.last == 0 && a.falls == 1:
		return "the system restarted mid-run: " + a.fell
	}
	return ""
}

// inTurn says that the readings are not of one process, so that none is told.
func (a *anew) inTurn() string {
	if a.back || a.last == 0 && a.falls > 1 {
		return "the metrics page is that of several processes in turn, or of one that restarts again and again: its CPU is not told (name one page for each, --metrics)"
	}
	return ""
}
