package load

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// defaultWorkers is the cap on requests in flight. Without one a late tick makes
// a worker, whose dialling makes more ticks late: on two cores the attacker ended
// with 13 000 connections and two thirds of the load.
const defaultWorkers = 256

// started is how many workers and connections are there from the start.
const started = 64

// arrivals is the open model: one attacker, whose every hit is one visit.
type arrivals struct {
	r     *run
	p     *pacer
	free  visitors
	ended atomic.Uint64 // visits
}

// open runs the open model until its schedule is over or ctx ends.
func (r *run) open(ctx context.Context) error {
	workers := r.workers()
	if err := r.warm(ctx, min(workers, started)); err != nil {
		return err
	}
	a := &arrivals{r: r}
	schedule := within{r.load.Arrivals(r.opt.Seed), r.load.Total() - 1}
	wait := newWaiter(ctx)
	defer wait.close()
	if err := r.begin(ctx); err != nil {
		return err
	}
	a.p = &pacer{
		ctx: ctx, schedule: schedule, n: uint64(r.opt.Shard), stride: uint64(r.opt.Shards), began: r.began,
		maxLate: r.load.MaxLate, wait: wait, ring: make([]arrival, ring),
		drop: func(x arrival) { r.lost(r.plan.first(r.opt.Seed, x.n), x.due, measure.Counts{Planned: 1, Dropped: 1}) },
		full: func(hits uint64) bool { return int(hits-a.ended.Load()) >= workers },
	}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(min(workers, started))), vegeta.MaxWorkers(uint64(workers)), vegeta.MaxBody(0),
		vegeta.Client(&http.Client{Transport: a, CheckRedirect: stay}),
	)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	var done uint64
	for range attacker.Attack(nowhere, a.p, 0, "") {
		done++
	}
	a.free.close()
	if done < a.p.handed { // a tick that no worker was free to take when the run was stopped
		a.unsent(a.p.ring[(a.p.handed-1)%ring])
	}
	for n := a.p.n; ; n += a.p.stride {
		due, ok := schedule.Due(n)
		if !ok {
			break
		}
		a.unsent(arrival{n: n, due: due})
	}
	r.capWait = a.p.capWait
	return nil
}

// workers is the cap on requests in flight of the open model.
func (r *run) workers() int {
	if r.load.Workers > 0 {
		return r.load.Workers
	}
	return defaultWorkers
}

func (a *arrivals) unsent(x arrival) {
	a.r.lost(a.r.plan.first(a.r.opt.Seed, x.n), x.due, measure.Counts{Planned: 1, Unsent: 1})
}

// RoundTrip carries out the visit that the attacker's request stands for. The
// attacker is told that all is well: what came of it is the recorder's matter.
func (a *arrivals) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(req.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, err
	}
	x := a.p.ring[seq%ring]
	if x.seq != seq { // asleep while the ring came round: it would count from a wrong time
		a.r.watch.own.Add(1)
	}
	a.r.enter()
	defer func() { a.r.exit(); a.ended.Add(1) }()
	v := a.free.get(a.r, x.n)
	// What waited because every worker was busy is counted apart from our own lag.
	taken := time.Since(a.r.began)
	if x.capped {
		a.r.lag.wait(x.due)
	} else {
		a.r.lag.record(x.due, taken-x.due)
	}
	v.place(x.n)
	j := a.r.plan.journey(scenarios.Hash(a.r.opt.Seed, x.n, 0))
	v.forget()
	v.begin(j, scenarios.Hash(a.r.opt.Seed, x.n, 2), x.n)
	_, end := v.visit(a.r.requests, j, scenarios.Hash(a.r.opt.Seed, x.n, 1), true, x.due)
	a.r.lag.held(x.due, max(0, end-taken))
	a.free.put(v)
	return &fine, nil
}

// within keeps what the grid rounds up past the end of the load inside it, where
// the last phase counts it.
type within struct {
	Schedule
	last time.Duration
}

func (w within) Due(n uint64) (time.Duration, bool) {
	due, ok := w.Schedule.Due(n)
	return min(due, w.last), ok
}

// first is the recorder's step that arrival n begins with.
func (p *plan) first(seed, n uint64) int {
	j := p.journey(scenarios.Hash(seed, n, 0))
	if t := (*visitor)(nil).draw(j, scenarios.Hash(seed, n, 1), true); t != nil {
		return t.steps[0].index
	}
	return j.tasks[0].steps[0].index
}

// journey picks one by weight.
func (p *plan) journey(key uint64) *journey {
	at := int(key % uint64(p.weight))
	for i := range p.journeys {
		if at -= p.journeys[i].weight; at < 0 {
			return &p.journeys[i]
		}
	}
	return &p.journeys[len(p.journeys)-1]
}

// visitors that are free. The one that came back last goes out first: its buffers
// are warm, and only as many exist as were ever needed at once.
type visitors struct {
	mu   sync.Mutex
	free []*visitor
}

func (f *visitors) get(r *run, id uint64) *visitor {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.free); n > 0 {
		v := f.free[n-1]
		f.free = f.free[:n-1]
		return v
	}
	return r.newVisitor(id)
}

func (f *visitors) put(v *visitor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, v)
}

func (f *visitors) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.free {
		v.close()
	}
}

// What the attacker sees: one address for all, never followed, always fine.
var fine = http.Response{
	Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	Header: http.Header{}, Body: http.NoBody,
}

func nowhere(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://vitals/"
	return nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
