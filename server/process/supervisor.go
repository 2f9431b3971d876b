package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sync/errgroup"

	"vitals/server"
	"vitals/server/telemetry"
)

// supervisor keeps WORKERS processes accepting on one listener.
// The listener is inherited, not SO_REUSEPORT, whose queued connections die with
// the worker they were dealt to.
type supervisor struct {
	*process
	program    string
	env        []string
	dir        string // of the workers' unix sockets
	publicFile *os.File

	restarts prometheus.Counter
	scrapes  prometheus.Counter

	mu      sync.Mutex
	running map[int]*child              // those that have beaten
	last    map[int][]*dto.MetricFamily // each running worker's latest metrics
	retired []*dto.MetricFamily         // what ended workers had counted
}

// The bounds of restarting a worker that will not stay up.
const (
	firstBackoff = 100 * time.Millisecond
	longestPause = 5 * time.Second
	steadyAfter  = 10 * time.Second // a worker that lived so long starts with the shortest pause again
)

// supervise runs the workers until ctx ends, then drains them.
func (p *process) supervise(ctx context.Context) (err error) {
	if err := server.Migrate(ctx, p.cfg); err != nil {
		return err
	}
	s := &supervisor{
		process: p, running: map[int]*child{}, last: map[int][]*dto.MetricFamily{},
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "process_worker_restarts_total", Help: "Workers that ended or hung and were started again.",
		}),
		scrapes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "process_worker_scrape_errors_total", Help: "Workers that did not answer for their metrics; their last known values stood in.",
		}),
	}
	p.registry.MustRegister(s.restarts, s.scrapes)
	if s.program, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program for its workers: %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "vitals-workers-"); err != nil {
		return fmt.Errorf("make a folder for the workers' sockets: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	s.env = s.workerEnv()

	public, err := listen(ctx, publicAddr(p.cfg.Core))
	if err != nil {
		return err
	}
	// Only workers accept; this process keeps the socket alive between them.
	if s.publicFile, err = public.(*net.TCPListener).File(); err != nil {
		return errors.Join(fmt.Errorf("pass the listener to workers: %w", err), public.Close())
	}
	closePublic := sync.OnceValue(func() error { return errors.Join(public.Close(), s.publicFile.Close()) })
	defer func() { err = errors.Join(err, closePublic()) }()
	admin, err := listen(ctx, p.cfg.Core.AdminAddr)
	if err != nil {
		return err
	}
	mux := adminHandler(prometheus.GathererFunc(s.gather))
	mux.HandleFunc("GET /workers/{n}/debug/pprof/", s.profile)
	stop := serveAdmin(admin, mux)
	defer func() { err = errors.Join(err, stop()) }()
	return s.keepAll(ctx, closePublic, func() error { return s.announce(public.Addr(), admin.Addr()) })
}

// workerEnv is the workers' environment. A key made up for this process must be
// the same in all of them, or one worker would refuse the tokens of the next.
func (s *supervisor) workerEnv() []string {
	env := s.o.Env
	if env == nil {
		env = os.Environ()
	}
	if s.cfg.Core.EphemeralKey {
		env = append(env[:len(env):len(env)], "SECRET_KEY="+s.cfg.Core.SecretKey.Reveal())
	}
	return env
}

// keepAll keeps every worker running until ctx ends; ready is called once, when
// all have beaten, and unlisten after the drain delay, so that no connection
// waits in the queue of a socket that nobody accepts from any more. A worker that cannot start the first time ends them all: a
// service that never came up should say so instead of trying for ever.
func (s *supervisor) keepAll(ctx context.Context, unlisten, ready func() error) error {
	group, ctx := errgroup.WithContext(ctx)
	var up sync.WaitGroup
	for n := 1; n <= s.cfg.Workers.Count; n++ {
		up.Add(1)
		first := sync.OnceFunc(up.Done)
		group.Go(func() error {
			defer first()
			return s.keep(ctx, n, first)
		})
	}
	group.Go(func() error {
		<-ctx.Done()
		time.Sleep(s.cfg.Shutdown.DrainDelay)
		return unlisten()
	})
	group.Go(func() error {
		up.Wait()
		if ctx.Err() != nil {
			return nil
		}
		return ready()
	})
	return group.Wait()
}

// keep runs worker n, again and again, until ctx ends.
func (s *supervisor) keep(ctx context.Context, n int, first func()) error {
	pause := firstBackoff
	for generation := 0; ctx.Err() == nil; generation++ {
		began, ever := time.Now(), false
		c, err := s.newChild(n, generation)
		if err == nil {
			stopping := context.AfterFunc(ctx, func() { s.end(c) })
			err = c.watch(s.cfg.Workers.Timeout, func() {
				if !ever {
					ever = true
					s.joined(c)
					first()
				}
			})
			stopping()
			s.left(c)
		}
		if ctx.Err() != nil {
			if err != nil && c != nil {
				return fmt.Errorf("end worker %d: %w", n, err)
			}
			return nil
		}
		if !ever && generation == 0 {
			return fmt.Errorf("worker %d did not come up: %w", n, errors.Join(err, errNoBeat))
		}
		s.restarts.Inc()
		s.log.Error("a worker ended and is started again", "worker", n, "error", err, "pause", pause.String())
		if time.Since(began) > steadyAfter {
			pause = firstBackoff
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
	return nil
}

// errNoBeat says that a worker never reported for work.
var errNoBeat = errors.New("it ended before its first heartbeat; its own log says why")

// end asks a worker to drain, and kills it when it outstays its time.
func (s *supervisor) end(c *child) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // gone already is as good
	patience := s.cfg.Shutdown.DrainDelay + s.cfg.Shutdown.Timeout + sentryFlush + 2*time.Second
	select {
	case <-c.exited:
	case <-time.After(patience):
		s.log.Error("a worker did not leave in time and is killed", "worker", c.n, "patience", patience.String())
		_ = c.cmd.Process.Kill()
	}
}

func (s *supervisor) joined(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[c.n] = c
	s.workers.WithLabelValues("running").Set(float64(len(s.running)))
}

// left takes a worker out and keeps what it had counted, as far as it was
// scraped.
func (s *supervisor) left(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[c.n] != c {
		return
	}
	delete(s.running, c.n)
	s.workers.WithLabelValues("running").Set(float64(len(s.running)))
	if merged, err := telemetry.Merge(s.retired, telemetry.Counts(s.last[c.n])); err == nil {
		s.retired = merged
	}
	delete(s.last, c.n)
}
