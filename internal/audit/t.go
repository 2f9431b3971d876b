package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// T is given to a running probe, as testing.T is to a test. A probe that returns
// without a single check has proved nothing and is skipped.
type T struct {
	*trial
	target *Target
	of     []string // requirements that its checks are about: see For
	by     string   // standard that its checks are of: see By; "" = what the probe rests on
}

// trial is what all targets of one running probe share.
type trial struct {
	ctx   context.Context
	run   *runner
	probe Probe
	began time.Time
	basis Basis
	asked bool // else it has no basis

	closers  []func(context.Context) error
	cookied  string  // why nobody is signed in, who would be by a cookie; "" = it was not seen
	made     []*made // taken back when the probe has ended
	mu       sync.Mutex
	clients  map[*Target]*wire.Client
	wide     bool // a burst was none
	failures []failure
	skipped  string
	sent     bool              // it asked something
	last     error             // what was wrong on the wire with the latest request
	lacks    bool              // it was skipped for what the profile does not have
	late     bool              // the audit ended before it began
	cut      bool              // the audit ended before it did
	broke    bool              // by a mistake of ours
	title    string            // what was in fact checked; "" = what the probe's title says
	pieces   map[string]*Piece // by requirement: of checks that are about one alone
	notes    []string
	checks   int
	script   transcript
}

// failure is one thing that did not hold.
type failure struct {
	words    string
	by       string // standard that asks for it; "" = what the probe rests on
	cause    string // operation whose limit was not kept; "" = none
	declared string // operation whose answer is not the one that the profile declares (refused:), so that it is broken whatever the probe rests on; "" = none
}

// on is the same probe against another target: an API that was launched.
func (t *T) on(g *Target) *T { return &T{trial: t.trial, target: g, of: t.of, by: t.by} }

// Check counts an assertion and notes a failure when it does not hold; the probe
// goes on either way, so that one run shows all that is wrong.
func (t *T) Check(ok bool, format string, args ...any) bool {
	switch {
	case ok:
	case t.ctx.Err() != nil:
		t.Skip("interrupted") // the answer was cut off by ourselves
	case t.gone():
		t.Skip("the API stopped answering: no connection to it can be made any more")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checks++
	said := ""
	if !ok {
		said = fmt.Sprintf(format, args...)
		t.failures = append(t.failures, failure{words: said, by: t.by})
	}
	for _, id := range t.of {
		p := t.piece(id)
		if p.Checks++; !ok {
			p.Failed = append(p.Failed, said)
		}
	}
	return ok
}

// gone tells whether the target takes no connections any more, and remembers it. What a
// control probe stops is stopped on purpose.
func (t *T) gone() bool {
	t.mu.Lock()
	cut := t.last != nil
	t.mu.Unlock()
	if !cut || t.target != t.run.target || t.probe.Class == Control {
		return false
	}
	port := cmp.Or(t.target.URL.Port(), t.target.URL.Scheme) // http and https are names of ports, too
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(t.target.URL.Hostname(), port), time.Second)
	if err == nil {
		_ = conn.Close() // it was asked for nothing
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	t.run.stopped = cmp.Or(t.run.stopped, t.probe.ID)
	return true
}

// Fail notes a failure and goes on.
func (t *T) Fail(format string, args ...any) { t.Check(false, format, args...) }

// Stop ends the probe: after a failure it makes no sense to go on.
func (t *T) Stop() { runtime.Goexit() }

// Failed tells whether anything failed yet.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

// Skip ends the probe without a verdict. Failures that were found before stay.
func (t *T) Skip(format string, args ...any) {
	t.mu.Lock()
	if t.skipped = fmt.Sprintf(format, args...); t.ctx.Err() != nil {
		t.skipped, t.cut = "interrupted", true // whatever came of it
	}
	t.mu.Unlock()
	runtime.Goexit()
}

// unrun is how the reason begins of a probe that the end of the audit came before.
const unrun = "not run: "

// bar is Skip for what is known before anything is sent, whether the audit goes on or not.
func (t *T) bar(why string) {
	t.mu.Lock()
	t.skipped = why
	t.mu.Unlock()
	runtime.Goexit()
}

// Lacks is Skip for what the profile does not have: what nobody promised is not asked.
func (t *T) Lacks(format string, args ...any) {
	t.mu.Lock()
	t.lacks = t.ctx.Err() == nil // else it is our own end that cut something off
	t.mu.Unlock()
	t.Skip(format, args...)
}

// Checked says what was in fact checked, where that is less than the probe's title, or
// told in other figures.
func (t *T) Checked(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.title = fmt.Sprintf(format, args...)
}

// Note tells the reader something that is no verdict.
func (t *T) Note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// Waiting sleeps and says why. A wait longer than the audit's patience skips the
// probe; an interruption ends it.
func (t *T) Waiting(d time.Duration, why string) {
	if d <= 0 {
		return
	}
	if p := t.run.o.Patience; p > 0 && d > p {
		t.Skip("it would wait %v (%s), longer than allowed: %v", d.Round(time.Second), why, p)
	}
	if d >= time.Second {
		t.run.progress(Progress{Probe: t.probe, Wait: d, Words: why})
		t.script.say(t.began, fmt.Sprintf("waiting %v: %s", d.Round(time.Millisecond), why))
	}
	t.sleep(d)
}

// sleep is a short pause that nobody needs to hear of.
func (t *T) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.ctx.Done():
		t.Skip("interrupted")
	}
}

