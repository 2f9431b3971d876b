package load

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// enter sees to it that the visitor is signed in as an account that may make
// need more requests: it signs a spent account out and the next one in, and
// refreshes a token that is about to end. That is load like any other and
// recorded as such. It returns when the task is due, and false when there is no
// session for it.
func (v *visitor) enter(ctx context.Context, need int, due time.Duration) (time.Duration, bool) {
	s, budget := v.r.sessions, v.r.plan.requests
	v.away = false
	for ctx.Err() == nil {
		if v.sess == nil {
			a, fresh, err := s.acquire(time.Now(), v.r.share, budget, need, v.r.load.SignIn == scenarios.Before)
			if err != nil {
				if why := v.r.denied.Load(); why != nil {
					err = fmt.Errorf("%w; the first sign-in that failed: %s", err, *why)
				}
				v.r.stop(err)
				return due, false
			}
			if a == nil { // others are signing in just now
				if !sleep(ctx, 5*time.Millisecond) {
					return due, false
				}
				continue
			}
			v.become(a)
			if fresh {
				var ok bool
				if due, ok = v.signIn(ctx, due); !ok {
					v.away = ctx.Err() == nil
					if v.away && v.r.denied.Load() == nil {
						words := v.trouble(v.r.plan.signIn)
						v.r.denied.CompareAndSwap(nil, &words)
					}
					return due, false
				}
			}
		}
		v.seen = s.newer(v.sess, v.seen, v.learn)
		v.jar = s.jar(v.sess, v.jar)
		if v.r.plan.refresh != nil && s.renew(v.sess, time.Now()) {
			due = v.renew(ctx, due)
			continue
		}
		if s.spend(v.sess, time.Now(), budget, need) {
			return due, true
		}
		due = v.leave(ctx, need, due)
	}
	return due, false
}

// become takes on the account, and forgets what the journey saved as another:
// its medications are not this one's.
func (v *visitor) become(a *session) {
	v.sess, v.seen, v.account = a, 0, a.account.Email
	v.forget()
	v.empty()
	v.vars[slotToken].known = false
	v.learn(nameEmail, a.account.Email)
	v.learn(namePassword, a.account.Password)
}

// learn sets a variable by its name.
func (v *visitor) learn(name, value string) {
	for slot, n := range v.r.plan.names {
		if n == name {
			x := &v.vars[slot]
			x.value, x.known = append(x.value[:0], value...), true
		}
	}
}

func (v *visitor) signIn(ctx context.Context, due time.Duration) (time.Duration, bool) {
	return v.signedIn(v.do(ctx, v.r.plan.signIn, due))
}

// signedIn keeps what came of asking: a session, or an account that has none.
func (v *visitor) signedIn(ok bool) (time.Duration, bool) {
	a, s := v.sess, v.r.sessions
	if !ok {
		code := v.call.Code
		s.refuse(a, code >= 400 && code < 500 && !v.limited())
		s.release(a, time.Now(), v.r.plan.requests, 0)
		v.sess = nil
		return v.call.Done, false
	}
	s.keep(a, time.Now(), v.saved(v.r.plan.signIn), v.jar, true)
	return v.call.Done, true
}

func (v *visitor) renew(ctx context.Context, due time.Duration) time.Duration {
	if v.do(ctx, v.r.plan.refresh, due) {
		v.r.sessions.keep(v.sess, time.Now(), v.saved(v.r.plan.refresh), v.jar, false)
	} else {
		v.r.sessions.refuse(v.sess, false)
	}
	return v.call.Done
}

// leave gives the session up. The last user of a spent one signs it out.
func (v *visitor) leave(ctx context.Context, need int, due time.Duration) time.Duration {
	a, s := v.sess, v.r.sessions
	v.sess = nil
	if !s.release(a, time.Now(), v.r.plan.requests, need) {
		return due
	}
	if v.r.plan.signOut != nil {
		v.do(ctx, v.r.plan.signOut, due)
		due = v.call.Done
	}
	s.signedOut(a)
	return due
}

// saved are the values that the step's answer gave.
func (v *visitor) saved(s *step) map[string]string {
	m := map[string]string{}
	for _, k := range s.captures {
		if v.vars[k.slot].known {
			m[v.r.plan.names[k.slot]] = string(v.vars[k.slot].value)
		}
	}
	return m
}

// turned looks at what an answer says about the session: a token that the server
// does not know (any more) is not used again, and an account that was told to
// slow down rests.
func (v *visitor) turned(s *step, class measure.Class) {
	if v.sess == nil || s.anonymous || class == measure.None {
		return
	}
	switch {
	case v.limited():
		v.r.sessions.exhaust(v.sess)
	case v.call.Code == http.StatusUnauthorized:
		v.r.sessions.refuse(v.sess, false)
	}
}

// limited tells whether the last answer was a limit's refusal.
func (v *visitor) limited() bool {
	_, later := v.call.Header("Retry-After")
	return v.r.opt.Refused(v.call.Code, later)
}
