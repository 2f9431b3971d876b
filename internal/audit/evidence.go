package audit

import (
	"fmt"
	"slices"
)

// Piece is what a probe found of one requirement of a standard: of those of its checks
// that are about exactly that.
type Piece struct {
	Requirement string   `json:"requirement"` // as v5.0.0-6.3.1
	Checks      int      `json:"checks"`
	Failed      []string `json:"failed,omitempty"`
	Missing     []string `json:"missing,omitempty"` // what of it was not looked at
}

// release is what a requirement's number is cited with.
const release = "v5.0.0-"

// bears are the requirements that a probe bears on, with those that only some of its
// checks are about.
func bears(id string) []string { return slices.Concat(proofs[id].asvs, parts[id]) }

// For is the same probe, whose checks are about requirements of OWASP ASVS (parts has
// which of them); all others are about the probe's own line alone.
func (t *T) For(requirements ...string) *T {
	return &T{trial: t.trial, target: t.target, of: requirements, by: t.by}
}

// By is the same probe, whose checks are those of a standard that is in force, whatever
// else the probe rests on: what fails of them breaks no promise beside it.
func (t *T) By(standard string) *T {
	return &T{trial: t.trial, target: t.target, of: t.of, by: standard}
}

// Missing notes what of the requirements of For was not looked at: they are then not
// proved by this probe, whatever else it found.
func (t *T) Missing(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.of {
		p := t.piece(id)
		p.Missing = append(p.Missing, fmt.Sprintf(format, args...))
	}
}

// piece is what was found of a requirement so far; the caller holds the lock.
func (t *trial) piece(id string) *Piece {
	if t.pieces == nil {
		t.pieces = map[string]*Piece{}
	}
	if t.pieces[id] == nil {
		t.pieces[id] = &Piece{Requirement: release + id}
	}
	return t.pieces[id]
}

// evidence is what the whole probe found of the requirements that it bears on; the
// caller holds the lock. What was not carried to its end proves nothing.
func (t *trial) evidence(f Finding) (out []Piece) {
	for _, id := range bears(t.probe.ID) {
		p := Piece{Requirement: release + id}
		if slices.Contains(proofs[t.probe.ID].asvs, id) { // all checks are about it
			p.Checks = t.checks
			for _, one := range t.failures {
				p.Failed = append(p.Failed, one.words)
			}
		}
		if some := t.pieces[id]; some != nil {
			p.Missing = some.Missing
			if p.Checks == 0 {
				p.Checks, p.Failed = some.Checks, some.Failed
			}
		}
		if f.Status == Skip || f.Status == NotAsked || t.skipped != "" {
			p.Missing = append(p.Missing, t.why(f))
		}
		out = append(out, p)
	}
	return out
}

// evidence takes secrets out of pieces of evidence.
func (s *secrets) evidence(pieces []Piece) {
	for _, p := range pieces {
		for _, words := range [][]string{p.Failed, p.Missing} {
			for i := range words {
				words[i] = s.redact(words[i])
			}
		}
	}
}

// why is why a probe was not carried to its end.
func (t *trial) why(f Finding) string {
	if t.skipped != "" {
		return t.skipped
	}
	return f.Reason
}

// holds tells whether a standard is in force: the profile promises it, or it was asked
// for.
func (t *T) holds(standard string) bool {
	_, ok := t.target.Profile.Promised(standard)
	return ok || slices.Contains(t.run.o.Standard, standard)
}
