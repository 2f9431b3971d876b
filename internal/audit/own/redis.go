package own

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"vitals/internal/audit"
)

// redisPart is a Redis of one launch: with a log on disk and without eviction,
// as the deployment notes ask.
type redisPart struct {
	dir, port string
	box       *box // nil = a process of this machine
	mu        sync.Mutex
	proc      *process
}

// redisFlags keep what the limiter knows over a crash, and evict nothing.
var redisFlags = [...]string{"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"}

// redis starts one and tells the API of it.
func (o *Owner) redis(ctx context.Context, f *fleet, env map[string]string, api *audit.API) error {
	r := &redisPart{dir: f.dir}
	if o.o.Redis != nil {
		b, err := startBox(ctx, &f.closers, o.o.Redis, "6379", nil, redisFlags[:]...)
		if err != nil {
			return err
		}
		r.box, r.port = b, b.port
		if err := patience(ctx, "Redis", r.ping); err != nil {
			return err
		}
	} else if err := r.spawn(ctx, f); err != nil {
		return err
	}
	env["REDIS_URL"] = "redis://127.0.0.1:" + r.port + "/0"
	api.Redis = r.do
	api.Fault = faults(api.Fault, "redis", r.act)
	return nil
}

// spawn starts it as a process of this machine.
func (r *redisPart) spawn(ctx context.Context, f *fleet) error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return &audit.Missing{What: "redis-server", Install: "Debian: redis-server"}
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	r.port = ports[0]
	if err := r.start(ctx); err != nil {
		return err
	}
	f.closers = append(f.closers, func(ctx context.Context) error {
		_ = r.process().cmd.Process.Signal(syscall.SIGCONT) // a stopped process hears nothing
		r.process().end(ctx, syscall.SIGTERM, 3*time.Second)
		return nil
	})
	return nil
}

func (r *redisPart) ping(ctx context.Context) error {
	_, err := r.do(ctx, "PING")
	return err
}

// faults adds a part to what can be broken.
func faults(before func(context.Context, string, string) error, part string, act func(context.Context, string) error) func(context.Context, string, string) error {
	return func(ctx context.Context, name, action string) error {
		switch {
		case name == part:
			return act(ctx, action)
		case before != nil:
			return before(ctx, name, action)
		}
		return fmt.Errorf("no part %q in this launch", name)
	}
}

func (r *redisPart) process() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

func (r *redisPart) start(ctx context.Context) error {
	cmd := exec.Command("redis-server", append([]string{"--port", r.port, "--bind", "127.0.0.1", "--dir", r.dir, "--logfile", filepath.Join(r.dir, "redis.log")}, redisFlags[:]...)...)
	cmd.SysProcAttr = childAttr()
	p, err := spawn(cmd)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.proc = p
	r.mu.Unlock()
	return patiently(ctx, "Redis", p, r.ping)
}

// do runs one command over a connection of its own, so that a restart in between
// is not felt.
func (r *redisPart) do(ctx context.Context, args ...any) (any, error) {
	kv := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + r.port, MaxRetries: -1, DialTimeout: time.Second})
	defer kv.Close()
	return kv.Do(ctx, args...).Result()
}

func (r *redisPart) act(ctx context.Context, action string) error {
	if r.box != nil {
		if err := r.box.act(ctx, action); err != nil || action != "start" {
			return err
		}
		return patience(ctx, "Redis", r.ping)
	}
	p := r.process()
	switch action {
	case "stop":
		p.end(ctx, syscall.SIGTERM, 5*time.Second)
	case "kill":
		p.end(ctx, syscall.SIGKILL, time.Second)
	case "start":
		return r.start(ctx)
	case "pause":
		return p.cmd.Process.Signal(syscall.SIGSTOP)
	case "unpause":
		return p.cmd.Process.Signal(syscall.SIGCONT)
	default:
		return fmt.Errorf("no action %q", action)
	}
	return nil
}

// patiently repeats f until it succeeds or the process ends, for at most half a
// minute.
func patiently(ctx context.Context, what string, p *process, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", what, err)
		case <-p.done:
			return fmt.Errorf("%s ended before it answered: %w", what, err)
		case <-time.After(30 * time.Millisecond):
		}
	}
}
