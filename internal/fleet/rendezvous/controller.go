package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Controller leads the run whose plan has this ID. All of its state is in Redis:
// another one that calls Control with the same plan goes on where it ended, once it
// holds the lease: one at a time does.
type Controller struct {
	m       *Meeting
	members int
	heard   []int64       // the number of each member's last flush
	ready   map[int]Ready // as Gather found them

	me       string // in the lease
	release  context.CancelFunc
	released chan struct{}

	mu    sync.Mutex
	ended []int // members whose process has ended
}

// Gather waits until every member is ready, and starts them at one instant, which
// it returns on the rendezvous' clock. show is told how many are ready. Whoever is
// missing in time is named, and the run is aborted.
func (c *Controller) Gather(ctx context.Context, barrier time.Duration, show func(ready int)) (time.Time, map[int]Ready, error) {
	ready := map[int]Ready{}
	err := wait(ctx, barrier, func() (bool, error) {
		all, err := c.m.rdb.HGetAll(ctx, c.m.key("ready")).Result()
		if err != nil {
			return false, err
		}
		clear(ready) // one that left has made room for another
		for index, text := range all {
			i, _ := strconv.Atoi(index)
			var r Ready
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				return false, fmt.Errorf("what member %d says of itself: %w", i, err)
			}
			ready[i] = r
		}
		show(len(ready))
		if len(ready) == c.members {
			if ok, err := c.begin(ctx); ok || err != nil {
				return ok, err
			}
		}
		why, err := c.m.rdb.Get(ctx, c.m.key("abort")).Result()
		if err == nil {
			return false, fmt.Errorf("stopped before the start: %s", why)
		}
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		return false, err
	})
	c.ready = ready
	if err != nil {
		var missing []int
		for i := range c.members {
			if _, ok := ready[i]; !ok {
				missing = append(missing, i)
			}
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("after %s %d of %d members are ready, missing %v", barrier, len(ready), c.members, missing)
		}
		if fenced := (*Fenced)(nil); errors.As(context.Cause(ctx), &fenced) {
			return time.Time{}, ready, fenced // the run is another controller's
		}
		return time.Time{}, ready, errors.Join(err, c.m.Abort(context.WithoutCancel(ctx), err.Error()))
	}
	at, err := c.m.rdb.Get(ctx, c.m.key("start")).Int64()
	if err != nil {
		return time.Time{}, ready, fmt.Errorf("rendezvous: read the start: %w", err)
	}
	return time.UnixMicro(at), ready, nil
}

// begin sets the start, unless an earlier controller did, and says false when a
// member left meanwhile: it either gives its index back or takes part.
func (c *Controller) begin(ctx context.Context) (bool, error) {
	now, err := c.m.rdb.Time(ctx).Result()
	if err != nil {
		return false, fmt.Errorf("rendezvous: ask the time: %w", err)
	}
	begun, err := begin.Run(ctx, c.m.rdb, []string{c.m.key("start"), c.m.key("ready")}, now.Add(lead).UnixMicro(), c.members, keep.Milliseconds()).Bool()
	if err != nil {
		return false, fmt.Errorf("rendezvous: set the start: %w", err)
	}
	return begun, nil
}

// Document is what member i handed over; nil when it did not.
func (c *Controller) Document(ctx context.Context, i int) ([]byte, error) {
	text, err := c.m.rdb.Get(ctx, c.m.key("document", i)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("rendezvous: fetch the document of member %d: %w", i, err)
	}
	return text, nil
}
