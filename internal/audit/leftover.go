package audit

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// sender is who sends to a target under a policy, as limits count: an address, or an
// account.
type sender struct {
	g       *Target
	policy  string
	at      netip.Addr
	account string
}

// earn counts a request that its policy's limit did not refuse: for its address, and for
// its account.
func (r *runner) earn(g *Target, x *wire.Seen) {
	if g.refused(x) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.earned[sender{g: g, policy: x.Policy, at: x.From}]++
	if x.User != "" {
		r.earned[sender{g: g, policy: x.Policy, account: x.User}]++
	}
}

// refused tells whether an answer is a refusal by the limit of its policy.
func (g *Target) refused(x *wire.Seen) bool {
	l, _ := g.named(x.Policy)
	for name, op := range g.Profile.Operations {
		if cmp.Or(op.Policy, profile.API) == x.Policy && !g.Profile.Judge(name, l).Refuses(x.Status, x.RetryAfter >= 0) {
			return false
		}
	}
	return true
}

// served are how many requests under a policy were not refused: from an address, and for
// an account ("" = nobody's).
func (r *runner) served(g *Target, policy string, from netip.Addr, account string) (at, of int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at = r.earned[sender{g: g, policy: policy, at: from}]; account != "" {
		of = r.earned[sender{g: g, policy: policy, account: account}]
	}
	return at, of
}

// first ends the probe when an address was refused before anything was admitted from there,
// and so was the account: it was locked by somebody else, or by an earlier run. Of a request
// under no policy nobody knows what came before it.
func (t *T) first(operation string, q Request, a Answer) Answer {
	if q.Policy == "" || !t.judge(operation).Refuses(a.Status, a.RetryAfter() >= 0) {
		return a
	}
	at, of := t.run.served(t.target, q.Policy, q.From, q.User)
	alone := of == 0 && t.accountAlone(q)
	if !alone && at+of > 0 {
		return a
	}
	t.lockedBefore(q, a, alone)
	return a
}

// lockedBefore ends the probe for a refusal that nothing of this audit's has earned: of
// the account alone, where that is known.
func (t *T) lockedBefore(q Request, a Answer, alone bool) {
	t.run.leftBefore(t.target, q, alone)
	told := ""
	if wait := a.RetryAfter(); wait >= 0 {
		told = fmt.Sprintf("; wait %d s", wait)
	}
	t.Skip("%v: got %s before anything was guessed from there: an earlier run, or somebody else, left it locked%s", a, a.got(), told)
}

// accountAlone tells whether a sign-in was refused for its account and nothing else: the
// limit counts by account, and from the same address one that nobody has is judged.
func (t *T) accountAlone(q Request) bool {
	l, _ := t.target.limit("login")
	known := slices.ContainsFunc(t.target.Accounts, func(a Account) bool { return strings.EqualFold(a.Email, q.User) })
	if q.Policy != t.target.policy("login") || !known || !countsAccounts(l) {
		return false
	}
	other := t.Login(q.From, unknownAccount(), wrongPassword())
	other.Label = "wrong password of another account"
	r := t.read("login", t.Send(other))
	if r == profile.Refused {
		t.run.leftBefore(t.target, other, false)
	}
	return r == profile.Wrong
}

// countsAccounts tells whether a limit locks, or slows, accounts.
func countsAccounts(l profile.Limit) bool {
	return l.Account > 0 || slices.Contains([]string{profile.ByAccount, profile.ByUser, profile.ByBoth}, l.By)
}

// leftBefore tells the checker of limits of an address and an account that were refused
// before anything was sent from there. Where this audit has locked another address already
// and met nothing of an earlier run's before that, its own lock may be everybody's, and the
// refusal stays unearned, unless it is known to be of the account alone.
func (r *runner) leftBefore(g *Target, q Request, alone bool) {
	l, _ := g.named(q.Policy)
	r.mu.Lock()
	for s, n := range r.earned {
		if s.g == g && s.policy == q.Policy && s.at.IsValid() && s.at != q.From && n >= max(1, l.Limit) && !r.leftovers[g] && !alone {
			r.mu.Unlock()
			return
		}
	}
	r.leftovers[g] = true
	r.mu.Unlock()
	r.checker(g).Left(q.From, q.User)
}
