package harness

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/scenarios"
)

// limitMonitor is what a session has seen of the limits so far. One serves all its
// scenarios, for the server remembers too: a lock of the first is alive in the
// second.
type limitMonitor struct {
	profile  *profile.Profile
	checker  *limitcheck.Checker // nil: no limits are known
	why      string              // then
	rules    map[string]limitcheck.Rule
	prefix   int // bits of an IPv6 address that count as one client
	refusals profile.Refusals
	names    map[string]string // of accounts: reports hold no address of a person
	guessed  bool

	mu        sync.Mutex
	policies  map[operation]meant
	off       map[string]string // policies that are not judged, and why
	told      int               // violations that earlier scenarios have reported
	more      int64             // and those that they had no room for
	answers   int64             // that they had
	doubts    []string          // of the rules, in every report
	disturbed []string          // roles that something was done to in this scenario
	since     string            // what has put the counts in doubt for good; "" = nothing
}

type operation struct{ method, route string }

// meant is what the profile says of an operation.
type meant struct {
	policy string // that it counts under
	wrong  int    // status of a credential, or of a token, that it does not take
}

// estimated is the limit above which a limiter may estimate its window by two
// counters instead of keeping a log, as the reference API does.
const estimated = 200

// newLimitMonitor makes the checker for the limits that are in force: the profile's, as the
// stack's own settings change them.
func newLimitMonitor(st *stack.Stack, p *profile.Profile) *limitMonitor {
	h := &limitMonitor{profile: p, policies: map[operation]meant{}, off: map[string]string{}, prefix: 64, guessed: len(st.Settings) == 0}
	settings := map[string]string{}
	for _, s := range st.Settings {
		settings[s.Name] = s.Value
	}
	h.names = map[string]string{}
	for i, a := range st.Accounts {
		h.names[a.Email] = fmt.Sprintf("#%d of the accounts", i+1)
	}
	if n, err := strconv.Atoi(settings["RATE_LIMIT_IPV6_PREFIX"]); err == nil {
		h.prefix = n
	}
	switch {
	case p == nil:
		h.why = "no limits are known, and the built-in targets ask no lock: name a profile of the API with --profile"
		return h
	case settings["RATE_LIMIT_ENABLED"] == "false":
		h.why = "the limiter is off (RATE_LIMIT_ENABLED=false)"
		return h
	}
	h.rules, h.refusals = p.Rules(p.InForce(settings)), p.Refusals()
	for policy, r := range h.rules {
		// We send every request ourselves, but to a server that others know too.
		r.Partial, r.AnyLock = h.guessed && !r.Failures, h.guessed
		h.rules[policy] = r
		if r.Limit > estimated {
			delete(h.rules, policy)
			h.doubts = append(h.doubts, fmt.Sprintf("%s: %d in %v are not judged: above %d a limiter may estimate", policy, r.Limit, r.Window, estimated))
		}
	}
	for policy, l := range p.Limits {
		if l.Delay != (profile.Delay{}) {
			h.doubts = append(h.doubts, policy+": not judged: a wait that grows with each try is none of the invariants")
		}
	}
	slices.Sort(h.doubts)
	h.checker = limitcheck.New(h.rules, limitcheck.Options{Shared: st.Kind == "url"})
	return h
}

// profileOf is the profile that the scenarios speak to: that of their sign-in.
func profileOf(scs []*scenarios.Scenario) *profile.Profile {
	for _, sc := range scs {
		if p := profile.ByLogin(sc.Accounts.SignIn.Method, sc.Accounts.SignIn.Path); p != nil {
			return p
		}
	}
	return nil
}

// see adds one answer. It is called for every request of the run.
func (h *limitMonitor) see(x *wire.Seen) {
	if h.checker == nil {
		return
	}
	policy, wrong, rule, ok := h.under(x)
	if !ok {
		return
	}
	e := x.Event()
	e.From, e.User, e.Policy = h.client(x.From), cmp.Or(h.names[x.User], x.User), policy
	// A token that was refused, or that is somebody's of whom we do not know, was
	// counted for a user or for the address.
	e.Unsure = x.Unsure || rule.By != limitcheck.Address && x.Signed && (x.User == "" || x.Status == wrong)
	if policy != string(x.Counted) && len(x.Counted) > 0 {
		switch {
		case x.Status == wrong && x.Signed:
			e.Unsure = true // of the token, before the operation
		case h.refusals.Turned(x.Status, x.RetryAfter >= 0) || malformed(x.Status):
			// Refused before its operation, a request counts under the common limit,
			// by its address.
			if rule, ok = h.rules[string(x.Counted)]; !ok {
				return
			}
			e.Policy, e.User, e.Unsure = string(x.Counted), "", rule.By != limitcheck.Address
		}
	}
	h.checker.Add(e)
}

