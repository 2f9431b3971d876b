package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Status is how a run stands.
type Status struct {
	Ready, Living, Finished int
	Lost                    []int // silent and without a document, or left before their share was sent
	Aborted                 string
	Began                   time.Time    // on the rendezvous' clock; zero = not yet
	Done, Alive             map[int]bool // members whose whole document is there; others that are heard

	left []int // of the lost, those that said so
}

// String is the status for a person; an abort has a line of its own.
func (s Status) String() string {
	text := fmt.Sprintf("%d ready, %d running, %d finished, lost %v", s.Ready, s.Living, s.Finished, s.Lost)
	if s.Began.IsZero() {
		text = fmt.Sprintf("%d ready, not begun", s.Ready)
	}
	if s.Aborted != "" {
		text += "\naborted: " + s.Aborted
	}
	return text
}

// Status asks how the run stands.
func (m *Meeting) Status(ctx context.Context) (Status, error) {
	s := Status{Done: map[int]bool{}, Alive: map[int]bool{}}
	pipe := m.rdb.Pipeline()
	ready, final := pipe.HKeys(ctx, m.key("ready")), pipe.HGetAll(ctx, m.key("final"))
	abort, start := pipe.Get(ctx, m.key("abort")), pipe.Get(ctx, m.key("start"))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return s, fmt.Errorf("rendezvous: status: %w", err)
	}
	s.Aborted = abort.Val()
	if at, err := start.Int64(); err == nil {
		s.Began = time.UnixMicro(at)
	}
	for index, end := range final.Val() {
		if i, _ := strconv.Atoi(index); end == leftEarly {
			s.left = append(s.left, i)
		} else {
			s.Done[i] = true
		}
	}
	s.Lost = slices.Clone(s.left)
	s.Ready, s.Finished = len(ready.Val()), len(s.Done)
	var open []int
	var keys []string
	for _, index := range ready.Val() {
		if i, _ := strconv.Atoi(index); !s.Done[i] && !slices.Contains(s.left, i) {
			open, keys = append(open, i), append(keys, m.key("beat", i))
		}
	}
	if len(open) == 0 {
		slices.Sort(s.Lost)
		return s, nil
	}
	beats, err := m.rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return s, fmt.Errorf("rendezvous: status: %w", err)
	}
	for n, i := range open {
		if beats[n] != nil {
			s.Alive[i] = true
		} else {
			s.Lost = append(s.Lost, i)
		}
	}
	slices.Sort(s.Lost)
	s.Living = len(s.Alive)
	return s, nil
}

// silences are in how many states in a row a member must have been silent to be
// lost: after Redis itself was away, every beat has run out, and each needs a
// moment to be heard again.
const silences = 3

// Follow waits until every member has finished or is lost, and returns the lost.
// More than maxLost of them abort the run: what the rest measured is no run.
// Redis that does not answer is asked again for twice the lease's time; the
// members' own lease bounds what they do meanwhile.
func (c *Controller) Follow(ctx context.Context, maxLost int, show func(Status)) (lost []int, err error) {
	silent := map[int]int{}
	answered := time.Now()
	for {
		asked, ended := time.Now(), c.whoEnded()
		s, err := c.status(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			clear(silent)
			if time.Since(answered) > 2*lease {
				return nil, err
			}
		default:
			if time.Since(asked) > beat {
				clear(silent)
			}
			answered = time.Now()
			settle(&s, silent, ended)
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

func (c *Controller) status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	return c.m.Status(ctx)
}

// settle makes of a status what is certain: who was silent once lives, and whose
// process had ended before the status is lost.
func settle(s *Status, silent map[int]int, ended []int) {
	lost := map[int]bool{}
	for _, i := range ended {
		lost[i] = !s.Done[i]
	}
	for _, i := range s.left {
		lost[i] = true
	}
	now := map[int]int{}
	for _, i := range s.Lost {
		if lost[i] {
			continue
		}
		now[i] = silent[i] + 1
		lost[i] = lost[i] || now[i] >= silences
		s.Alive[i] = true
	}
	clear(silent)
	maps.Copy(silent, now)
	s.Lost = nil
	for i, gone := range lost {
		if gone {
			s.Lost = append(s.Lost, i)
			delete(s.Alive, i)
		}
	}
	slices.Sort(s.Lost)
	s.Living = len(s.Alive)
}

// Ended says that member i's process has ended, for who starts the members knows
// it first: without a document it is lost at once.
func (c *Controller) Ended(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, i)
}

func (c *Controller) whoEnded() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ended)
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
