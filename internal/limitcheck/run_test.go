package limitcheck_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// What a whole run needs of the checker, beyond an audit: rests of histories,
// scenarios one after the other, parts that are taken away on purpose.

var (
	start = time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	quota = limitcheck.Rule{Limit: 5, Window: time.Hour, By: limitcheck.User}
)

// feed is a checker with a clock: every answer takes 10 ms, a second after the last.
type feed struct {
	*limitcheck.Checker
	at time.Time
}

func newFeed(rule limitcheck.Rule, o limitcheck.Options) *feed {
	return &feed{limitcheck.New(map[string]limitcheck.Rule{"p": rule}, o), start}
}

func (f *feed) answer(status int, user string, more ...func(*limitcheck.Event)) {
	e := limitcheck.Event{
		Sent: f.at, Done: f.at.Add(10 * time.Millisecond), From: netip.AddrFrom4([4]byte{127, 9, 0, 1}), User: user,
		Policy: "p", Status: status, Limit: -1, Remaining: -1, RetryAfter: -1, Step: "step",
	}
	if status == 429 {
		e.RetryAfter = 900
	}
	for _, change := range more {
		change(&e)
	}
	f.Add(e)
	f.at = f.at.Add(time.Second)
}

func rules(vs []limitcheck.Violation) (out []string) {
	for _, v := range vs {
		out = append(out, v.Rule)
	}
	return out
}

