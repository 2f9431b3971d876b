package limitcheck_test

import (
	"net/netip"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

var byAccount = limitcheck.Rule{Limit: 4, Window: 20 * time.Second, Lock: 20 * time.Second, Failures: true, By: limitcheck.User}

func wait(s int) func(*limitcheck.Event) { return func(e *limitcheck.Event) { e.RetryAfter = s } }

// A success takes its user's failures back where the account has the count, as it does
// where the address has it; the failures from elsewhere it may have taken back.
func TestASuccessForgivesTheAccountsCount(t *testing.T) {
	for _, by := range []limitcheck.By{limitcheck.Address, limitcheck.User, limitcheck.Either} {
		rule := byAccount
		rule.By = by
		f := newFeed(rule, limitcheck.Options{})
		for range 3 {
			for range 3 {
				f.answer(401, "u1@x.org")
			}
			f.answer(200, "u1@x.org")
		}
		f.want(t)

		f = newFeed(rule, limitcheck.Options{})
		for range 5 { // and without a success they are too many
			f.answer(401, "u1@x.org")
		}
		want := []string{"J1"}
		if by == limitcheck.Either {
			want = []string{"J1", "J1"}
		}
		f.want(t, want...)
	}
	for _, forgives := range []bool{true, false} {
		f := newFeed(byAccount, limitcheck.Options{})
		for range 3 {
			f.answer(401, "u1@x.org", func(e *limitcheck.Event) { e.From = netip.MustParseAddr("127.9.0.7") })
		}
		f.answer(200, "u1@x.org")
		f.answer(401, "u1@x.org")
		if forgives {
			f.answer(401, "u1@x.org")
		} else {
			f.answer(429, "u1@x.org", wait(20))
		}
		f.want(t)
	}
}

// Spellings of a name may be one account or several: what either explains accuses nobody.
func TestSpellingsOfAnAccount(t *testing.T) {
	rule := byAccount
	names := []string{"u16@x.org", "U16@X.ORG", " u16@x.org"}

	f := newFeed(rule, limitcheck.Options{}) // one account: the fifth guess is refused
	for i := range 4 {
		f.answer(401, names[i%3])
	}
	f.answer(429, names[1], wait(20))
	f.want(t)

	f = newFeed(rule, limitcheck.Options{}) // three accounts: each has four guesses
	for i := range 12 {
		f.answer(401, names[i%3])
	}
	f.want(t)

	f = newFeed(rule, limitcheck.Options{}) // one account, which signs in by another spelling
	for range 3 {
		for range 3 {
			f.answer(401, names[0])
		}
		f.answer(200, names[1])
	}
	f.want(t)

	f = newFeed(rule, limitcheck.Options{}) // one spelling explains nothing
	for range 2 {
		f.answer(401, names[0])
	}
	f.answer(429, names[0], wait(20))
	f.want(t, "J4")

	f = newFeed(rule, limitcheck.Options{}) // five guesses by one spelling are too many in either
	f.answer(401, names[1])
	for range 5 {
		f.answer(401, names[0])
	}
	f.want(t, "J1")
}
