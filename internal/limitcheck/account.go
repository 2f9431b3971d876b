package limitcheck

import "slices"

// account is what is known of one user over all addresses, where the rule throttles
// an account under attack whatever address the next guess comes from.
type account struct {
	failed  int          // guesses that were counted, or may have been
	waiting []*suspicion // refusals that guesses still under way may explain
}

// account finds or makes the record of a user. When there are too many, all are
// dropped: from then on any of them may be throttled.
func (c *Checker) account(user string) *account {
	user = folded(user)
	a, ok := c.users[user]
	if !ok {
		if len(c.users) >= c.o.Keys {
			clear(c.users)
			c.lost = true
		}
		a = &account{}
		c.users[user] = a
	}
	return a
}

// seen takes note of one answer to its user, and tells whether a refusal now says
// nothing of the address because the account may be throttled. A server may hold a
// place for each guess that it is still hashing, so a guess answered later than a
// refusal counts towards it if it was sent before the refusal came.
func (c *Checker) seen(rule Rule, e *Event) (throttled bool) {
	if rule.Account == 0 || e.User == "" {
		return false
	}
	a := c.users[folded(e.User)]
	throttled = c.lost || a != nil && a.failed >= rule.Account-1
	if rule.refused(e) {
		return throttled
	}
	if a != nil {
		a.waiting = slices.DeleteFunc(a.waiting, func(s *suspicion) bool { return e.Sent.After(s.Done.Add(settled)) })
		for _, s := range a.waiting {
			if e.Sent.Before(s.Done) {
				s.account++
			}
		}
	}
	if rule.Failures && (rule.failed(e) || e.Status == 0 || e.Status >= 500) {
		c.account(e.User).failed++
	}
	return throttled
}

// wait lets later answers to this user explain a refusal.
func (a *account) wait(s *suspicion) {
	s.account = a.failed
	a.waiting = append(a.waiting, s)
}