func (f *feed) want(t *testing.T, want ...string) {
	t.Helper()
	if got := rules(f.Finish()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func unsure(e *limitcheck.Event) { e.Unsure = true }

// A refusal after a history was forgotten for room may have been earned by what
// was forgotten.
func TestForgottenHistoryAccusesNobody(t *testing.T) {
	for _, keys := range []int{2, 8} {
		f := newFeed(quota, limitcheck.Options{Keys: keys})
		for _, user := range []string{"a", "b", "c", "a"} {
			f.answer(200, user)
		}
		f.answer(429, "a")
		if keys == 2 {
			f.want(t)
		} else {
			f.want(t, "J4")
		}
	}
}

// A token that may have ended: the answer counts under the user or the address.
func TestUnsureAnswersProveNothing(t *testing.T) {
	f := newFeed(quota, limitcheck.Options{})
	for range 4 {
		f.answer(200, "a")
	}
	for range 3 {
		f.answer(401, "a", unsure)
	}
	f.want(t) // 7 were not surely counted for anybody

	f = newFeed(quota, limitcheck.Options{})
	for range 4 {
		f.answer(200, "a")
	}
	f.answer(200, "a", unsure)
	f.answer(429, "a") // the fifth may have been the unsure one
	f.want(t)

	f = newFeed(quota, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a", unsure)
	}
	f.answer(429, "") // from the same address
	f.want(t)

	// Another spelling of the path, which may reach the operation or not: what looks as if
	// it was judged during a lock accuses nobody, and explains a lock.
	f = newFeed(login, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a", unsure)
	}
	f.answer(429, "a")
	f.answer(200, "a", unsure)
	f.answer(401, "a", unsure)
	f.want(t)

	f = newFeed(login, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a")
	}
	f.answer(200, "a", unsure) // nobody knows whether it took them back
	f.answer(429, "a")
	f.want(t)
}

// Between scenarios nothing is under way, so that nothing waits; locks and counts
// go on.
func TestSettleKeepsCounts(t *testing.T) {
	f := newFeed(login, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a")
	}
	if got := f.Settle(); len(got) != 0 {
		t.Fatalf("got %v, want none", got)
	}
	f.answer(429, "a")
	if got := f.Settle(); len(got) != 0 {
		t.Fatalf("got %v, want the sixth refused with reason", got)
	}
	f.answer(200, "a") // inside the lock
	if got := rules(f.Settle()); fmt.Sprint(got) != "[J2]" {
		t.Fatalf("got %v, want J2", got)
	}
	f.want(t, "J2")

	f = newFeed(login, limitcheck.Options{})
	f.answer(429, "a")
	if got := rules(f.Settle()); fmt.Sprint(got) != "[J4]" {
		t.Fatalf("got %v, want J4 without a wait", got)
	}
}

// While a part is away the limiter may forget counts and refuse too soon; a lock
// it may not forget.
func TestDoubt(t *testing.T) {
	f := newFeed(login, limitcheck.Options{})
	for range 4 {
		f.answer(401, "a")
	}
	f.Doubt()
	for range 5 {
		f.answer(401, "a")
	}
	f.answer(429, "a")
	f.answer(429, "b", func(e *limitcheck.Event) { e.From = netip.AddrFrom4([4]byte{127, 9, 0, 2}) })
	if got := f.Settle(); len(got) != 0 {
		t.Fatalf("got %v, want none", got)
	}
	f.Doubt()
	f.answer(401, "a")
	f.want(t, "J2")

	f = newFeed(login, limitcheck.Options{})
	f.Doubt()
	for range 6 {
		f.answer(401, "a")
	}
	f.want(t, "J1")
}

// A server whose lock nobody promised a length is held to what it says itself.
func TestAnyLock(t *testing.T) {
	for _, any := range []bool{true, false} {
		rule := login
		rule.AnyLock = any
		f := newFeed(rule, limitcheck.Options{})
		for range 5 {
			f.answer(401, "a")
		}
		for i := range 3 {
			f.answer(429, "a", func(e *limitcheck.Event) { e.RetryAfter = 1800 - i })
		}
		if any {
			f.answer(429, "a", func(e *limitcheck.Event) { e.RetryAfter = 1900 })
		}
		f.want(t, "J7")
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, rule := range []limitcheck.Rule{login, {Limit: 100, Window: time.Hour, By: limitcheck.User}} {
		b.Run(fmt.Sprintf("limit %d", rule.Limit), func(b *testing.B) {
			c := limitcheck.New(map[string]limitcheck.Rule{"p": rule}, limitcheck.Options{})
			users := make([]string, 1000)
			for i := range users {
				users[i] = fmt.Sprintf("user-%d", i)
			}
			at := start
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				user := users[i/90%len(users)]
				c.Add(limitcheck.Event{Sent: at, Done: at.Add(time.Millisecond), From: netip.AddrFrom4([4]byte{127, 9, byte(i / 90), 1}), User: user,
					Policy: "p", Status: 200, Limit: rule.Limit, Remaining: -1, RetryAfter: -1, Step: "step"})
				at = at.Add(400 * time.Microsecond)
			}
		})
	}
}

// A right password takes a second factor's wrong codes back under no limit of
// theirs; those of its own limit it may.
func TestARightPasswordForgivesNoCodes(t *testing.T) {
	codes := limitcheck.Rule{Limit: 10, Window: 5 * time.Minute, Lock: 15 * time.Minute, Failures: true}
	f := &feed{limitcheck.New(map[string]limitcheck.Rule{"p": {Limit: 5, Window: 5 * time.Minute, Failures: true}, "codes": codes}, limitcheck.Options{}), start}
	code := func(e *limitcheck.Event) { e.Policy = "codes" }
	for n := range 10 {
		if n%5 == 0 {
			f.answer(200, "a") // and a challenge for five codes
		}
		f.answer(401, "a", code, func(e *limitcheck.Event) { e.Remaining = 9 - n })
	}
	f.answer(429, "a", code)
	f.want(t)
}

// What is a wrong credential and what a refusal is declared; anything else is
// neither, and a redirect judges nothing.
func TestDeclaredStatuses(t *testing.T) {
	wait := func(s int) func(*limitcheck.Event) { return func(e *limitcheck.Event) { e.RetryAfter = s } }
	for _, c := range []struct {
		wrong, refused int
		declared       string // which of the two; the other is the usual one
	}{{401, 429, ""}, {400, 423, "both"}, {403, 503, "both"}, {401, 401, "both"}, {401, 401, "refused"}, {429, 429, "wrong"}} {
		rule := limitcheck.Rule{Limit: 5, Window: time.Hour, Lock: 900 * time.Second, Failures: true}
		if c.declared == "both" || c.declared == "wrong" {
			rule.Wrong = []int{c.wrong}
		}
		if c.declared == "both" || c.declared == "refused" {
			rule.Refused = []int{c.refused}
		}
		sound := newFeed(rule, limitcheck.Options{})
		for range 5 {
			sound.answer(c.wrong, "a", wait(-1))
		}
		sound.answer(c.refused, "a", wait(900))
		sound.answer(307, "a") // a router that tidies paths
		sound.answer(302, "a")
		sound.answer(c.refused, "a", wait(897))
		sound.want(t)

		six := newFeed(rule, limitcheck.Options{})
		for range 6 {
			six.answer(c.wrong, "a", wait(-1))
		}
		six.answer(c.refused, "a", wait(900))
		six.answer(c.wrong, "a", wait(-1)) // judged while locked
		six.want(t, "J1", "J2")
	}
}

// What nobody declared as a wrong password is no judged guess: it may be a refusal.
func TestUndeclaredStatusesAccuseNobody(t *testing.T) {
	c := limitcheck.New(map[string]limitcheck.Rule{"login": login}, limitcheck.Options{})
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	for i, status := range []int{401, 401, 401, 401, 401, 403, 429, 403, 403} {
		wait := -1
		if status == 429 {
			wait = 900
		}
		c.Add(limitcheck.Event{Sent: at.Add(time.Duration(i) * time.Second), Done: at.Add(time.Duration(i)*time.Second + time.Millisecond),
			From: netip.MustParseAddr("127.0.0.9"), User: "a", Policy: "login", Status: status, Limit: -1, Remaining: -1, RetryAfter: wait})
	}
	if vs := c.Finish(); len(vs) > 0 {
		t.Errorf("got %v, want none", vs)
	}
}

// A success has the status that is declared for it: a redirect inside a lock is judged
// then, and takes its user's failures back.
func TestADeclaredRedirectIsASuccess(t *testing.T) {
	rule := login
	rule.Right = []int{302}
	f := newFeed(rule, limitcheck.Options{})
	for range 4 {
		for range 3 {
			f.answer(401, "a")
		}
		f.answer(302, "a")
		f.answer(303, "a") // says nothing
	}
	f.want(t)

	f = newFeed(rule, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a")
	}
	f.answer(429, "a")
	f.answer(302, "a")
	f.want(t, "J2")
}

// Where either of two counts may refuse, one that an earlier run has earned at the account
// is no lock of the address; what we have earned ourselves is one.
func TestEitherCountMayRefuse(t *testing.T) {
	rule := limitcheck.Rule{Limit: 5, Window: 300 * time.Second, Lock: 900 * time.Second, Failures: true, Clears: true, By: limitcheck.Either}
	wait := func(s int) func(*limitcheck.Event) { return func(e *limitcheck.Event) { e.RetryAfter = s } }
	f := newFeed(rule, limitcheck.Options{Shared: true})
	f.answer(429, "a", wait(893))
	f.answer(200, "b")
	f.answer(429, "a", wait(891))
	f.answer(429, "c", wait(300))
	f.answer(200, "d")
	f.want(t)

	f = newFeed(rule, limitcheck.Options{Shared: true})
	for range 5 {
		f.answer(401, "a")
	}
	f.answer(429, "a", wait(900))
	f.answer(429, "c", wait(890)) // the account's, or the address'
	f.answer(429, "d", wait(30))
	f.answer(200, "a")
	f.want(t, "J2", "J2")
}

// A quota of users has no room for who is not signed in: what is refused as such may be
// counted for nobody.
func TestNobodysRequestsAreInNoUsersQuota(t *testing.T) {
	rule := limitcheck.Rule{Limit: 5, Window: time.Hour, By: limitcheck.User}
	f := newFeed(rule, limitcheck.Options{})
	for range 9 {
		f.answer(401, "")
	}
	f.want(t)
	f = newFeed(rule, limitcheck.Options{})
	for range 6 {
		f.answer(200, "a")
	}
	f.want(t, "J1")
}
