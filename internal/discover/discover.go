// Package discover finds out what limit an API keeps on signing in when no document
// says: how many wrong passwords are judged, what comes then and for how long, what is
// counted and for whom, and how it is announced. It guesses from fresh addresses at
// accounts that nobody has, with few requests, and says "cannot tell" rather than
// guess.
package discover

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"vitals/internal/profile"
)

// Answer is what came of one sign-in.
type Answer struct {
	Status     int // 0 = none
	RetryAfter time.Duration
	Told       bool // RetryAfter was told
	Header     map[string]string
	Sent, Done time.Time
}

// Try sends one sign-in from an address, the zero one for whichever the machine has.
type Try func(ctx context.Context, from netip.Addr, account, password string) (Answer, error)

// Account is one that exists, so that right passwords can be sent.
type Account struct{ Email, Password string }

// Options of a discovery.
type Options struct {
	Try      Try
	Address  func() netip.Addr // a client address that nothing was sent from; nil = there is one alone
	Accounts []Account         // with right passwords; none: what is counted cannot be told
	Most     int               // wrong sign-ins before it is said that there is no limit; 0 = 60
	Budget   int               // requests in all; 0 = 1000
	Patience time.Duration     // longest wait; 0 = 20 minutes
	Say      func(string)      // progress, a line each; nil = nobody listens
}

// Found is what a discovery tells.
type Found struct {
	Limit    profile.Limit
	Limited  bool // a limit was met at all
	Kind     string
	Retry    bool     // refusals tell how long to wait
	Wrong    int      // status of a wrong password
	Unknown  []string // what could not be told, and why
	Notes    []string
	Requests int
	Took     time.Duration
}

// What kinds of limits are told apart.
const (
	FixedWindow = "fixed window"
	SlidingLog  = "sliding window"
	TokenBucket = "token bucket"
	Lockout     = "lockout"
)

// who is an address and an account that try together.
type who struct {
	from  netip.Addr
	email string
}

// errSpent ends a discovery whose requests are used up.
var errSpent = errors.New("the requests that it may make are used up")

// search is one discovery under way.
type search struct {
	o     Options
	f     *Found
	began time.Time
	fresh []Account // not used yet

	limit   int // judged before the first refusal
	wrong   int // status of a judged guess
	refused int // status of the first refusal
	first   Answer
}

// Run discovers. An error means that nothing could be told: no answer, or answers
// that are neither a wrong password nor a refusal. When ctx ends, what was found until
// then comes with its error.
func Run(ctx context.Context, o Options) (*Found, error) {
	if o.Most <= 0 {
		o.Most = 60
	}
	if o.Budget <= 0 {
		o.Budget = 1000
	}
	if o.Patience <= 0 {
		o.Patience = 20 * time.Minute
	}
	s := &search{o: o, f: &Found{}, began: time.Now(), fresh: o.Accounts}
	err := s.run(ctx)
	s.f.Took = time.Since(s.began)
	if errors.Is(err, errSpent) && s.f.Limited {
		s.unknown("the rest", "%v", err)
		err = nil
	}
	if ctx.Err() != nil && s.f.Limited { // what is known is kept
		s.unknown("the rest", "interrupted after %v", s.f.Took.Round(time.Second))
	}
	return s.f, err
}

func (s *search) run(ctx context.Context) error {
	a := s.somebody()
	if err := s.burst(ctx, a); err != nil || !s.f.Limited {
		return err
	}
	released := time.Now()
	if err := s.key(ctx, a); err != nil {
		return err
	}
	if err := s.counts(ctx); err != nil {
		return err
	}
	return s.times(ctx, a, released)
}

// say tells of progress.
func (s *search) say(format string, args ...any) {
	if s.o.Say != nil {
		s.o.Say(fmt.Sprintf(format, args...))
	}
}

func (s *search) unknown(what, format string, args ...any) {
	s.f.Unknown = append(s.f.Unknown, what+": "+fmt.Sprintf(format, args...))
}

// somebody is an address and an account that nothing was sent for.
func (s *search) somebody() who {
	w := who{email: "nobody-" + strings.ToLower(rand.Text()[:12]) + "@vitals.test"}
	if s.o.Address != nil {
		w.from = s.o.Address()
	}
	return w
}

// guess sends a wrong password.
func (s *search) guess(ctx context.Context, w who) (Answer, error) {
	return s.send(ctx, w, "Wrong-"+rand.Text())
}

func (s *search) send(ctx context.Context, w who, password string) (Answer, error) {
	if s.f.Requests >= s.o.Budget {
		return Answer{}, errSpent
	}
	s.f.Requests++
	return s.o.Try(ctx, w.from, w.email, password)
}

// turned tells whether an answer is a refusal; one that is neither that nor a judged
// guess is an error.
func (s *search) turned(a Answer) (bool, error) {
	switch {
	case a.Status == s.wrong:
		return false, nil
	case a.Status == s.refused, a.Status == 429, a.Status == 423:
		return true, nil
	}
	return false, fmt.Errorf("cannot tell: a sign-in was answered with %d, which is neither a wrong password (%d) nor the refusal (%d)", a.Status, s.wrong, s.refused)
}

