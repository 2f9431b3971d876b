package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"vitals/internal/fleet"
)

// Exit is an error that ends a member with a code of its own (fleet.Exit…).
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Exit) Unwrap() error { return e.Err }

func exitf(code int, format string, args ...any) error {
	return &Exit{code, fmt.Errorf(format, args...)}
}

// Ready is what a member says of itself at the barrier.
type Ready struct {
	PlanID      string `json:"plan_id"`
	Version     string `json:"version"`
	Host        string `json:"host"`
	Incarnation string `json:"incarnation"`
	OffsetUS    int64  `json:"offset_us"` // of the rendezvous' clock from the member's
	BoundUS     int64  `json:"bound_us"`  // how wrong that may be
}

// Seat is a member's place in a meeting that it has joined.
type Seat struct {
	m      *Meeting
	member fleet.Member
	who    string
	offset time.Duration
	bound  time.Duration
}

// maxBound is how wrong a member may be about the common clock.
const maxBound = 50 * time.Millisecond

// Join claims the member's index, holds its plan against the controller's, and
// says that it is ready. barrier bounds the wait for the controller.
func (m *Meeting) Join(ctx context.Context, member fleet.Member, r Ready, barrier time.Duration) (_ *Seat, err error) {
	claimed, err := m.rdb.SetNX(ctx, m.key("claim", member.Index), r.Incarnation, keep).Result()
	if err != nil {
		return nil, exitf(fleet.ExitRefused, "rendezvous: claim index %d: %w", member.Index, err)
	}
	if !claimed {
		return nil, exitf(fleet.ExitFenced, "index %d was taken by another process: a share that may have been sent is not sent twice", member.Index)
	}
	s := &Seat{m: m, member: member, who: r.Incarnation}
	defer func() {
		if err != nil || ctx.Err() != nil { // nothing was sent: the index is another's, as of who has the right flags
			s.giveUp(ctx)
		}
	}()
	var plan string
	err = wait(ctx, barrier, func() (bool, error) {
		plan, err = m.rdb.Get(ctx, m.key("plan")).Result()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, exitf(fleet.ExitBarrier, "no controller came within %s", barrier)
	case err != nil:
		return nil, exitf(fleet.ExitRefused, "rendezvous: read the plan: %w", err)
	case plan != r.PlanID:
		return nil, exitf(fleet.ExitRefused, "the controller's plan is %.12s, this member's is %.12s: give both the same files, flags and version", plan, r.PlanID)
	}
	if s.offset, s.bound, err = m.clock(ctx); err != nil {
		return nil, &Exit{fleet.ExitRefused, err}
	}
	if s.bound > maxBound {
		return nil, exitf(fleet.ExitRefused, "the common clock is known to ±%s only, want ±%s: use a rendezvous that is nearer", s.bound, maxBound)
	}
	r.OffsetUS, r.BoundUS = s.offset.Microseconds(), s.bound.Microseconds()
	text, err := json.Marshal(r)
	if err == nil { // together: who is ready lives
		pipe := m.rdb.TxPipeline()
		pipe.Set(ctx, m.key("beat", member.Index), r.Incarnation, alive)
		pipe.HSet(ctx, m.key("ready"), member.Index, text)
		pipe.Expire(ctx, m.key("ready"), keep)
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		return nil, exitf(fleet.ExitRefused, "rendezvous: say that member %s is ready: %w", member, err)
	}
	return s, nil
}

// Start waits at the barrier and returns the common instant on this machine's
// clock.
func (s *Seat) Start(ctx context.Context, barrier time.Duration) (time.Time, error) {
	var at int64
	err := wait(ctx, barrier, func() (bool, error) {
		if err := s.m.rdb.Set(ctx, s.m.key("beat", s.member.Index), s.who, alive).Err(); err != nil {
			return false, err
		}
		values, err := s.m.rdb.MGet(ctx, s.m.key("start"), s.m.key("abort")).Result()
		if err != nil {
			return false, err
		}
		if why, ok := values[1].(string); ok {
			return false, exitf(fleet.ExitAborted, "stopped before the start: %s", why)
		}
		text, ok := values[0].(string)
		if !ok {
			return false, nil
		}
		_, err = fmt.Sscan(text, &at)
		return err == nil, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return time.Time{}, exitf(fleet.ExitBarrier, "not everybody was ready within %s", barrier)
	}
	if err != nil {
		if ctx.Err() != nil {
			s.giveUp(ctx)
		}
		return time.Time{}, err
	}
	start := time.UnixMicro(at).Add(-s.offset)
	if late := time.Since(start); late > 0 {
		return time.Time{}, exitf(fleet.ExitFenced, "the start was %s ago: a member that comes late would send another plan", late.Round(time.Millisecond))
	}
	return start, nil
}

// giveUp gives the index back to whoever takes this member's place, as a pod that is
// moved away before the start must. It can fail: the index then stays taken.
func (s *Seat) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), call)
	defer cancel()
	i := s.member.Index
	_ = leave.Run(ctx, s.m.rdb, []string{s.m.key("start"), s.m.key("claim", i), s.m.key("beat", i), s.m.key("ready")}, s.who, i).Err()
}

