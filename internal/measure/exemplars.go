package measure

import (
	"cmp"
	"slices"
)

// KeptOfStep is how many unexpected requests of one step and class are kept whole,
// however many of that class other steps had before.
const KeptOfStep = 3

// exemplars are the requests kept whole: few, however many there were.
type exemplars struct {
	keep    int
	slowest []Exemplar // in order, slowest first
	failed  []Exemplar
	classes [classes]int    // kept, by class
	steps   map[trouble]int // kept, by step and class
}

// trouble is what one step suffers from.
type trouble struct {
	step  int
	class Class
}

// add keeps the sample if it is one of the slowest honest ones, or one of the
// first unexpected ones of its class, or of its step and class.
func (x *exemplars) add(s *Sample, step *Step) {
	if t := (trouble{s.Step, s.Class}); !s.OK && (x.classes[t.class] < x.keep || x.steps[t] < min(x.keep, KeptOfStep)) {
		if x.steps == nil {
			x.steps = map[trouble]int{}
		}
		x.classes[t.class]++
		x.steps[t]++
		x.failed = append(x.failed, s.exemplar(step))
	}
	full := len(x.slowest) == x.keep
	if step.Intruder || full && s.Response() <= x.slowest[x.keep-1].Response {
		return
	}
	if full {
		x.slowest = x.slowest[:x.keep-1]
	}
	at, _ := slices.BinarySearchFunc(x.slowest, s, func(e Exemplar, s *Sample) int {
		return cmp.Or(cmp.Compare(s.Response(), e.Response), cmp.Compare(e.At, s.Due))
	})
	x.slowest = slices.Insert(x.slowest, at, s.exemplar(step))
}

// sorted are the slowest, slowest first, and the unexpected by due time.
func (x *exemplars) sorted() (slowest, failures []Exemplar) {
	failures = slices.Clone(x.failed)
	slices.SortStableFunc(failures, func(a, b Exemplar) int { return cmp.Compare(a.At, b.At) })
	return slices.Clone(x.slowest), failures
}

func (s *Sample) exemplar(step *Step) Exemplar {
	e := Exemplar{
		Journey: step.Journey, Step: step.Name, At: s.Due, Response: s.Response(), Service: s.Service(),
		Code: s.Code, RequestID: s.RequestID, TraceID: s.TraceID,
	}
	if s.Class != None {
		e.Class = s.Class.String()
	}
	if s.Detail != nil {
		e.Why, e.Body = s.Detail.Why, s.Detail.Body
	}
	return e
}