// burst guesses until the first refusal.
func (s *search) burst(ctx context.Context, w who) error {
	s.say("guessing from one address until it is refused, at most %d times", s.o.Most)
	for n := range s.o.Most + 1 {
		a, err := s.guess(ctx, w)
		switch {
		case err != nil:
			return err
		case n == 0 && (a.Status < 400 || a.Status >= 500 || a.Status == 429 || a.Status == 423 || a.Status == 404 || a.Status == 405 || a.Status == 415):
			return fmt.Errorf("cannot tell: the first wrong password was answered with %d; is the profile's login right, and was nobody here before?", a.Status)
		case n == 0:
			s.wrong, s.f.Wrong = a.Status, a.Status
		case a.Status != s.wrong && (a.Status < 400 || a.Status >= 500 && a.Status != 503):
			return fmt.Errorf("cannot tell: wrong password %d was answered with %d, the first with %d", n+1, a.Status, s.wrong)
		case a.Status != s.wrong:
			s.limit, s.refused, s.first = n, a.Status, a
			s.f.Limited, s.f.Retry = true, a.Told
			s.f.Limit = profile.Limit{Limit: n, Headers: string(form(a))}
			if a.Status != 429 {
				s.f.Limit.Statuses = []int{a.Status}
			}
			s.say("%d were judged, then %d", n, a.Status)
			return nil
		}
	}
	s.f.Notes = append(s.f.Notes, fmt.Sprintf("%d wrong passwords from one address for one account were all judged", s.o.Most+1))
	return nil
}

// form is how an answer announces its limit.
func form(a Answer) profile.Form {
	found := profile.NoHeaders
	for name := range a.Header {
		switch n := strings.ToLower(name); {
		case n == "x-ratelimit-limit" || n == "x-ratelimit-remaining":
			return profile.XRateLimit
		case n == "ratelimit" || n == "ratelimit-policy" || n == "ratelimit-limit" || n == "ratelimit-remaining":
			found = profile.IETF
		}
	}
	return found
}

// key finds out whose guesses share the count, by who is refused beside who was.
func (s *search) key(ctx context.Context, a who) error {
	asks := func(w who) (bool, error) {
		answer, err := s.guess(ctx, w)
		if err != nil {
			return false, err
		}
		return s.turned(answer)
	}
	other := s.somebody()
	byAddress, err := asks(who{a.from, other.email})
	if err != nil {
		return err
	}
	if s.o.Address == nil {
		if !byAddress {
			s.f.Limit.By = profile.ByAccount
			s.unknown("by", "account, or address and account together: all requests come from one address, so they look alike")
			return nil
		}
		s.f.Limit.By = profile.ByAddress
		s.unknown("by", "address, or both address and account: all requests come from one address, so they look alike")
		return nil
	}
	byAccount, err := asks(who{s.o.Address(), a.email})
	if err != nil {
		return err
	}
	if byAddress && byAccount {
		everybody, err := asks(s.somebody())
		if err != nil {
			return err
		}
		if everybody {
			return errors.New("cannot tell: one who had not tried before is refused as well: the limit is everybody's, or the API sees all addresses as one")
		}
	}
	s.f.Limit.By = map[[2]bool]string{{true, false}: profile.ByAddress, {false, true}: profile.ByAccount, {true, true}: profile.ByBoth, {false, false}: profile.ByPair}[[2]bool{byAddress, byAccount}]
	s.say("counted by %s", s.f.Limit.By)
	return nil
}

// counts finds out whether right passwords count as well.
func (s *search) counts(ctx context.Context) error {
	if len(s.fresh) == 0 {
		s.unknown("counts", "failures or requests: it takes an account with its right password (--accounts)")
		return nil
	}
	acc := s.fresh[0]
	s.fresh = s.fresh[1:]
	w := s.somebody()
	w.email = acc.Email
	if s.o.Address == nil && s.f.Limit.By != profile.ByAccount {
		s.unknown("counts", "failures or requests: the one address is refused already")
		return nil
	}
	for n := range s.limit + 1 {
		a, err := s.send(ctx, w, acc.Password)
		if err != nil {
			return err
		}
		switch {
		case a.Status/100 == 2:
		case n > 0 && a.Status == s.refused || a.Status == 429:
			if s.f.Limit.Counts = profile.Requests; n != s.limit {
				s.f.Notes = append(s.f.Notes, fmt.Sprintf("%d right sign-ins were admitted, %d wrong ones", n, s.limit))
			}
			s.say("right passwords count as well")
			return nil
		default:
			s.unknown("counts", "failures or requests: a right password was answered with %d", a.Status)
			return nil
		}
	}
	s.f.Limit.Counts = profile.Failures
	s.say("right passwords do not count")
	return nil
}

// nice is the roundest time between two: what a person would have written.
func nice(low, high time.Duration) time.Duration {
	for _, unit := range []time.Duration{
		time.Hour, 30 * time.Minute, 15 * time.Minute, 10 * time.Minute, 5 * time.Minute, time.Minute, 30 * time.Second, 15 * time.Second, 10 * time.Second, 5 * time.Second,
		time.Second, 500 * time.Millisecond, 250 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond,
	} {
		if v := high / unit * unit; v >= low && v > 0 {
			return v
		}
	}
	return (low + high) / 2
}

// sortedTimes sorts and gives back.
func sortedTimes(list []time.Duration) []time.Duration {
	slices.Sort(list)
	return list
}
