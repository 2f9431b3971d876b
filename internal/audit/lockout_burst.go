package audit

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

func burstOf200(t *T) {
	rounds := cmp.Or(t.run.o.Bursts, 20)
	limit := t.Limit("login").Limit
	t.Addresses(rounds)
	// A round that was released too slowly says nothing when it holds: it is made up
	// for by another, while there is patience.
	tight, said, met, unheard := 0, "", false, 0
	for round := 1; tight < rounds && round <= 2*rounds; round++ {
		from, next, open, what := t.Address(), t.strangers(), limit, fmt.Sprintf("round %d", round)
		as, once := t.burst200(from, next)
		wrong, refused, _ := t.tallied("login", as)
		if !met && refused == len(as) {
			from, next = t.judgedElsewhere(from, next)
			if open--; open == 0 { // then all are refused in any case
				said = tally(statuses(as))
				continue
			}
			what += ", from where one was judged before"
			as, once = t.burst200(from, next)
			wrong, _, _ = t.tallied("login", as)
		}
		met = met || wrong > 0
		if wrong > limit && wrong != t.run.where(t.target) && t.slowly(next, limit, tally(statuses(as))) {
			return
		}
		_, _, rest := t.tallied("login", as)
		unheard = max(unheard, lost(rest))
		held, proved := t.exactly("login", as, open, what)
		if !held {
			return // one round is proof enough
		}
		switch {
		case !proved:
			said = t.undeclared(next, as)
		case once:
			tight++
		}
	}
	if tight > 0 && unheard > 0 {
		t.Note("of 200 at one moment, up to %d had no answer that tells anything: the rest was held to the limit", unheard)
	}
	switch {
	case tight == 0 && said != "":
		t.Skip("in none of %d rounds was it told how many are judged; in the last one: %s", 2*rounds, said)
	case tight == 0:
		t.Skip("%v: in none of %d rounds", wire.ErrSpread, 2*rounds)
	case tight < rounds:
		t.Note("%d of %d rounds were released at one moment; all of them held", tight, 2*rounds)
	}
}

// burst200 is 200 wrong sign-ins at one moment, of which every process gets a part.
func (t *T) burst200(from netip.Addr, next func() string) (as []Answer, once bool) {
	bases := t.target.Replicas
	if len(bases) == 0 {
		bases = []*url.URL{t.target.URL}
	}
	return t.volley(repeat(200, func(i int) Request {
		q := at(bases[i%len(bases)], t.Login(from, next(), wrongPassword()))
		q.Label = "one of 200"
		return q
	}))
}

// judgedElsewhere is for a burst that was refused whole: its address, or its account, may
// have been locked before. It gives another address and account, for which one guess was
// not refused; where that is refused as well, it ends the probe.
func (t *T) judgedElsewhere(from netip.Addr, next func() string) (netip.Addr, func() string) {
	t.run.leftBefore(t.target, Request{From: from, User: next(), Policy: t.target.policy("login")}, false)
	from, next = t.Address(), t.strangers()
	t.Guess(from, next())
	return from, next
}

// slowly tells whether wrong sign-ins from one address are judged beyond the limit when
// they come one after the other, too; then a burst that was judged is no race, and this
// is the finding.
func (t *T) slowly(next func() string, limit int, burst string) bool {
	from := t.Address()
	for range limit + 1 {
		if t.read("login", t.Guess(from, next())) != profile.Wrong {
			return false
		}
	}
	t.counts("login", false, "200 wrong sign-ins at once from one address: %s, want %d judged; one after the other %d are judged as well, so it is no race: the limit counts otherwise than the profile says (limit:, by:)", burst, limit, limit+1)
	return true
}

// undeclared words the answers of a burst that proved nothing. A status that says there
// that a server has no room may be its answer to any wrong credential: one alone tells,
// and ends the probe where nobody declared it.
func (t *T) undeclared(next func() string, as []Answer) string {
	t.read("login", t.Guess(t.Address(), next()))
	return tally(statuses(as))
}

// lost are answers that say nothing of a limit where many come at once: none at
// all, a server that had no room, or one that no longer waited for the request's end.
func lost(n map[int]int) (sum int) {
	for _, status := range []int{0, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable} {
		sum += n[status]
	}
	return sum
}

// exactly checks that of answers to wrong credentials so many were judged, and the
// rest refused. It proves nothing when too many were lost for that.
func (t *T) exactly(operation string, as []Answer, limit int, what string) (held, proved bool) {
	wrong, refused, rest := t.tallied(operation, as)
	gone := lost(rest)
	if wrong < limit && gone > 0 {
		t.Note("%s: %s, so that it proves nothing", what, tally(statuses(as)))
		return true, false
	}
	j, unknown := t.judge(operation), map[int]int{}
	for status := range rest {
		if lost(map[int]int{status: 1}) == 0 && j.Read(status, 0, false) == profile.Unknown {
			unknown[status] = 1
		}
	}
	if wrong <= limit && len(unknown) > 0 { // as read does with one: it may be a judgement, or a refusal
		t.Skip("%s: %s: %s", what, tally(statuses(as)), j.Undeclared(unknown))
	}
	check := t.Check
	if met := t.run.where(t.target); operation == "login" && wrong == met {
		check = func(ok bool, format string, args ...any) bool { return t.counts(operation, ok, format, args...) }
	}
	held = check(wrong == limit && refused > 0 && refused+gone == len(as)-limit, "%s: %s, want %d×%s, %d×%s", what, tally(statuses(as)), limit, profile.Statuses(j.Wrong), len(as)-limit, profile.Statuses(j.Refused))
	return held, held
}