// malformed are the statuses of requests that never came to their operation.
func malformed(status int) bool {
	switch status {
	case 400, 404, 405, 411, 413, 414, 415, 422, 431:
		return true
	}
	return false
}

// under is the rule that an answer is judged by, and the status of a wrong credential.
func (h *limitMonitor) under(x *wire.Seen) (policy string, wrong int, rule limitcheck.Rule, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	op := operation{x.Method, x.Route}
	means, known := h.policies[op]
	if !known {
		means.policy, means.wrong = h.profile.Policy(x.Method, x.Route)
		if len(h.policies) < 1024 { // intruders may invent paths without end
			h.policies[op] = means
		}
	}
	policy = cmp.Or(x.Policy, means.policy)
	rule, ok = h.rules[policy]
	if !ok || h.off[policy] != "" {
		return policy, means.wrong, rule, false
	}
	// Nobody promised that a deployment has the profile's limits. Where its own
	// headers name others, it is not accused of keeping them.
	window := time.Duration(x.Window) * time.Second
	if h.guessed && (x.Limit >= 0 && x.Limit != rule.Limit || x.Window >= 0 && window != rule.Window) && string(x.Counted) == policy {
		h.off[policy] = fmt.Sprintf("%s: not judged: its answers say %d in %v, the profile %s says %d in %v", policy, x.Limit, window, h.profile.Name, rule.Limit, rule.Window)
		return policy, means.wrong, rule, false
	}
	return policy, means.wrong, rule, true
}

// client is the address as limits count it.
func (h *limitMonitor) client(a netip.Addr) netip.Addr {
	if a = a.Unmap(); !a.Is6() {
		return a
	}
	p, err := a.Prefix(h.prefix)
	if err != nil {
		return a
	}
	return p.Addr()
}

// markDisturbed notes that something is done to a part of the stack on purpose.
func (h *limitMonitor) markDisturbed(role string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.disturbed, role) {
		h.disturbed = append(h.disturbed, role)
	}
	if h.since == "" {
		h.since = role
	}
	if h.checker != nil {
		h.checker.Doubt()
	}
}

// begun says that another run follows what was to be the last: what was counted may
// be forgotten here, and the server remembers it.
func (h *limitMonitor) begun() {
	if h.checker != nil {
		h.checker.Doubt()
	}
}

// watch has everything told that is done to a part of the stack, before and after.
func (h *limitMonitor) watch(st *stack.Stack) {
	do := st.Fault
	if do == nil {
		return
	}
	st.Fault = func(ctx context.Context, role string, a stack.Action) error {
		h.markDisturbed(role)
		defer h.markDisturbed(role)
		return do(ctx, role, a)
	}
}

// restarts tells whether a process of the API was restarted on purpose in this
// scenario.
func (h *limitMonitor) restarts() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.disturbed, func(role string) bool { return role == "api" || len(role) > 4 && role[:4] == "api-" })
}

// now is how many answers were looked at in this scenario so far, and how many
// violations were found.
func (h *limitMonitor) now() (answers, violations int64) {
	if h.checker == nil {
		return 0, 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.checker.Events() - h.answers, h.checker.Violations() - int64(h.told) - h.more
}

// report is what was found since the last one. Nothing is under way any more.
func (h *limitMonitor) report(last bool) *report.Invariants {
	if h.checker == nil {
		return &report.Invariants{Unjudged: h.why}
	}
	found := h.checker.Settle()
	if last {
		found = h.checker.Finish()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	answers := h.checker.Events()
	forgotten, more := h.checker.Forgotten()
	r := &report.Invariants{
		Answers: answers - h.answers, Profile: h.profile.Name, Violations: found[h.told:], More: more - h.more,
		Doubts: slices.Clone(h.doubts),
	}
	for _, policy := range slices.Sorted(maps.Keys(h.off)) {
		r.Doubts = append(r.Doubts, h.off[policy])
	}
	if forgotten > 0 {
		r.Doubts = append(r.Doubts, fmt.Sprintf("%d histories of the longest silent were dropped for room, and begun anew where they spoke again", forgotten))
	}
	if h.since != "" {
		r.Doubts = append(r.Doubts, "something was done to "+h.since+" on purpose: whether a refusal came too soon is not judged from there on")
	}
	h.told, h.more, h.answers, h.disturbed = len(found), more, answers, nil
	return r
}

// limitHook holds every answer to the limits' invariants.
type limitHook struct {
	quiet
	monitor *limitMonitor
	last    bool // no scenario comes after
}

func (h *limitHook) After(ctx context.Context, run *report.Run) {
	run.Invariants = h.monitor.report(h.last || ctx.Err() != nil)
}
