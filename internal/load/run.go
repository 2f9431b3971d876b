package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// run is one execution of one scenario.
type run struct {
	opt      Options
	plan     *plan
	load     scenarios.Load
	rec      *measure.Recorder
	clients  fleet
	why      string // these clients
	sessions *Sessions
	share    int
	users    int // of the closed model, in all shards
	began    time.Time
	origin   time.Time // times of the client count from here: began, once there is one
	started  func()    // called when began is set
	requests context.Context
	cancel   context.CancelCauseFunc // ends the schedule, with the reason
	lag      lag
	trace    tracer
	watch    watch
	capWait  time.Duration
	monitor  monitor
	notes    []string

	besideErr error // read when all goroutines of the run have ended

	busy, peak                   atomic.Int64
	planned, done, drop, unsents atomic.Int64
	askedAgain                   atomic.Int64           // sign-ins before the load whose answer was lost
	sessionless                  atomic.Int64           // of drop: tasks of users without a session
	away                         atomic.Int64           // of those: users whom a sign-in did not let in
	denied                       atomic.Pointer[string] // what the first such sign-in came to
}

// Run carries the scenario out and hands every request to rec, which was made
// for Steps(sc) (and more, if the caller has any). It returns when every request
// has ended. An error means that there is nothing to tell: a scenario that does not
// compile, a run that was stopped before its load began. A server that cannot be
// reached and an account that cannot sign in are outcomes, of no time.
// What goes wrong later is in the recorder and the outcome.
func Run(ctx context.Context, sc *scenarios.Scenario, rec *measure.Recorder, opt Options) (*Outcome, error) {
	r, err := newRun(sc, rec, opt)
	if err != nil {
		return nil, fmt.Errorf("run scenario %s: %w", sc.Name, err)
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	before := r.sessions.count()
	err = r.execute(ctx, sc)
	var not *unbegun
	if errors.As(err, &not) && ctx.Err() == nil {
		return &Outcome{Began: time.Now(), Client: r.why, Notes: r.notes, Partial: true, EndedBy: not.by, EndedEarly: not.why.Error(), Failures: not.failures}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("run scenario %s: %w", sc.Name, err)
	}
	o := &Outcome{Began: r.began, Took: time.Since(r.began), Client: r.why, SignedIn: r.sessions.count() - before, Notes: r.notes}
	o.Counts = measure.Counts{
		Planned: r.planned.Load(), Sent: r.done.Load(), Dropped: r.drop.Load(), Unsent: r.unsents.Load(),
	}
	o.Conns = r.clients.dials()
	if cause := context.Cause(ctx); cause != nil {
		o.Partial, o.EndedBy = true, measure.Interrupted
		if !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
			o.EndedBy, o.EndedEarly = endedBy(cause), cause.Error()
		}
	}
	o.Health = r.judge(o)
	return o, nil
}

// endedBy tells the causes apart that end a run early.
func endedBy(cause error) measure.Ending {
	switch {
	case errors.Is(cause, ErrAborted):
		return measure.Aborted
	case errors.Is(cause, errDead):
		return measure.TargetDead
	case errors.Is(cause, errNoAccount):
		return measure.NoAccount
	}
	return measure.OtherEnding
}

// ErrAborted marks the reason of an abort rule, which is in words of its own: an
// error that wraps it ends a run with the ending measure.Aborted.
var ErrAborted = errors.New("")

// unbegun is why a load could not begin although its scenario is sound.
type unbegun struct {
	by       measure.Ending
	why      error
	failures []measure.Exemplar // the request that it took, if it was one
}

func (u *unbegun) Error() string { return u.why.Error() }
func (u *unbegun) Unwrap() error { return u.why }

// execute runs the load, and beside it what the caller wants done meanwhile, the
// guard over the run's end, and the watch over ourselves.
func (r *run) execute(ctx context.Context, sc *scenarios.Scenario) (err error) {
	var end context.CancelFunc
	r.requests, end = context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	var background sync.WaitGroup
	background.Go(func() { r.guard(ctx, over, end) })
	defer func() {
		close(over)
		background.Wait()
		end()
		err = errors.Join(err, r.besideErr)
	}()
	if err := r.enough(); err != nil {
		return err
	}
	if r.load.SignIn == scenarios.Before && r.plan.signIn != nil {
		if err := r.signInAll(ctx, sc); err != nil {
			return err
		}
	}
	r.connect()
	defer r.clients.close()
	r.started = func() {
		background.Go(func() { r.beside(ctx, over) })
		background.Go(func() { r.report(over) })
		background.Go(func() { r.monitor.watch(r.began, over) })
	}
	play := r.closed
	if r.load.Model == scenarios.Arrivals {
		play = r.open
	}
	if err := play(ctx); err != nil {
		return err
	}
	// The last users leave while they think; what runs beside has the whole time.
	sleep(ctx, r.load.Total()-time.Since(r.began))
	return nil
}

// connect makes the clients of the run, which end with r.requests.
func (r *run) connect() {
	r.clients, r.why = newFleet(r.opt)
	r.origin = time.Now()
	r.clients.start(r.origin)
	if r.opt.Direct && r.load.Model == scenarios.Users {
		r.why += "; direct driver, without vegeta's attacker"
	}
	context.AfterFunc(r.requests, r.clients.close)
}

