package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"vitals/internal/stack"
)

// Redis is a Redis of ours as a child process.
type Redis struct {
	stack.Redis
	dir string
	child
}

// NewRedis starts a Redis that keeps its log in dir. A *Missing says what to
// install.
func NewRedis(ctx context.Context, dir string) (*Redis, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, &Missing{What: "redis-server", Install: "Debian: redis-server"}
	}
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	r := &Redis{Redis: stack.Redis{At: net.JoinHostPort("127.0.0.1", ports[0])}, dir: dir}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *Redis) start(ctx context.Context) error {
	host, port, err := net.SplitHostPort(r.At)
	if err != nil {
		return err
	}
	log := filepath.Join(r.dir, "redis.log")
	args := append([]string{"--port", port, "--bind", host, "--dir", r.dir, "--logfile", log}, stack.RedisArguments()...)
	p, err := Start(exec.Command("redis-server", args...)) // not CommandContext: it is ended gracefully
	if err != nil {
		return err
	}
	r.now.Store(p)
	if err := stack.Await(ctx, "Redis", p.Done(), r.Ping); err != nil {
		return fmt.Errorf("start Redis: %w%s", err, tail(log, 5))
	}
	return nil
}

// Act does something to it.
func (r *Redis) Act(ctx context.Context, a stack.Action) error {
	switch a {
	case stack.Stop:
		r.end(ctx, syscall.SIGTERM, 5*time.Second)
	case stack.Kill:
		r.end(ctx, syscall.SIGKILL, time.Second)
	case stack.Start:
		return r.start(ctx)
	case stack.Pause:
		return r.freeze()
	case stack.Unpause:
		return r.thaw()
	default:
		return fmt.Errorf("no action %q for Redis", a)
	}
	return nil
}

// Close ends it; its folder is the caller's.
func (r *Redis) Close(ctx context.Context) error {
	r.end(ctx, syscall.SIGTERM, 3*time.Second)
	return nil
}
