package measure

import (
	"cmp"
	"slices"
)

// exemplars are the requests kept whole: few, however many there were.
type exemplars struct {
	keep    int
	slowest []Exemplar // in order, slowest first
	first   [classes][]Exemplar
}

// add keeps the sample if it is one of the slowest honest ones, or one of the
// first unexpected ones of its class.
func (x *exemplars) add(s *Sample, step *Step) {
	if !s.OK && len(x.first[s.Class]) < x.keep {
		x.first[s.Class] = append(x.first[s.Class], s.exemplar(step))
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
	failures = slices.Concat(x.first[:]...)
	slices.SortStableFunc(failures, func(a, b Exemplar) int { return cmp.Compare(a.At, b.At) })
	return slices.Clone(x.slowest), failures
}

func (s *Sample) exemplar(step *Step) Exemplar {
	e := Exemplar{
		Journey: step.Journey, Step: step.Name, At: s.Due, Response: s.Response(), Service: s.Service(),
		Code: s.Code, RequestID: s.RequestID,
	}
	if s.Class != None {
		e.Class = s.Class.String()
	}
	return e
}
