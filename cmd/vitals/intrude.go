package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/scenarios"
)

// attacked lets the scenario's intruders work beside the load.
func (o *outing) attacked() companion {
	var band *intruders.Band
	var attacks []intruders.Attack
	var sender *hostile
	return companion{
		before: func(*load.Options) {
			sender = o.newHostile(o.st.URL)
			if band = o.muster(sender); band != nil {
				band.Prepare(o.drain)
			}
		},
		beside: func(during context.Context, began time.Time) error {
			defer sender.Close()
			if band != nil {
				// Not the load's context: an attack that began inside the load is
				// brought to its end.
				attacks = band.Run(o.drain, during, began)
			}
			return nil
		},
		after: func(run *report.Run) {
			res := run.Result
			attacks = o.apart(attacks)
			res.Facts = append(res.Facts, intruders.Facts(attacks, res.Total(true, false).Codes[http.StatusTooManyRequests])...)
			res.Facts = append(res.Facts, intruders.Findings(attacks)...)
			res.Facts = append(res.Facts, intruders.Siege(res, o.sc.Intruder, attacks)...)
			res.Health.Invalid = append(res.Health.Invalid, intruders.Doubts(attacks)...)
			if len(o.sc.Intruder) > 0 && band == nil {
				res.Notes = append(res.Notes, "no intruder worked: all requests come from one address, and locking it would have locked out the honest users")
			}
			res.Notes = append(res.Notes, intruders.Told(attacks)...)
		},
	}
}

// muster calls the scenario's intruders together where each can have an address
// of its own: from a shared one they would lock the honest users out themselves.
func (o *outing) muster(s intruders.Sender) *intruders.Band {
	ins := o.sc.Intruder
	n := intruders.Victims(ins)
	if len(ins) == 0 || o.st.Source == nil || len(o.victims) < n {
		return nil
	}
	plan := o.hostility(ins, o.victims[:n], o.address)
	o.victims, o.address = o.victims[n:], o.address+uint64(intruders.Places(ins))
	return intruders.New(plan, s)
}

// hostility is what intruders need in this run. What they ask for beyond the
// scenario's own sign-in, they ask in the words of its profile.
func (o *outing) hostility(ins []scenarios.Intruder, victims []intruders.Victim, first uint64) intruders.Plan {
	var mu sync.Mutex
	shard := o.rec.Shard()
	return intruders.Plan{
		Intruders: ins, Load: o.shape, SignIn: o.sc.Accounts.SignIn, Prefix: wire.Prefix(o.st.URL), Profile: o.past.profile,
		Victims: victims, Address: o.st.Source, First: first, Step: o.base, Steps: o.hostile,
		HeadTimeout: seconds(o.st.Settings, "READ_HEADER_TIMEOUT"), BodyTimeout: seconds(o.st.Settings, "READ_TIMEOUT"),
		Record: func(s *measure.Sample) { mu.Lock(); defer mu.Unlock(); shard.Record(s) },
		Ended:  shard.Close,
		Missed: func(step int, due time.Duration) { o.rec.Add(step, due, measure.Counts{Planned: 1, Dropped: 1}) },
	}
}

// hostileSteps are what intruders' requests are recorded under, those around a
// fault among them.
func hostileSteps(sc *scenarios.Scenario, faults []fault) []measure.Step {
	ins := sc.Intruder
	if len(faults) > 0 {
		ins = append([]scenarios.Intruder{{Kind: scenarios.PasswordGuessing}}, ins...)
	}
	return intruders.Steps(ins)
}

// seconds is a setting of the system under test; 0 when it does not tell.
func seconds(settings []stack.Setting, name string) time.Duration {
	i := slices.IndexFunc(settings, func(s stack.Setting) bool { return s.Name == name })
	if i < 0 {
		return 0
	}
	d, _ := time.ParseDuration(settings[i].Value + "s") // no number: 0
	return d
}