// until waits for a moment.
func (t *T) until(at time.Time, why string) { t.Waiting(time.Until(at), why) }

// Address is a client address that no trial has used, so that no earlier lock
// colours this one. From a machine with one address towards the target only the
// first intrusive probe gets it.
func (t *T) Address() netip.Addr {
	if t.target.Source != nil {
		return t.target.Source(t.run.next())
	}
	if !t.run.spend(t.probe.ID) {
		t.Skip("it needs a client address of its own, and this machine's one address towards the target is used up by an earlier probe")
	}
	return netip.Addr{}
}

// Addresses tells how many client addresses trials can have; skips below n.
func (t *T) Addresses(n int) {
	if n > 1 && t.target.Source == nil {
		t.Skip("it needs %d client addresses, and all requests to this target come from one", n)
	}
}

// Account is a user of the target that no trial has used, so that no throttle on
// an account colours this one.
func (t *T) Account() Account { return t.Role("") }

// Role is an unused account with a role: staff, admin, or "" for any ordinary
// one. Admins are few, and given out again.
func (t *T) Role(role string) Account {
	t.admitted()
	a, ok := t.run.account(t.target, role)
	switch {
	case ok:
		t.run.secrets.add(a.Password)
		t.run.secrets.person(a.Email)
		return a
	case role != "":
		t.Skip("it needs an account with the role %s", role)
	case len(t.target.Accounts) == 0:
		t.Skip("it needs test accounts (--accounts FILE)")
	default:
		t.Skip("all %d test accounts are used up by earlier probes", len(t.target.Accounts))
	}
	return Account{}
}

// Limit is the target's limit of a role, as the role's operation refers to it (login,
// password_reset, api); a profile that has none skips.
func (t *T) Limit(role string) profile.Limit {
	l, ok := t.target.limit(role)
	if !ok {
		t.Lacks("profile %s has no limit %q", t.target.Profile.Name, role)
	}
	return l
}

// Operation is one of the profile's operations; a profile without it skips.
func (t *T) Operation(name string) profile.Operation {
	op, ok := t.target.Profile.Operations[name]
	if !ok {
		t.Lacks("profile %s has no operation %q", t.target.Profile.Name, name)
	}
	return op
}

// finding is the probe's outcome so far.
func (t *T) finding(returned bool) Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := Finding{
		ID: t.probe.ID, Title: cmp.Or(t.title, t.probe.Title), Guide: t.probe.Guide, Class: t.probe.Class, Notes: t.notes,
		Began: t.began, Took: Millis(time.Since(t.began)), Checks: t.checks,
		Severity: proofs[t.probe.ID].severity, CWE: proofs[t.probe.ID].cwe,
	}
	for _, id := range bears(t.probe.ID) {
		f.ASVS = append(f.ASVS, release+id)
	}
	if t.asked {
		f.Basis = &t.basis
	}
	if t.target.ShortClock {
		f.Notes = append([]string{"short clock: locks and windows were shortened"}, f.Notes...)
	}
	f.Transcript, f.Omitted = t.script.kept(&t.run.secrets)
	switch {
	case len(t.failures) > 0:
		f.Status, f.cause = Fail, t.failures[0].cause
		if b := t.broken(); t.asked {
			f.Basis = &b
		}
		if !t.basis.Promised {
			f.Status = Advice
			if broken := slices.IndexFunc(t.failures, func(one failure) bool { return one.declared != "" }); broken >= 0 {
				what := "operations." + t.failures[broken].declared
				f.Status, f.Basis = Fail, &Basis{Promise: what, Promised: true, Place: t.target.Profile.At(what)}
			}
		}
		var lines []string
		for _, one := range t.failures {
			lines, f.causes = append(lines, one.words), append(f.causes, one.cause)
		}
		f.Reason = strings.Join(lines, "\n")
		if t.skipped != "" {
			f.Reason += "\nnot carried to its end: " + t.skipped
		}
	case t.skipped != "":
		f.Reason = t.skipped
	case t.checks == 0 || !returned:
		f.Reason = "it checked nothing"
	case t.wide:
		f.Reason = wire.ErrSpread.Error() + ": all held, but at one moment it was not asked"
	default:
		f.Status = Pass
	}
	if f.NotRun = t.late; f.Status == Skip && !t.basis.Promised && !t.broke && !t.late && !t.cut && (t.lacks || !t.sent && !t.declared()) {
		f.Status = NotAsked // nobody promised it, so nobody is owed an answer
	}
	f.Evidence = t.evidence(f)
	return f
}

// plain is a client address for requests that earn no lock: one of its own where
// there are such, else this machine's.
func (t *T) plain() (from netip.Addr) {
	if t.target.Source != nil {
		from = t.target.Source(t.run.next())
	}
	return from
}
