package audittest

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/profile"
)

// limitOf is a policy's limit, widened by the fault of that name.
func (s *API) limitOf(policy string) int {
	n := s.limits[policy].Limit
	if s.Lie == "six are judged" && policy == "login" {
		n++
	}
	if s.Lie == "limit widened by 10 %" {
		n = int(math.Ceil(float64(n) * 1.1))
	}
	return n
}

func (s *API) on(policy, key string) *count {
	h, ok := s.counts[policy+" "+key]
	if !ok {
		h = &count{}
		s.counts[policy+" "+key] = h
	}
	return h
}

func (h *count) prune(now time.Time, window time.Duration) {
	h.failed = slices.DeleteFunc(h.failed, func(m mark) bool { return !m.at.After(now.Add(-window)) })
}

// Limit sets a policy's limit.
func (s *API) Limit(policy string, limit int) {
	l := s.limits[policy]
	l.Limit = limit
	s.limits[policy] = l
}

// Spend takes so many requests of every user's quota, as an earlier run would have.
func (s *API) Spend(policy string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for email := range s.users {
		h := s.on(policy, email)
		h.failed = append(h.failed, slices.Repeat([]mark{{at: time.Now()}}, n)...)
	}
}

// CountLoginsBy sets whose sign-ins share a count, in the words of a profile.
func (s *API) CountLoginsBy(by string) {
	l := s.limits["login"]
	l.By = by
	s.limits["login"] = l
}

// loginKey is whose sign-ins share the count of this one.
func (x *call) loginKey(mail string) string {
	if x.s.Lie == "each spelling of an account has a count" {
		mail = x.text("mail")
	}
	switch x.s.limits["login"].By {
	case profile.ByAccount:
		return mail
	case profile.ByPair:
		return x.ip + " " + mail
	}
	if x.s.Lie == "a count for each User-Agent" {
		return x.ip + " " + x.r.UserAgent()
	}
	return x.ip
}

// tell writes the headers.
func (x *call) tell(policy string, left int, reset time.Time) {
	h, l := x.w.Header(), x.s.limits[policy]
	h.Set("X-RateLimit-Limit", strconv.Itoa(l.Limit))
	if x.s.Lie == "the headers count wrong" {
		left++
	}
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, left)))
	h.Set("X-RateLimit-Window", strconv.Itoa(int(l.Window/time.Second)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(time.Second).Unix(), 10))
}

func (x *call) refuse(policy string, wait time.Duration, left int) {
	seconds := int((wait + time.Second - 1) / time.Second)
	if x.s.Lie == "Retry-After 0" {
		seconds = 0
	}
	if x.s.Lie == "Retry-After too short" {
		seconds /= 2
	}
	x.tell(policy, left, time.Now().Add(wait))
	if x.s.Lie != "no Retry-After" {
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if x.s.Lie == "refusals are 200" {
		x.fail(200, "slow down")
		return
	}
	x.fail(x.s.Refused, "slow down")
}

// shut tells whether any address is locked, for which the lie of that name has
// everybody pay.
func (s *API) shut() (wait time.Duration, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.counts {
		wait = max(wait, time.Until(h.until))
	}
	return wait, wait > 0 && s.Lie == "a lock is everybody's"
}

// enter reserves a place for a credential check; settle records its outcome.
func (x *call) enter(policy, key string) (settle func(ok bool, user string), admitted bool) {
	s, l := x.s, x.s.limits[policy]
	switch s.Lie {
	case "limiter on the raw path":
		key += x.r.URL.Path
	case "guests alone are limited":
		if x.r.Header.Get("Authorization") != "" {
			return func(bool, string) {}, true
		}
	case "accounts are locked, not addresses":
		if policy == "login" {
			key = strings.ToLower(x.text("mail"))
		}
	case "the right password is let in while locked":
		s.mu.Lock()
		u := s.users[strings.ToLower(x.text("mail"))]
		right := policy == "login" && u != nil && u.password == x.text("word")
		s.mu.Unlock()
		if right {
			return func(bool, string) {}, true
		}
	}
	for deadline := time.Now().Add(3 * time.Second); ; {
		s.mu.Lock()
		h, now := s.on(policy, key), time.Now()
		if h.until.After(now) {
			if s.Lie == "lock extended by attempts" {
				h.until = now.Add(l.Lock)
			}
			wait := h.until.Sub(now)
			if s.Lie == "the lock ends early" && wait < l.Lock/2 {
				h.until = time.Time{}
			}
			if s.Lie == "lock key evicted" && wait < l.Lock*3/4 {
				h.until = time.Time{}
			}
			s.mu.Unlock()
			x.refuse(policy, wait, 0)
			return nil, false
		}
		if s.Lie != "failures are never forgotten" {
			h.prune(now, l.Window)
		}
		n := len(h.failed)
		switch {
		case n >= s.limitOf(policy):
			h.until, h.failed = now.Add(l.Lock), nil
			s.mu.Unlock()
			x.refuse(policy, l.Lock, 0)
			return nil, false
		case n+h.pending < s.limitOf(policy) || s.Lie == "GET then INCR":
			h.pending++
			s.mu.Unlock()
			return func(ok bool, user string) { x.settle(h, policy, ok, user) }, true
		}
		s.mu.Unlock()
		if now.After(deadline) {
			x.refuse(policy, time.Second, l.Limit-n)
			return nil, false
		}
		time.Sleep(time.Millisecond)
	}
}

func (x *call) settle(h *count, policy string, ok bool, user string) {
	refund := !ok && x.s.Lie == "hanging up is a refund" && x.hungUp()
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	h.pending--
	l, now := x.s.limits[policy], time.Now()
	if refund {
		return
	}
	if ok && x.s.Lie == "a success clears nothing" {
		x.tell(policy, l.Limit-len(h.failed), now.Add(l.Window))
		return
	}
	if ok {
		h.failed = slices.DeleteFunc(h.failed, func(m mark) bool { return m.user == user || x.s.Lie == "success clears the whole address" })
	} else {
		h.failed = append(h.failed, mark{now, user})
	}
	x.tell(policy, l.Limit-len(h.failed), now.Add(l.Window))
}

// hungUp says whether the client is gone. It waits to be told, for the news takes
// as long as the machine likes: a lie that is told now and then cannot be found.
func (x *call) hungUp() bool {
	select {
	case <-x.r.Context().Done():
		return true
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

// spend counts one request.
func (x *call) spend(policy, key string) bool {
	s, l := x.s, x.s.limits[policy]
	s.mu.Lock()
	h, now := s.on(policy, key), time.Now()
	h.prune(now, l.Window)
	if len(h.failed) >= s.limitOf(policy) {
		wait := h.failed[0].at.Add(l.Window).Sub(now)
		s.mu.Unlock()
		x.refuse(policy, wait, 0)
		return false
	}
	h.failed = append(h.failed, mark{at: now})
	left := l.Limit - len(h.failed)
	s.mu.Unlock()
	x.tell(policy, left, now.Add(l.Window))
	return true
}

// Issued are the tokens that it granted.
func (s *API) Issued() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.tokens))
}
