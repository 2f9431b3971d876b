package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"vitals/server"
)

// WorkerEnv marks a worker process of a supervisor; its value is the worker's
// number, from 1. Nobody but the supervisor sets it.
const WorkerEnv = "VITALS_WORKER"

// The file descriptors a worker inherits, in the order the supervisor passes
// them.
const (
	fdPublic    = 3 + iota // the listener that all workers accept on
	fdMetrics              // a unix listener for this worker's /metrics and profiler
	fdHeartbeat            // write end: one byte per beat
	fdLifeline             // read end: its end of file is the supervisor's death
)

// worker serves on the inherited listener until ctx ends. Its log and its
// metrics are the supervisor's to gather.
func (p *process) worker(ctx context.Context) (err error) {
	public, err := inheritListener(fdPublic, "public")
	if err != nil {
		return err
	}
	metrics, err := inheritListener(fdMetrics, "metrics")
	if err != nil {
		return errors.Join(err, public.Close())
	}
	heartbeat, lifeline := os.NewFile(fdHeartbeat, "heartbeat"), os.NewFile(fdLifeline, "lifeline")
	defer func() { err = errors.Join(err, heartbeat.Close(), lifeline.Close()) }()

	services, err := server.OpenServices(ctx, p.cfg, p.host(), false)
	if err != nil {
		return errors.Join(err, public.Close(), metrics.Close())
	}
	defer func() { err = errors.Join(err, services.Close()) }()
	api, err := services.New(p.cfg)
	if err != nil {
		return errors.Join(err, public.Close(), metrics.Close())
	}
	stop := serveAdmin(metrics, adminHandler(p.registry))
	defer func() { err = errors.Join(err, stop()) }()

	orphaned := make(chan struct{})
	go func() { // ends with the lifeline, which this process or the supervisor's end closes
		defer close(orphaned)
		_, _ = lifeline.Read(make([]byte, 1))
	}()
	beating, quiet := context.WithCancel(context.WithoutCancel(ctx))
	beaten := make(chan struct{})
	go func() { defer close(beaten); beat(beating, heartbeat, p.cfg.Workers.Timeout) }()
	defer func() { quiet(); <-beaten }()

	return api.Serve(ctx, public, orphaned)
}

// beat writes a byte at once and then often enough for timeout. It proves that
// the process is scheduled and not that any request ends: those have timeouts
// of their own.
func beat(ctx context.Context, w *os.File, timeout time.Duration) {
	tick := time.NewTicker(min(time.Second, timeout/4))
	defer tick.Stop()
	for {
		if _, err := w.Write([]byte{1}); err != nil {
			return // the supervisor is gone; the lifeline says so too
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// inheritListener takes over a listener passed as a file descriptor.
func inheritListener(fd uintptr, name string) (net.Listener, error) {
	f := os.NewFile(fd, name)
	l, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil { // l has a duplicate
		return nil, fmt.Errorf("inherit the %s listener: %w", name, err)
	}
	return l, nil
}

// workerNumber is this process's number among the workers, 0 if it is none.
func workerNumber(env func(string) string) int {
	n, err := strconv.Atoi(env(WorkerEnv))
	if err != nil {
		return 0
	}
	return n
}