// Watch says that the member lives, and calls stop once when it is told to stop
// or has been without a controller for the lease's time. It returns when ctx ends,
// which is when the document was delivered: until then the member is not lost.
func (s *Seat) Watch(ctx context.Context, stop func(why error)) {
	t := time.NewTicker(poll)
	defer t.Stop()
	var once sync.Once
	led, beaten := time.Now(), time.Time{}
	var missed time.Time // since when Redis has said that nobody leads
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if time.Since(beaten) >= beat && s.beat(ctx) == nil {
			beaten = time.Now()
		}
		held, abort, err := s.look(ctx)
		switch {
		case err != nil: // Redis is away: whether anybody leads is not known
		case held:
			led, missed = time.Now(), time.Time{}
		case missed.IsZero():
			missed = time.Now()
		}
		switch {
		case err == nil && abort != "":
			once.Do(func() { stop(exitf(fleet.ExitAborted, "stopped by the controller: %s", abort)) })
		case time.Since(led) > lease, !missed.IsZero() && time.Since(missed) > absent:
			once.Do(func() { stop(exitf(fleet.ExitAborted, NoController+" for %s", lease)) })
		}
	}
}

// beat says that the member lives.
func (s *Seat) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	return s.m.rdb.Set(ctx, s.m.key("beat", s.member.Index), s.who, alive).Err()
}

// look asks whether a controller leads, and for the reason of an abort.
func (s *Seat) look(ctx context.Context) (led bool, abort string, err error) {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	values, err := s.m.rdb.MGet(ctx, s.m.key("lease"), s.m.key("abort")).Result()
	if err != nil {
		return false, "", err
	}
	abort, _ = values[1].(string)
	return values[0] != nil, abort, nil
}

// Deliver hands over what was measured. It is tried again until ctx ends. A member
// that was told to go by somebody else than its controller has left: it is lost,
// and what it measured until then is kept.
func (s *Seat) Deliver(ctx context.Context, document []byte, left bool) error {
	end := s.who
	if left {
		end = leftEarly
	}
	for {
		err := s.deliver(ctx, document, end)
		if err == nil || !sleep(ctx, beat) {
			return err
		}
	}
}

// leftEarly is how a member ended that went before its share was sent.
const leftEarly = "left"

func (s *Seat) deliver(ctx context.Context, document []byte, end string) error {
	pipe := s.m.rdb.TxPipeline()
	pipe.Set(ctx, s.m.key("document", s.member.Index), document, keep)
	pipe.HSet(ctx, s.m.key("final"), s.member.Index, end)
	pipe.Expire(ctx, s.m.key("final"), keep)
	pipe.Expire(ctx, s.m.key("ready"), keep)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("rendezvous: deliver the document of member %s: %w", s.member, err)
	}
	return nil
}
