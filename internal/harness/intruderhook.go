package harness

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/scenarios"
)

// intruderHook lets the scenario's intruders work beside the load.
type intruderHook struct {
	*attackers
	apart func([]intruders.Attack) []intruders.Attack // without those that a fault's own rule judges

	group   *intruders.Group // nil: nobody works
	attacks []intruders.Attack
	drain   context.Context
	turned  atomic.Int64 // honest requests that a limit refused
	idle    []scenarios.Intruder
}

// Before prepares the intruders where each can have an address of its own: from a
// shared one they would lock the honest users out themselves.
func (h *intruderHook) Before(ctx context.Context, opt *load.Options) {
	h.drain = ctx
	h.watch(opt)
	h.sender = h.client(h.st.URL)
	ins := h.sc.Intruder
	if h.st.Source == nil && h.only == nil {
		ins, h.idle = fromOneAddress(ins, h.profile)
	}
	n := intruders.Victims(ins)
	if len(ins) == 0 || len(h.pool.victims) < n || h.st.Source == nil && h.only != nil {
		return
	}
	victims, first := h.pool.take(n, intruders.Places(ins))
	if h.only != nil {
		ins, victims, first = mine(ins, victims, first, h.only)
		if len(ins) == 0 {
			return
		}
	}
	h.group = intruders.New(h.plan(ins, victims, first), h.sender)
	h.group.Prepare(ctx)
}

// fromOneAddress are the intruders that can work where all requests come from one
// address: those that guess at an account each, where the lock is the account's and
// nobody else feels it. The others are idle.
func fromOneAddress(ins []scenarios.Intruder, p *profile.Profile) (can, idle []scenarios.Intruder) {
	for _, in := range ins {
		if in.Kind == scenarios.PasswordGuessing && p != nil && p.Limits[p.Role("login")].By == profile.ByAccount {
			can = append(can, in)
		} else {
			idle = append(idle, in)
		}
	}
	return can, idle
}

// watch counts the honest requests that a limit refuses, by the statuses that the
// profile and the intruders declare. A 503 with a short wait sheds load, and is no
// limit's doing.
func (h *intruderHook) watch(opt *load.Options) {
	var locked []int
	for _, in := range h.sc.Intruder {
		locked = append(locked, in.Locked...)
	}
	refusals := h.profile.Refusals(locked...)
	lasting := profile.Judge{Refused: refusals}
	opt.Refused = refusals.Turned
	see := opt.Seen
	opt.Seen = func(x *wire.Seen) {
		see(x)
		told := x.RetryAfter >= 0
		if refusals.Turned(x.Status, told) && (x.Status < 500 || lasting.Read(x.Status, time.Duration(x.RetryAfter)*time.Second, told) == profile.Refused) {
			h.turned.Add(1)
		}
	}
}

func (h *intruderHook) During(ctx context.Context, began time.Time) error {
	if h.group != nil {
		// Not the load's context: an attack that began inside the load is
		// brought to its end.
		h.attacks = h.group.Run(h.drain, ctx, began)
	}
	return nil
}

func (h *intruderHook) After(_ context.Context, run *report.Run) {
	res := run.Result
	attacks := h.apart(h.attacks)
	res.Facts = append(res.Facts, intruders.Facts(attacks, h.turned.Load())...)
	res.Facts = append(res.Facts, intruders.Findings(attacks)...)
	res.Facts = append(res.Facts, intruders.Siege(res, h.sc.Intruder, attacks)...)
	res.Health.Invalid = append(res.Health.Invalid, intruders.Doubts(attacks)...)
	res.Silent = append(res.Silent, intruders.Silent(attacks)...)
	for _, in := range h.idle {
		res.Silent = append(res.Silent, in.Name)
		res.NotShown = append(res.NotShown, fmt.Sprintf("intruder %q did not work: all requests come from one address, and a lock on it would lock the honest users out", in.Name))
	}
	if len(h.sc.Intruder) > len(h.idle) && h.group == nil && h.only == nil {
		res.NotShown = append(res.NotShown, "no intruder worked: there are too few accounts to attack")
		for _, in := range h.sc.Intruder {
			res.Silent = append(res.Silent, in.Name)
		}
	}
	res.Notes = append(res.Notes, intruders.Told(attacks)...)
	res.NotShown = append(res.NotShown, intruders.NotShown(attacks)...)
	res.Granted = append(res.Granted, intruders.Granted(attacks, h.profile != nil)...)
}
