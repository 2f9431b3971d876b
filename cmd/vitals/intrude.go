package main

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"vitals/intruders"
	"vitals/measure"
	"vitals/report"
)

// attacked lets the scenario's intruders work beside the load.
func (o *outing) attacked() companion {
	var attacks []intruders.Attack
	var worked map[netip.Addr]span
	return companion{
		beside: func(_ context.Context, began time.Time) (err error) {
			// Not the load's context: an attack that began inside the load is
			// brought to its end.
			attacks, worked, err = o.intrude(o.drain, began)
			return err
		},
		after: func(run *report.Run) {
			res := run.Result
			attacks = o.apart(attacks, worked)
			res.Facts = append(res.Facts, intruders.Facts(attacks, res.Total(true, false).Codes[http.StatusTooManyRequests])...)
			if len(o.sc.Intruder) > 0 && len(attacks)+len(o.aside) == 0 {
				res.Notes = append(res.Notes, "no intruder worked: all requests come from one address, and locking it would have locked out the honest users")
			}
			res.Notes = append(res.Notes, intruders.Troubles(attacks)...)
		},
	}
}

// intrude lets the scenario's intruders work, where each can have an address of
// its own: from a shared one they would lock the honest users out themselves.
func (o *outing) intrude(ctx context.Context, began time.Time) ([]intruders.Attack, map[netip.Addr]span, error) {
	n := intruders.Addresses(o.sc.Intruder)
	if n == 0 || o.st.Source == nil || len(o.victims) < n {
		return nil, nil, nil
	}
	shard := o.rec.Shard()
	defer shard.Close()
	var mu sync.Mutex
	plan := intruders.Plan{
		Intruders: o.sc.Intruder, Victims: o.victims[:n], Address: o.st.Source, First: o.address, Step: o.base,
		Record: func(s *measure.Sample) { mu.Lock(); defer mu.Unlock(); shard.Record(s) },
	}
	o.victims, o.address = o.victims[n:], o.address+2*uint64(n)
	g := o.newGuesser(o.st.URL, began)
	defer g.client.Close()
	attacks, err := intruders.Run(ctx, began, plan, g)
	return attacks, g.worked, err
}
