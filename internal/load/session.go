package load

import (
	"cmp"
	"errors"
	"net/http/cookiejar"
	"strconv"
	"sync"
	"time"
)

// rest is how long an account that has spent its requests is left alone, counted
// from its last one: the limit's window.
const rest = time.Hour

// renewBefore is how long before its end a token is refreshed.
const renewBefore = 30 * time.Second

// errNoAccount is the kind of what noAccount says.
var errNoAccount = errors.New("no account is left")

// Sessions are accounts and their signed-in sessions, kept by the caller from
// one scenario to the next. The zero value takes the accounts of its first run.
type Sessions struct {
	mu       sync.Mutex
	all      []*session
	signedIn int
}

// NewSessions makes sessions, none signed in yet, for these accounts.
func NewSessions(accounts []Account) *Sessions {
	s := &Sessions{}
	s.adopt(accounts, 0, 1)
	return s
}

// adopt takes the accounts of a shard, unless there are some already: two processes
// that used one account would spend its requests twice.
func (s *Sessions) adopt(accounts []Account, shard, shards int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) > 0 {
		return
	}
	for i, a := range accounts {
		if i%shards != shard {
			continue
		}
		s.all = append(s.all, &session{row: i + 1, account: a})
	}
}

// size is how many accounts there are.
func (s *Sessions) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// Live is how many accounts are signed in now.
func (s *Sessions) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.all {
		if a.live {
			n++
		}
	}
	return n
}

// open is how many signed-in accounts have requests left, and how many in all.
func (s *Sessions) open(now time.Time, budget int) (accounts, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if a.live && a.has(now, budget, 1) {
			accounts++
			requests += max(0, budget-1-a.used)
		}
	}
	return accounts, requests
}

// count is how often an account was signed in.
func (s *Sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signedIn
}

// session is one account. Its fields are guarded by the Sessions' lock.
type session struct {
	row     int // in the list of accounts, from 1
	account Account
	values  map[string]string // what sign-in and refresh saved
	version int               // of values
	cookies *cookiejar.Jar    // shared by all its users; nil = none are kept
	expires time.Time         // zero = not known
	live    bool              // signed in
	busy    bool              // being signed in, refreshed or signed out
	bad     bool              // could not sign in
	used    int               // requests since the account last rested
	last    time.Time         // the last of them
	users   int
}

// acquire is the session with the fewest users among those with requests left: a
// signed-in one, or else (fresh) an account that the caller has to sign in. It is
// nil when others are signing in the accounts that could serve. With closer, more
// users share a session before another account signs in: its password hash would
// be load that the scenario does not speak of.
func (s *Sessions) acquire(now time.Time, share, budget, need int, closer bool) (a *session, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best, spare, full *session
	busy := false
	for _, a := range s.all {
		switch {
		case a.bad || !a.has(now, budget, need):
		case a.busy:
			busy = true
		case !a.live:
			if spare == nil && a.users == 0 {
				spare = a
			}
		case a.users < share && (best == nil || a.users < best.users || a.users == best.users && a.used < best.used):
			best = a
		case full == nil || a.users < full.users:
			full = a
		}
	}
	if best == nil && closer {
		best = full
	}
	switch {
	case best != nil:
	case spare != nil:
		best, fresh, spare.busy = spare, true, true
	case busy:
		return nil, false, nil
	default:
		return nil, false, s.noAccount(now, budget, need)
	}
	best.users++
	return best, fresh, nil
}

// fresh is how many accounts next could give.
func (s *Sessions) fresh(now time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if a.rested(now) {
			n++
		}
	}
	return n
}

// rested reports whether the account can be signed in and has all its requests.
func (a *session) rested(now time.Time) bool {
	return !a.live && !a.busy && !a.bad && (a.used == 0 || now.Sub(a.last) >= rest)
}

// next is an account that is not signed in, for the caller to sign in; nil when
// there is none.
func (s *Sessions) next(now time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if a.rested(now) {
			a.busy, a.users = true, a.users+1
			return a
		}
	}
	return nil
}

// has reports whether the account may make need more requests and one to sign out.
func (a *session) has(now time.Time, budget, need int) bool {
	if a.users == 0 && now.Sub(a.last) >= rest {
		a.used = 0
	}
	return budget == 0 || a.used+need+1 <= budget
}

// spend takes need requests out of the account's budget, or says that another
// account must take over.
func (s *Sessions) spend(a *session, now time.Time, budget, need int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.live || !a.has(now, budget, need) {
		return false
	}
	a.used += need
	a.last = now
	return true
}

// refund gives back requests that were spent and not sent: they were taken for the
// longest task before it was known which one would be drawn.
func (s *Sessions) refund(a *session, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.used = max(0, a.used-n)
}

// release gives the session up. last says that its requests are spent and nobody
// else uses it: the caller signs it out, and calls signedOut.
func (s *Sessions) release(a *session, now time.Time, budget, need int) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.users--
	if a.users > 0 || !a.live || a.has(now, budget, need) {
		return false
	}
	a.busy = true
	a.used++
	a.last = now
	return true
}

// leave gives the session up as it is: signed in, for whoever comes next.
func (s *Sessions) leave(a *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.users--
}

// exhaust lets the account rest before its requests are counted out: the server
// says that they are.
func (s *Sessions) exhaust(a *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.used, a.last = 1<<30, time.Now()
}

func (s *Sessions) signedOut(a *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.live, a.busy, a.values, a.expires = false, false, nil, time.Time{}
}

// keep takes over what a sign-in or refresh saved, and the cookies it set.
func (s *Sessions) keep(a *session, now time.Time, values map[string]string, jar *cookiejar.Jar, signIn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.values == nil {
		a.values = map[string]string{}
	}
	for name, v := range values {
		a.values[name] = v
	}
	a.cookies = jar
	a.expires = time.Time{}
	if sec, err := strconv.ParseFloat(values[nameExpires], 64); err == nil && sec > 0 {
		a.expires = now.Add(time.Duration(sec * float64(time.Second)))
	}
	a.live, a.busy = true, false
	a.version++
	if signIn {
		s.signedIn++
	}
}

// refuse takes a session out after its sign-in, refresh or token was refused.
// An account whose password does not fit is not tried again: five such attempts
// would lock the address.
func (s *Sessions) refuse(a *session, bad bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.live, a.busy, a.bad, a.values = false, false, a.bad || bad, nil
}

// renew reports whether the caller must refresh the token now; nobody else will
// while it does.
func (s *Sessions) renew(a *session, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.busy || !a.live || a.expires.IsZero() || a.expires.Sub(now) > renewBefore {
		return false
	}
	a.busy = true
	a.used++
	a.last = now
	return true
}

// jar is the session's cookies, or otherwise those at hand.
func (s *Sessions) jar(a *session, otherwise *cookiejar.Jar) *cookiejar.Jar {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(a.cookies, otherwise)
}

// newer calls set for each saved value when they have changed since version.
func (s *Sessions) newer(a *session, version int, set func(name, value string)) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.version != version {
		for name, v := range a.values {
			set(name, v)
		}
	}
	return a.version
}
