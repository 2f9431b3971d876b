package scenarios

import (
	"slices"
	"time"

	"vitals/internal/measure"
)

// Phases are the named parts of the load, back to back from 0. Neighbouring
// stages of one name are one phase.
func (l Load) Phases() []measure.Phase {
	var ps []measure.Phase
	var at time.Duration
	for _, s := range l.Stages {
		if i := len(ps) - 1; i >= 0 && ps[i].Name == s.Name {
			ps[i].To += s.For
		} else {
			ps = append(ps, measure.Phase{Name: s.Name, From: at, To: at + s.For, Judged: s.Judged})
		}
		at += s.For
	}
	return ps
}

// names are those of the phases.
func (l Load) names() (names []string) {
	for _, p := range l.Phases() {
		names = append(names, p.Name)
	}
	return names
}

// Total is how long the load lasts.
func (l Load) Total() (sum time.Duration) {
	for _, s := range l.Stages {
		sum += s.For
	}
	return sum
}

// Window is how long the judged phases last together.
func (l Load) Window() (sum time.Duration) {
	for _, s := range l.Stages {
		if s.Judged {
			sum += s.For
		}
	}
	return sum
}

// Peak is the highest level: users, or arrivals per second.
func (l Load) Peak() (top float64) {
	for _, s := range l.Stages {
		top = max(top, s.From, s.To)
	}
	return top
}

// judged tells whether any stage is.
func (l Load) judged() bool {
	return slices.ContainsFunc(l.Stages, func(s Stage) bool { return s.Judged })
}
