package containers_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"
)

// visitors look at their medications all the while, at each replica in turn,
// and none of their requests may fail.
type visitors struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	served  int
	failed  []string
	longest time.Duration
}

// startVisitors signs n users in; together they make about 10 requests a second,
// so that each stays below its 100 an hour.
func startVisitors(t *testing.T, c *clinic, n int) *visitors {
	t.Helper()
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = c.token(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	v := &visitors{cancel: cancel}
	v.done.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// Not ctx: the last request is waited for.
			a, err := c.at[i%len(c.at)].Send(context.WithoutCancel(ctx), browse(tokens[i%n]))
			v.mu.Lock()
			v.served++
			v.longest = max(v.longest, a.Done.Sub(a.Sent))
			if err != nil {
				v.failed = append(v.failed, err.Error())
			} else if a.Status != http.StatusOK {
				v.failed = append(v.failed, http.StatusText(a.Status)+" "+code(a))
			}
			v.mu.Unlock()
		}
	})
	t.Cleanup(func() { cancel(); v.done.Wait() })
	return v
}

// waitFor waits until n more requests were answered.
func (v *visitors) waitFor(t *testing.T, n int) {
	t.Helper()
	count := func() int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.served
	}
	until := count() + n
	eventually(t, patience, func() bool { return count() >= until })
}

// end stops them, fails the test for every request that failed, and returns how
// many there were and the longest time one took.
func (v *visitors) end(t *testing.T) (served int, longest time.Duration) {
	t.Helper()
	v.cancel()
	v.done.Wait()
	if len(v.failed) > 0 {
		t.Errorf("%d of %d requests of visitors failed, the first: %s", len(v.failed), v.served, v.failed[0])
	}
	return v.served, v.longest
}