func newRun(sc *scenarios.Scenario, rec *measure.Recorder, opt Options) (*run, error) {
	if opt.Base == nil {
		return nil, errors.New("no base URL")
	}
	opt.Shards = max(1, opt.Shards)
	opt.Grace = cmp.Or(opt.Grace, 5*time.Second)
	if opt.Kill == nil {
		opt.Kill = context.Background()
	}
	if opt.Refused == nil {
		opt.Refused = func(status int, _ bool) bool { return status == http.StatusTooManyRequests }
	}
	p, err := compile(sc, opt)
	if err != nil {
		return nil, err
	}
	if opt.Sessions == nil {
		opt.Sessions = &Sessions{}
	}
	opt.Sessions.adopt(opt.Accounts, opt.Shard, opt.Shards)
	r := &run{opt: opt, plan: p, load: sc.At(opt.Pace), rec: rec, sessions: opt.Sessions}
	r.share = max(1, r.load.Share)
	if r.load.Grid == 0 && r.load.Model == scenarios.Arrivals {
		r.load.Grid = grid(r.load.Peak())
	}
	r.watch.stop = r.stop
	r.lag.bound, r.lag.width = cmp.Or(opt.MaxLag, defaultLag), widthOf(r.load.Total())
	r.trace.begin()
	return r, nil
}

// grid is what arrivals are rounded up to when the scenario leaves it open. At
// high rates the wake-ups cost more than the requests: a grid of half a
// millisecond halves the cost of one.
func grid(rate float64) time.Duration {
	switch {
	case rate < 2000:
		return 0
	case rate <= 5000:
		return 250 * time.Microsecond
	case rate <= 20000:
		return 500 * time.Microsecond
	}
	return time.Millisecond
}

// begin starts the run's clock, at the common instant where there is one.
func (r *run) begin(ctx context.Context) error {
	r.began = time.Now()
	if r.opt.Await != nil {
		at, err := r.opt.Await(ctx)
		if err != nil {
			return err
		}
		w := newWaiter(ctx)
		defer w.close()
		if early := time.Until(at); early > 0 && !w.until(ctx, early) {
			return context.Cause(ctx)
		}
		r.began = at
	}
	r.origin = r.began
	r.clients.start(r.began)
	r.started()
	return nil
}

// stop ends the schedule with a reason; what is under way goes on to its end.
func (r *run) stop(why error) { r.cancel(why) }

// guard sees to it that an ended run comes to its end: requests under way have
// the grace, and none when the caller says so a second time.
func (r *run) guard(ctx context.Context, over <-chan struct{}, end func()) {
	select {
	case <-over:
		return
	case <-r.opt.Kill.Done():
	case <-ctx.Done():
		t := time.NewTimer(r.opt.Grace)
		defer t.Stop()
		select {
		case <-over:
			return
		case <-t.C:
		case <-r.opt.Kill.Done():
		}
	}
	r.stop(context.Canceled)
	end()
}

// beside runs what the caller wants done meanwhile. Trouble there is trouble of
// the run: an intruder that did not work must not look like one that was kept out.
func (r *run) beside(ctx context.Context, over <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(r.opt.During))
	for i, f := range r.opt.During {
		wg.Go(func() { errs[i] = f(ctx, r.began) })
	}
	<-over
	cancel()
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			r.besideErr = errors.Join(r.besideErr, err)
		}
	}
}

// report shows how the run stands, and asks whether it may go on.
func (r *run) report(over <-chan struct{}) {
	if r.opt.Live == nil && r.opt.Abort == nil {
		return
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-over:
			return
		case <-t.C:
		}
		snap := r.rec.Snapshot()
		snap.Counts.Inflight = r.busy.Load()
		snap.LagP99, snap.Late = r.lag.p99(), !r.opt.NoTimes && r.lag.late()
		snap.Away = r.sessionless.Load()
		if r.opt.Live != nil {
			r.opt.Live(snap)
		}
		if r.opt.Abort != nil {
			if reason := r.opt.Abort(snap); reason != "" {
				r.stop(fmt.Errorf("%s%w", reason, ErrAborted))
			}
		}
	}
}

// warm opens connections before the load begins: dialling under load was what
// began every collapse seen.
func (r *run) warm(ctx context.Context, n int) error {
	if r.opt.Source != nil && !r.opt.Forward {
		return nil
	}
	if err := r.clients.warm(ctx, n); err != nil {
		return &unbegun{by: measure.TargetDead, why: err}
	}
	return nil
}

// sent counts a request that made a sample.
func (r *run) sent() {
	r.planned.Add(1)
	r.done.Add(1)
}

// lost counts requests that made none.
func (r *run) lost(step int, due time.Duration, c measure.Counts) {
	r.planned.Add(c.Planned)
	r.drop.Add(c.Dropped)
	r.unsents.Add(c.Unsent)
	r.rec.Add(step, due, c)
}

// enter and exit bracket a visit.
func (r *run) enter() {
	busy := r.busy.Add(1)
	for peak := r.peak.Load(); busy > peak && !r.peak.CompareAndSwap(peak, busy); peak = r.peak.Load() {
	}
}

func (r *run) exit() { r.busy.Add(-1) }
