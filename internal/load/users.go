package load

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/scenarios"
)

// user is one virtual user during one span: the pacer and the transport of an
// attacker of its own. It waits for the answer, thinks, and goes on.
type user struct {
	r       *run
	v       *visitor
	id      uint64
	turns   *atomic.Uint64 // over all spans: no two of them repeat each other
	journey *journey
	until   time.Duration
	due     time.Duration
	wait    *sleeper
	ctx     context.Context
	done    chan struct{} // the turn under way has ended
}

// closed runs the closed model until the last user has left or ctx ends.
func (r *run) closed(ctx context.Context) error {
	type turnOn struct {
		id   int
		span scenarios.Span
	}
	population := r.load.Users()
	turns := make([]atomic.Uint64, population.Max())
	var list []turnOn
	for id := r.opt.Shard; id < population.Max(); id += r.opt.Shards {
		for _, span := range population.Spans(id) {
			list = append(list, turnOn{id, span})
		}
	}
	slices.SortStableFunc(list, func(a, b turnOn) int { return cmp.Compare(a.span.From, b.span.From) })
	if err := r.warm(ctx, min(population.Max(), started)); err != nil {
		return err
	}
	r.users = population.Max()
	if err := r.begin(ctx); err != nil {
		return err
	}
	wait := newSleeper()
	defer wait.close()
	var users sync.WaitGroup
	defer users.Wait()
	for _, x := range list {
		if early := x.span.From - time.Since(r.began); early > 0 && !wait.until(ctx, early) {
			break
		}
		users.Go(func() { r.live(ctx, uint64(x.id), x.span, &turns[x.id]) })
	}
	return nil
}

// live is one user's span.
func (r *run) live(ctx context.Context, id uint64, span scenarios.Span, turns *atomic.Uint64) {
	u := &user{
		r: r, v: r.newVisitor(id), id: id, journey: r.plan.journey(scenarios.Hash(r.opt.Seed, id, 0)),
		due: span.From, until: span.To, turns: turns, wait: newSleeper(), ctx: ctx, done: make(chan struct{}, 1),
	}
	defer u.wait.close()
	defer u.v.close()
	if r.opt.Direct {
		for u.next() {
			u.act()
		}
		return
	}
	attacker := vegeta.NewAttacker(vegeta.Workers(1), vegeta.MaxWorkers(1), vegeta.MaxBody(0),
		vegeta.Client(&http.Client{Transport: u, CheckRedirect: stay}))
	for range attacker.Attack(nowhere, u, 0, "") {
	}
}

// next waits for the user's next turn; false when its time is over.
func (u *user) next() bool {
	if u.due >= u.until || u.ctx.Err() != nil {
		return false
	}
	early := u.due - time.Since(u.r.began)
	return early <= 0 || u.wait.until(u.ctx, early)
}

// act is one turn: a task, and the thinking after it.
func (u *user) act() {
	u.r.enter()
	defer u.r.exit()
	turn, seed := u.turns.Add(1)-1, u.r.opt.Seed
	u.r.lag.record(u.due, time.Since(u.r.began)-u.due)
	u.v.begin(u.journey, scenarios.Hash(seed, u.id, turn, 2), turn*uint64(u.r.users)+u.id)
	t, end := u.v.visit(u.r.requests, u.journey, scenarios.Hash(seed, u.id, turn, 1), false, u.due)
	think := u.journey.tasks[0].think
	if t != nil {
		think = t.think
	}
	u.due = max(end, u.due) + think.From
	if spread := think.To - think.From; spread > 0 {
		u.due += time.Duration(scenarios.Hash(seed, u.id, turn, 3) % uint64(spread+1))
	}
	if t == nil || end <= 0 {
		// Nothing could be drawn or no account was free: not a reason to spin.
		u.due = max(u.due, time.Since(u.r.began)+idle)
	}
}

// idle is how long a user waits who can do nothing.
const idle = 100 * time.Millisecond

// Pace implements vegeta.Pacer: the next hit may begin when the last one is over
// and the user has thought.
func (u *user) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if hits > 0 {
		<-u.done
	}
	return 0, !u.next()
}

// Rate implements vegeta.Pacer; the attacker never asks.
func (u *user) Rate(time.Duration) float64 { return 0 }

// RoundTrip carries out the turn.
func (u *user) RoundTrip(*http.Request) (*http.Response, error) {
	u.act()
	u.done <- struct{}{}
	return &fine, nil
}
