package scenarios

import (
	"math"
	"math/bits"
	"time"
)

// Population says which users of a closed load are active when: user v is while
// the level is at least v+1. A user keeps its number, so it is the same person
// however often it comes and goes.
type Population struct{ stages []Stage }

// Span is a time that one user is active: From ≤ t < To.
type Span struct{ From, To time.Duration }

// Users is the population of a closed load.
func (l Load) Users() Population { return Population{l.Stages} }

// Max is how many users there ever are.
func (p Population) Max() int { return int(Load{Stages: p.stages}.Peak()) }

// Spans are the times that user v (from 0) is active, in order and apart from
// each other; on a ramp, to the nanosecond.
func (p Population) Spans(v int) []Span {
	var spans []Span
	var at time.Duration
	need := uint64(v+1) * micro
	for _, s := range p.stages {
		from, to := millionths(s.From), millionths(s.To)
		span := Span{at, at + s.For}
		switch {
		case from < need && to < need:
			span.To = at
		case from < need: // rises through
			span.From = at + crossing(need-from, to-from, s.For, true)
		case to < need: // falls through
			span.To = at + crossing(from-need, from-to, s.For, false)
		}
		if i := len(spans) - 1; i >= 0 && span.From < span.To && spans[i].To == span.From {
			spans[i].To = span.To
		} else if span.From < span.To {
			spans = append(spans, span)
		}
		at += s.For
	}
	return spans
}

// Level is how many users are active at an offset.
func (p Population) Level(at time.Duration) int {
	for _, s := range p.stages {
		if at < s.For {
			level := s.From + (s.To-s.From)*float64(at)/float64(s.For)
			return int(math.Floor(level + 1e-9))
		}
		at -= s.For
	}
	return 0
}

// crossing is length·part/whole, rounded up or down to the nanosecond.
func crossing(part, whole uint64, length time.Duration, up bool) time.Duration {
	w := mul(part, uint64(length))
	q, r := bits.Div64(w.hi, w.lo, whole)
	if up && r > 0 {
		q++
	}
	return time.Duration(q)
}
