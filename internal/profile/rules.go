package profile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/limitcheck"
)

// Rules are limits as the checker of limits needs them, with the statuses that the
// profile declares. Policies that count requests
// are taken as partly seen: malformed sign-ins and unknown paths count as well, and
// not every client tells them apart. Limits whose wait grows have no rule.
func (p *Profile) Rules(limits map[string]Limit) map[string]limitcheck.Rule {
	by := map[string]limitcheck.By{
		"": limitcheck.Address, ByAddress: limitcheck.Address, ByAccount: limitcheck.User, ByUser: limitcheck.User, ByBoth: limitcheck.Either, ByPair: limitcheck.Pair,
	}
	h := p.Promises.LimitHeaders
	rules := map[string]limitcheck.Rule{}
	for policy, l := range limits {
		of, known := by[l.By]
		if !known || l.Delay != (Delay{}) {
			continue // a wait that grows is not in the invariants
		}
		window := l.Window
		if !l.Forgets() {
			window = limitcheck.Forever
		}
		rules[policy] = limitcheck.Rule{
			Limit: l.Limit, Window: window, Fixed: l.Fixed, Lock: l.Lock, Failures: l.Counts == Failures, Kept: l.Success == Keeps, Clears: l.Success == Clears, Account: l.Account,
			Partial: l.Counts != Failures, By: of, Refused: l.Statuses, Wrong: p.wrong(policy), Right: p.right(policy),
			Silent: h == nil || !h.RetryAfter,
		}
	}
	return rules
}

// wrong are the statuses that operations under a policy declare for a wrong
// credential; nil when all have the usual one.
func (p *Profile) wrong(policy string) (statuses []int) {
	declared := false
	for _, op := range p.Operations {
		if op.policy() == policy {
			declared = declared || op.Refuse != 0
			statuses = append(statuses, op.Refusal())
		}
	}
	if !declared {
		return nil
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

// right are the statuses that operations under a policy declare for a right credential;
// nil when they are all of the 2xx.
func (p *Profile) right(policy string) (statuses []int) {
	others := false
	for _, op := range p.Operations {
		if op.policy() != policy {
			continue
		}
		if op.OK != 0 && op.OK/100 != 2 {
			others = true
			statuses = append(statuses, op.OK)
		} else {
			statuses = append(statuses, 200, 201, 202, 203, 204, 205, 206)
		}
	}
	if !others {
		return nil
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

// InForce are the profile's limits as an API's settings change them, so that nobody is accused of keeping a limit that was set. Settings that
// are no number change nothing.
func (p *Profile) InForce(settings map[string]string) map[string]Limit {
	set := func(name string, into func(int)) {
		if n, err := strconv.Atoi(settings[name]); err == nil {
			into(n)
		}
	}
	limits := map[string]Limit{}
	for policy, l := range p.Limits {
		name := "RATE_LIMIT_" + strings.ToUpper(policy)
		switch policy {
		case "2fa_verify":
			name = "RATE_LIMIT_2FA"
		case "password_reset_confirm":
			name = "RATE_LIMIT_PASSWORD_RESET"
		case "api":
			if settings["RATE_LIMIT_API_KEY"] == "ip" {
				l.By = "address"
			}
		}
		set(name, func(n int) { l.Limit = n })
		set(name+"_WINDOW", func(n int) { l.Window = time.Duration(n) * time.Second })
		if l.Lock > 0 {
			set("RATE_LIMIT_LOCKOUT_DURATION", func(n int) { l.Lock = time.Duration(n) * time.Second })
		}
		if l.Account > 0 {
			set("ACCOUNT_THROTTLE_FAILURES", func(n int) { l.Account = n })
		}
		limits[policy] = l
	}
	return limits
}
