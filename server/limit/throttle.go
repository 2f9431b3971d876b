package limit

import (
	"context"
	"slices"
	"time"
)

// Throttle slows down guessing at one account from many addresses: from Failures in
// Window on, each further attempt from an address that
// the account does not know waits longer. It never shuts the owner out: known
// addresses pass. Failures 0 is off.
type Throttle struct {
	Failures int
	Window   time.Duration
}

// What NIST SP 800-63B 5.2.2 asks for, and how fast we get there.
const (
	streakMax  = 100                 // consecutive failures; then only a reset, or a known address, helps
	streakLife = 30 * 24 * time.Hour // without a failure, until the streak is forgotten
	firstWait  = 30 * time.Second
	lastWait   = 900 * time.Second
	busyWait   = time.Second // while so many checks are in flight that their failures would reach the bound
)

// accountPolicy names the throttle beside the policies of the table.
const accountPolicy = "account"

// wait is how long an account rests after its n-th failure in the window:
// min(900, 30·2^(n−Failures)) seconds, 0 below Failures.
func (t Throttle) wait(n int) time.Duration {
	if n < t.Failures {
		return 0
	}
	return min(lastWait, firstWait<<min(n-t.Failures, 5))
}

// policy is the throttle as the record keeps it.
func (t Throttle) policy() Policy {
	return Policy{Name: accountPolicy, Limit: t.Failures, Window: t.Window, Failures: true}
}

// Accounts is the throttle's memory. account and from are pseudonyms or keys.
type Accounts interface {
	// Admit decides on an attempt from an address that account does not know,
	// before its check: how long it must wait, 0 to go on. An admitted attempt holds
	// a slot until it is judged: failures and slots together never exceed the
	// threshold. Above it one attempt is admitted per wait. All that at any
	// parallelism.
	Admit(ctx context.Context, t Throttle, account, id string) (time.Duration, error)
	// Judge records how a check ended and frees its slot. Passed ends the streak and
	// forgets the failures made from there; from "" is from everywhere, a reset.
	Judge(ctx context.Context, t Throttle, account, from, id string, o Outcome) error
}

// Admit is Accounts.Admit; it never fails.
func (m *Memory) Admit(_ context.Context, t Throttle, account, id string) (wait time.Duration, _ error) {
	m.with(t.policy(), account, func(r *record, now time.Duration) { wait = r.admit(t, now, m.lease, m.hash(id)) })
	return wait, nil
}

// alsoAdmits is Admit for an attempt that Redis has allowed, whose clock decides when
// the next attempt is due: ours may be late by as long as a call takes.
func (m *Memory) alsoAdmits(t Throttle, account, id string, late time.Duration) (wait time.Duration) {
	m.with(t.policy(), account, func(r *record, now time.Duration) {
		wait = r.admit(t, now+late, m.lease, m.hash(id))
	})
	return wait
}

// Judge is Accounts.Judge; it never fails.
func (m *Memory) Judge(_ context.Context, t Throttle, account, from, id string, o Outcome) error {
	m.with(t.policy(), account, func(r *record, now time.Duration) {
		r.judge(t, now, m.hash(id), o, m.hash(from), from == "")
	})
	return nil
}

// admit is the twin of admit.lua. The record's lock is when the next attempt is
// due.
func (r *record) admit(t Throttle, now, lease time.Duration, id uint64) time.Duration {
	wait := t.wait(len(r.entries))
	switch {
	case has(r.slots, id):
		return 0
	case r.streak >= streakMax:
		return lastWait
	case wait > 0 && r.lock > now:
		return r.lock - now
	case wait == 0 && len(r.entries)+len(r.slots) >= t.Failures, r.streak+len(r.slots) >= streakMax:
		return busyWait
	case wait > 0:
		r.lock = now + wait // reserved before it is judged
	}
	r.slots = append(r.slots, event{at: now + lease, id: id})
	return 0
}

// judge is the twin of judge.lua.
func (r *record) judge(t Throttle, now time.Duration, id uint64, o Outcome, from uint64, all bool) {
	r.slots = without(r.slots, id)
	switch {
	case o == Failed && !has(r.entries, id):
		if r.entries = append(r.entries, event{at: now, id: id, user: from}); len(r.entries) > streakMax {
			r.entries = slices.Delete(r.entries, 0, 1)
		}
		r.streak, r.forget = r.streak+1, now+streakLife
		if wait := t.wait(len(r.entries)); wait > 0 {
			r.lock = now + wait
		}
	case o == Passed && all:
		*r = record{}
	case o == Passed:
		r.streak = 0
		r.entries = slices.DeleteFunc(r.entries, func(e event) bool { return e.user == from })
	}
}
