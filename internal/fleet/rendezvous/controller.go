package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Controller leads the run whose plan has this ID. All of its state is in Redis:
// another one that calls Control with the same plan goes on where it ended.
type Controller struct {
	m       *Meeting
	members int
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
	c := &Controller{m, members}
	if err := c.renew(ctx); err != nil {
		return nil, fmt.Errorf("rendezvous: hold the lease: %w", err)
	}
	go func() {
		t := time.NewTicker(renewLease)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				_ = c.renew(ctx) // tried again; without it the members stop by themselves
			}
		}
	}()
	return c, nil
}

func (c *Controller) renew(ctx context.Context) error {
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
		return len(ready) == c.members, nil
	})
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

// Status is how a run stands.
type Status struct {
	Ready, Living, Finished int
	Lost                    []int // silent, and without a document
	Aborted                 string
}

// Status asks how the run stands.
func (m *Meeting) Status(ctx context.Context) (Status, error) {
	var s Status
	ready, err := m.rdb.HKeys(ctx, m.key("ready")).Result()
	if err != nil {
		return s, fmt.Errorf("rendezvous: status: %w", err)
	}
	s.Ready = len(ready)
	final, err := m.rdb.HGetAll(ctx, m.key("final")).Result()
	if err != nil {
		return s, fmt.Errorf("rendezvous: status: %w", err)
	}
	s.Finished = len(final)
	for _, index := range ready {
		i, _ := strconv.Atoi(index)
		if final[index] != "" {
			continue
		}
		n, err := m.rdb.Exists(ctx, m.key("beat", i)).Result()
		if err != nil {
			return s, fmt.Errorf("rendezvous: status: %w", err)
		}
		if n > 0 {
			s.Living++
		} else {
			s.Lost = append(s.Lost, i)
		}
	}
	slices.Sort(s.Lost)
	s.Aborted, err = m.rdb.Get(ctx, m.key("abort")).Result()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return s, err
}

// Follow waits until every member has finished or is lost, and returns the lost.
// More than maxLost of them abort the run: what the rest measured is no run.
// Redis that does not answer is asked again; the members' own lease bounds that.
func (c *Controller) Follow(ctx context.Context, maxLost int, show func(Status)) (lost []int, err error) {
	misses := 0
	for {
		s, err := c.m.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			if misses++; time.Duration(misses)*beat > 2*lease {
				return nil, err
			}
		default:
			misses = 0
			show(s)
			if len(s.Lost) > maxLost && s.Aborted == "" {
				if err := c.m.Abort(ctx, fmt.Sprintf("lost members %v, at most %d may be", s.Lost, maxLost)); err != nil {
					return s.Lost, fmt.Errorf("rendezvous: abort: %w", err)
				}
			}
			if s.Living == 0 && s.Finished+len(s.Lost) >= c.members {
				return s.Lost, nil
			}
		}
		if !sleep(ctx, beat) {
			return nil, ctx.Err()
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
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
