package limit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// LK10: Redis goes away right after a lock has started. A replica that never saw
// the lock knows it before it gives its first verdict alone.
func TestALockIsKnownElsewhereWhenRedisGoes(t *testing.T) {
	s := startServer(t)
	locks, two := newTable(), func(o *Options) { o.Replicas = 2 }
	first, second := shared(t, s, locks, nil, two), shared(t, s, locks, nil, two)
	lockOut(t, first, "192.0.2.1")
	end := time.Now().Add(900 * time.Second)
	s.kill()
	code, retry := attempt(t, second, "192.0.2.1")
	if code != "locked_out" {
		t.Errorf("got %q, want locked_out", code)
	}
	within(t, "end of the lock", retry, time.Until(end), 2*time.Second)
}

// LK9: a burst that finds Redis away. The call that gives it up, and those that
// fail beside it, have the process's share of the limit and not the whole.
func TestABurstIntoAnOutageHasTheShare(t *testing.T) {
	s := startServer(t)
	f := newFallback(openRedis(t, s.url, nil), NewMemory(time.Hour, 0), Options{Replicas: 2}, newMetrics(nil), slog.New(slog.DiscardHandler))
	p := Policies(Published())[Login]
	s.kill()
	var judged atomic.Int64
	var done sync.WaitGroup
	for i := range 100 {
		done.Go(func() {
			if d, err := f.Begin(context.Background(), p, "192.0.2.1", fmt.Sprint(i)); err == nil && d.Verdict == Allowed {
				judged.Add(1)
			}
		})
	}
	done.Wait()
	if got := judged.Load(); got > 2 {
		t.Errorf("got %d judged, want 2 of 5 at most, for there are two replicas", got)
	}
}
