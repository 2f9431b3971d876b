package harness

import (
	"context"
	"sync/atomic"
	"time"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/report"
)

// intruderHook lets the scenario's intruders work beside the load.
type intruderHook struct {
	*attackers
	apart func([]intruders.Attack) []intruders.Attack // without those that a fault's own rule judges

	group   *intruders.Group // nil: nobody works
	attacks []intruders.Attack
	drain   context.Context
	turned  atomic.Int64 // honest requests that a limit refused
}

// Before prepares the intruders where each can have an address of its own: from a
// shared one they would lock the honest users out themselves.
func (h *intruderHook) Before(ctx context.Context, opt *load.Options) {
	h.drain = ctx
	h.watch(opt)
	h.sender = h.client(h.st.URL)
	ins := h.sc.Intruder
	n := intruders.Victims(ins)
	if len(ins) == 0 || h.st.Source == nil || len(h.pool.victims) < n {
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
	switch {
	case len(h.sc.Intruder) == 0 || h.group != nil || h.only != nil:
	case h.st.Source == nil:
		res.Notes = append(res.Notes, "no intruder worked: all requests come from one address, and locking it would have locked out the honest users")
	default:
		res.Notes = append(res.Notes, "no intruder worked: there are too few accounts to attack")
	}
	res.Notes = append(res.Notes, intruders.Told(attacks)...)
	res.NotShown = append(res.NotShown, intruders.NotShown(attacks)...)
}
