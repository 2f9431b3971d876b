package audit

import (
	"fmt"
	"net/netip"
	"slices"

	"vitals/internal/profile"
)

// sharing is how often one account and one address may be sent with, within the limit
// that is promised. An account has one left at the end, so that its owner is not locked out.
type sharing struct {
	limit              profile.Limit // the zero value = nobody promised one
	policy             string
	ofAccount, ofPlace int
}

// share is what a role's limit leaves of as many requests by account, and by address, as
// a probe would send.
func (t *T) share(role string, ofAccount, ofAddress int) sharing {
	l, ok := t.target.limit(role)
	s := sharing{l, t.target.policy(role), ofAccount, ofAddress}
	if !ok {
		return s
	}
	if byAddress(l) == "" || l.By == profile.ByUser {
		s.ofPlace = max(1, min(ofAddress, l.Limit))
	}
	if slices.Contains([]string{profile.ByAccount, profile.ByUser, profile.ByBoth}, l.By) {
		s.ofAccount = max(1, min(ofAccount, l.Limit-1))
	}
	if l.Account > 0 {
		s.ofAccount = max(1, min(s.ofAccount, l.Account-2)) // its own last may not be judged
	}
	return s
}

// places gives each request a client address, another one when its share is spent.
func (t *T) places(s sharing) func() netip.Addr {
	var from netip.Addr
	sent := 0
	return func() netip.Addr {
		if sent%s.ofPlace == 0 {
			from = t.Address()
		}
		sent++
		return from
	}
}

// usual is how many known accounts are timed, where their share is no smaller.
const usual = 10

// takes are the accounts of the probes that come after the first that needs more.
var takes = map[string]int{"AU8": usual, "LK13": 11}

// timed are the known accounts for a number of timings, none of which is sent with more
// than its share. More than the usual are taken where the probes after it have theirs.
func (t *T) timed(timings int, s sharing) (out []Account) {
	need := max(usual, (timings+s.ofAccount-1)/s.ofAccount)
	if need > usual {
		t.admitted()
		left, later := t.run.left(t.target), t.run.later(t.probe.ID)
		if left < need+later {
			t.Skip("it needs %d accounts that no probe has used: %d timings of known accounts, and limits.%s allows %d at each that lock nobody out; %d are left, %d of them for the probes after it: %d more in the file of accounts would do",
				need, timings, s.policy, s.ofAccount, left, min(left, later), need+later-left)
		}
	}
	for range need {
		out = append(out, t.Account())
	}
	return out
}

// left is how many accounts have not been given out.
func (r *runner) left(g *Target) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range g.Accounts[min(r.accounts[g], len(g.Accounts)):] {
		if a.Role == "" {
			n++
		}
	}
	return n
}

// later is how many accounts the probes after one take of those that the audit has.
func (r *runner) later(id string) (n int) {
	for _, p := range r.probes[slices.IndexFunc(r.probes, func(p Probe) bool { return p.ID == id })+1:] {
		n += takes[p.ID]
	}
	return n
}

// untimed says of answers whose time tells nothing what they were, and what would help.
func (t *T) untimed(operation string, s sharing, rest []Answer) string {
	j := t.judge(operation)
	words := "; the other answers: " + tally(statuses(rest))
	if !slices.ContainsFunc(rest, func(a Answer) bool { return j.Refuses(a.Status, a.RetryAfter() >= 0) }) {
		return words
	}
	told := "the profile has no limit for it"
	if s.limit.Limit > 0 {
		by := s.limit.By
		if by == "" {
			by = profile.ByAddress
		}
		told = fmt.Sprintf("limits.%s of the profile is %d by %s", s.policy, s.limit.Limit, by)
	}
	return words + ": a limit refused them, and " + told + ": with the number and the by: that are true, each account and address is sent with less often"
}
