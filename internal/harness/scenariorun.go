package harness

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"vitals/internal/faults"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/scenarios"
	"vitals/targets"
)

// scenario runs one scenario and judges it.
func (ses *session) scenario(drain, kill context.Context, sc *scenarios.Scenario) (*report.Run, error) {
	before := ses.evidence(drain)
	wanted := ses.p.asked(sc)
	shape := sc.At(ses.p.o.Pace)
	steps := load.Steps(sc)
	spare := faults.RecoveryAllowed(wanted, sc.Name)
	hostile := hostileSteps(sc, ses.p.faults)
	rec := measure.NewRecorder(slices.Concat(steps, hostile), faults.Phases(shape.Phases(), ses.p.faults, spare), measure.Options{Late: maxLag(wanted, sc.Name), Mergeable: ses.p.member != nil, Deltas: ses.p.member.led()})

	gauges := &gaugeHook{st: ses.st, gauge: rec.Gauge}
	counts := &countHook{st: ses.st, restarts: ses.monitor.restarts, counts: observe.NewRequestCounts(), anew: &gauges.anew}
	see := func(x *wire.Seen) { // of every request, whoever sends it
		ses.monitor.see(x)
		counts.see(x)
		ses.shown.See(sc.Name, x)
	}
	signIn, err := load.NewSignIn(sc, load.Options{Seed: ses.p.o.Seed})
	if err != nil {
		return nil, err
	}
	enemy := &attackers{
		signIn: signIn,
		tls:    ses.p.tls,
		st:     ses.st, sc: sc, shape: shape, rec: rec, first: len(steps), steps: hostile,
		profile: ses.monitor.profile, pool: &ses.pool, see: see,
	}
	broken := &faultHook{attackers: enemy, faults: ses.p.faults, spare: spare, asked: wanted, say: ses.say}
	profiling := ses.newProfileHook(sc.Name, shape.Total())
	hooks := []Hook{
		&busyHook{},
		gauges,
		&storeHook{st: ses.st, gauge: rec.Gauge},
		&intruderHook{attackers: enemy, apart: broken.apart},
		broken,
		counts, // the last two have the last word
		&limitHook{monitor: ses.monitor, last: sc == ses.p.scenarios[len(ses.p.scenarios)-1]},
	}
	if profiling != nil {
		hooks = append(hooks, profiling)
	}
	var tripped *targets.Target
	opt := load.Options{
		Base: ses.st.URL, Replicas: ses.st.Replicas, Sessions: ses.sessions, Pace: ses.p.o.Pace, Seed: ses.p.o.Seed,
		Source: homes(ses.st.Source, ses.address), Forward: ses.st.Forward, Seen: see, TLS: ses.p.tls,
		Abort: abort(sc, &tripped), Kill: kill, MaxLag: maxLag(wanted, sc.Name), NoTimes: noTimes(wanted, sc.Name),
		SigningIn: ses.signingIn,
		Live:      func(s measure.Snapshot) { profiling.losing(ses.show(sc, shape, wanted, rec, s)) },
	}
	if m := ses.p.member; m != nil {
		var stop context.CancelCauseFunc
		drain, stop = context.WithCancelCause(drain)
		defer stop(nil)
		hooks = append(hooks, &memberHook{m: m, rec: rec, stop: stop})
		enemy.only = m.owns
		counts.why = "a member sends a share of what the server counts: the members' counts are held against it together"
	}
	for _, h := range hooks {
		h.Before(drain, &opt)
		opt.During = append(opt.During, h.During)
	}
	defer enemy.sender.Close() // also when the users' sign-in fails, and nothing ever runs during it
	out, err := load.Run(drain, sc, rec, opt)
	if err != nil {
		return nil, runError(drain, err)
	}
	res := result(sc, ses.p.o, out, rec.Finish())
	res.Named = ses.p.named[sc]
	if ses.p.member != nil && res.Unbegun() { // the others must not wait for its share
		return &report.Run{Result: res, Verdict: report.NoData}, runError(drain, fmt.Errorf("%s: the load did not begin: %s", sc.Name, out.EndedEarly))
	}
	run := &report.Run{Result: res, Evidence: diff(before, ses.evidence(context.WithoutCancel(drain)))}
	linkTraces(res, ses.p.o.TraceURL)
	res.Notes = append(res.Notes, ses.notes(sc, shape)...)
	for _, h := range hooks {
		h.After(drain, run)
	}
	if ses.p.member != nil {
		run.Verdict = report.NoData // judged when all shares are merged
		return run, nil
	}
	run.Verdicts = verdicts(wanted, run)
	run.Verdict, run.Reasons = decide(run, asked{nothing: ses.p.o.Targets == noTargets, bare: ses.p.api() == nil, abort: tripped})
	return run, nil
}

// neighbours is how many client addresses honest users come from: several
// users behind each, as at a clinic, and one pool of connections for each.
const neighbours = 16

// homes gives honest users their addresses; nil where all share one.
func homes(source func(uint64) netip.Addr, first uint64) func(uint64) netip.Addr {
	if source == nil {
		return nil
	}
	return func(n uint64) netip.Addr { return source(first + n%neighbours) }
}

// abort asks the scenario's abort rules whether the run may go on, and leaves the
// one that tripped.
func abort(sc *scenarios.Scenario, tripped **targets.Target) func(measure.Snapshot) string {
	return func(s measure.Snapshot) string {
		for i, rule := range sc.Abort {
			if ended, note := targets.Tripped(rule, s); ended && *tripped == nil {
				*tripped = &sc.Abort[i]
				return note
			}
		}
		return ""
	}
}
