package wire

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Burst sends the calls at one moment, each on a connection of its own that is
// open before: all of every request but its last byte is sent ahead, and the last
// bytes are released in one loop on a locked thread. So neither dialling nor the
// server's parsing is part of the race. It returns the time from the first release
// to the end of the last; Began of each call is its release. An error means that
// the burst was not released.
func (t *Raw) Burst(ctx context.Context, calls []*Call) (spread time.Duration, err error) {
	to := make([]*Raw, len(calls))
	for i := range to {
		to[i] = t
	}
	return burst(ctx, to, calls)
}

// burst is Burst to several servers: call i goes to client i. There is one barrier
// for all, or what two replicas do at the same time would not be asked. All clients
// have the same origin.
func burst(ctx context.Context, to []*Raw, calls []*Call) (spread time.Duration, err error) {
	if len(calls) == 0 {
		return 0, nil
	}
	origin := to[0].origin
	conns := make([]*conn, len(calls))
	defer func() {
		for i, k := range conns {
			if k != nil {
				to[i].drop(k)
			}
		}
	}()
	for i, c := range calls {
		c.reset()
		c.Began = time.Since(origin)
		if conns[i], err = to[i].aim(ctx, c); err != nil {
			return 0, fmt.Errorf("prepare request %d of a burst of %d: %w", i+1, len(calls), err)
		}
	}
	var readers sync.WaitGroup
	release := make(chan struct{})
	put := make([]func([]byte) error, len(calls))
	failed := make([]error, len(calls))
	for i, c := range calls {
		put[i] = writer(conns[i].Conn)
		readers.Go(func() {
			<-release
			_, err := conns[i].answer(c)
			c.Done = time.Since(origin)
			if failed[i] != nil {
				err = failed[i]
			}
			c.Err, c.Class = err, classify(err, conns[i].stage, false)
		})
	}
	runtime.LockOSThread()
	first := time.Since(origin)
	for i, k := range conns {
		calls[i].Began = time.Since(origin)
		failed[i] = put[i](k.out[len(k.out)-1:])
	}
	spread = time.Since(origin) - first
	runtime.UnlockOSThread()
	close(release)
	readers.Wait()
	return spread, nil
}

// aim opens a connection and sends all of the request but its last byte.
func (t *Raw) aim(ctx context.Context, c *Call) (*conn, error) {
	k, err := t.connect(ctx, c.From, c.Timeout)
	if err != nil {
		return nil, err
	}
	if c.Timeout > 0 {
		err = k.SetDeadline(time.Now().Add(c.Timeout))
	}
	k.out = t.request(k.out[:0], c)
	if err == nil {
		_, err = k.Write(k.out[:len(k.out)-1])
	}
	if err != nil {
		t.drop(k)
		return nil, err
	}
	return k, nil
}
