package harness

import (
	"errors"
	"time"

	"vitals/scenarios"
)

// Window replaces the load of every scenario: a warm-up that is not judged, then
// one level for the measured time. Runs that are compared with each other, or
// that search for a limit, must not differ in where on a curve they were judged.
type Window struct {
	Warmup  time.Duration
	Measure time.Duration
	Rate    float64 // arrivals a second, whatever the scenario's model; 0 = its own highest level
}

// Check says what is wrong with it.
func (w *Window) Check() error {
	switch {
	case w == nil:
		return nil
	case w.Measure <= 0 || w.Warmup < 0:
		return errors.New("the measured window needs a length above 0, and the warm-up none below it")
	case w.Warmup > scenarios.MaxStage || w.Measure > scenarios.MaxStage:
		return errors.New("a stage of that length cannot be planned exactly")
	}
	return nil
}

// of is the scenario with this load at every pace. Users come one after the
// other during the first half of the warm-up; all are signed in before it.
func (w *Window) of(sc *scenarios.Scenario, pace string) *scenarios.Scenario {
	if w == nil {
		return sc
	}
	out := *sc
	l := sc.At(pace)
	level := l.Peak()
	if w.Rate > 0 {
		l.Model, level = scenarios.Arrivals, w.Rate
	}
	l.SignIn = scenarios.Before
	l.Stages = nil
	if w.Warmup > 0 {
		l.Stages = []scenarios.Stage{
			{Name: "warm-up", From: 0, To: level, For: w.Warmup / 2},
			{Name: "warm-up", From: level, To: level, For: w.Warmup - w.Warmup/2},
		}
	}
	l.Stages = append(l.Stages, scenarios.Stage{Name: "hold", From: level, To: level, For: w.Measure, Judged: true})
	out.Load, out.Quick = l, l
	out.SHA256 = out.Digest()
	return &out
}
