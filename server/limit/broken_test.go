//go:build brokenlimit

package limit

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The broken build counts right in sequence and wrong in parallel: what the
// harness must notice.
func TestBrokenOnPurpose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		lockOut(t, g, "192.0.2.1")
		var judged atomic.Int64
		var done sync.WaitGroup
		for range 200 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.2")
				a, err := g.Enter(ctx, Login)
				if err != nil {
					return
				}
				time.Sleep(60 * time.Millisecond)
				judged.Add(1)
				a.Fail(ctx, "mallory")
			})
		}
		done.Wait()
		if judged.Load() <= 5 {
			t.Errorf("judged of 200 at once: got %d, want more than 5", judged.Load())
		}
	})
}
