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
// another one that calls Control with the same plan goes on where it ended.
type Controller struct {
	m       *Meeting
	members int
	heard   []int64       // the number of each member's last flush
	ready   map[int]Ready // as Gather found them

	mu    sync.Mutex
	ended []int // members whose process has ended
}

// Control sets the plan and holds the lease until ctx ends. A run that has
// another plan is refused.
func (m *Meeting) Control(ctx context.Context, planID string, members int) (*Controller, error) {
	if err := m.rdb.SetNX(ctx, m.key("plan"), planID, keep).Err(); err != nil {
		return nil, fmt.Errorf("rendezvous: set the plan: %w", err)
	}
	there, err := m.rdb.Get(ctx, m.key("plan")).Result()
	if err != nil {
		return nil, fmt.Errorf("rendezvous: read the plan: %w", err)
	}
	if there != planID {
		return nil, fmt.Errorf("rendezvous: run %s has the plan %.12s, not %.12s: choose another run id", m.run, there, planID)
	}
	c := &Controller{m: m, members: members, heard: make([]int64, members)}
	if err := c.renew(ctx); err != nil {
		return nil, fmt.Errorf("rendezvous: hold the lease: %w", err)
	}
	go func() {
		wait := renewLease
		for sleep(ctx, wait) {
			wait = renewLease
			if c.renew(ctx) != nil { // without it the members stop by themselves
				wait = beat
			}
		}
	}()
	return c, nil
}

func (c *Controller) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	return c.m.rdb.Set(ctx, c.m.key("lease"), "held", lease).Err()
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
			return true, nil
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
		return time.Time{}, ready, errors.Join(err, c.m.Abort(context.WithoutCancel(ctx), err.Error()))
	}
	now, err := c.m.rdb.Time(ctx).Result()
	if err == nil {
		err = c.m.rdb.SetNX(ctx, c.m.key("start"), now.Add(lead).UnixMicro(), keep).Err()
	}
	var at int64
	if err == nil {
		at, err = c.m.rdb.Get(ctx, c.m.key("start")).Int64() // an earlier controller's stands
	}
	if err != nil {
		return time.Time{}, ready, fmt.Errorf("rendezvous: set the start: %w", err)
	}
	return time.UnixMicro(at), ready, nil
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
