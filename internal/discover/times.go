package discover

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// times finds out how long a refusal lasts, and what kind of limit it is.
//
// One who is refused is asked again and again, at growing distances, until judged.
// At that moment others begin afresh, so that a window which is aligned to the clock
// is seen whole:
//   - one who makes all guesses at once and is asked once, at the end: it must be
//     judged then, else asking itself prolongs the refusal;
//   - one who makes the first guess, pauses, and makes the rest: a window ends counted
//     from the first guess, a lock from the last.
//
// How many are judged at once in the end tells a bucket, which gives back one, from a
// window or a lock, which give back all.
func (s *search) times(ctx context.Context, a who, refusedAt time.Time) error {
	if s.say("waiting until the first one is judged again"); s.first.Told && s.first.RetryAfter > 0 {
		s.say("the API says in %v: all of it takes about %v, for a lock with a window %v", s.first.RetryAfter, wholes*s.first.RetryAfter, withWindow*s.first.RetryAfter)
	}
	low, high, err := s.released(ctx, a, refusedAt)
	if err != nil || high == 0 {
		return err
	}
	s.say("it was refused for %v: the rest takes about %v, for a lock with a window %v", high.Round(100*time.Millisecond), ((wholes - 1) * high).Round(time.Second), ((withWindow - 1) * high).Round(time.Second))
	// The same again, from the moment of release on.
	b := s.somebody()
	if s.o.Address == nil {
		b.from = a.from
		if s.f.Limit.By != "account" {
			s.f.Limit.Window = s.rounded(low, high) // for want of better
			s.unknown("kind", "window or lock: it takes several client addresses")
			return nil
		}
	}
	began := time.Now()
	if err := s.fill(ctx, b, s.limit+1); err != nil {
		return err
	}
	s.say("and once more, from the moment of release")
	low2, high2, err := s.released(ctx, b, began)
	if err != nil {
		return err
	}
	if high2 == 0 {
		s.unknown("window", "the second time it lasted longer than %v", s.o.Patience)
		return nil
	}
	aligned := low2 > high*11/10
	at, err := s.freedAtOnce(ctx, b)
	if err != nil {
		return err
	}
	low, high = low2, high2
	if at < s.limit && !aligned && s.limit > 1 {
		return s.bucket(ctx, low, high, at)
	}
	return s.lockOrWindow(ctx, low, high, aligned)
}

// wholes is how many times a refusal is waited for, one after the other: until it ends,
// the same again, and half of it and all of it to tell a window from a lock.
// How long failures before a lock are counted takes as many again, and more.
const (
	wholes     = 4
	withWindow = 12
)

// released asks one who is refused until judged; the interval of the moment, counted
// from began, with nothing when patience ends first.
func (s *search) released(ctx context.Context, w who, began time.Time) (low, high time.Duration, err error) {
	step := 50 * time.Millisecond
	for {
		a, err := s.guess(ctx, w)
		if err != nil {
			return 0, 0, err
		}
		refused, err := s.turned(a)
		if err != nil {
			return 0, 0, err
		}
		since := a.Done.Sub(began)
		if !refused {
			return low, since, nil
		}
		low = a.Sent.Sub(began)
		if since > s.o.Patience {
			s.unknown("window", "it was still refused after %v", since.Round(time.Second))
			return low, 0, nil
		}
		step = max(50*time.Millisecond, since/8)
		if a.Told && a.RetryAfter > 0 && a.RetryAfter > 2*step {
			step = min(a.RetryAfter-time.Second/2, s.o.Patience) // it says how long: look shortly before
			if a.RetryAfter <= time.Second {
				step = 100 * time.Millisecond
			}
		}
		if err := s.sleep(ctx, step); err != nil {
			return 0, 0, err
		}
	}
}

func (s *search) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fill makes so many guesses.
func (s *search) fill(ctx context.Context, w who, n int) error {
	for range n {
		if _, err := s.guess(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// freedAtOnce is how many are judged at once when one was just judged again.
func (s *search) freedAtOnce(ctx context.Context, w who) (int, error) {
	for n := 1; n <= s.limit; n++ {
		a, err := s.guess(ctx, w)
		if err != nil {
			return n, err
		}
		refused, err := s.turned(a)
		if err != nil || refused {
			return n, err
		}
	}
	return s.limit, nil
}

// bucket is a limit that gives back one at a time: its window is the time in which it
// gives back all.
func (s *search) bucket(_ context.Context, low, high time.Duration, at int) error {
	s.f.Kind = TokenBucket
	n := time.Duration(s.limit)
	s.f.Limit.Window = nice(low*n/time.Duration(at), high*n/time.Duration(at))
	s.f.Notes = append(s.f.Notes, fmt.Sprintf("it gives back about one every %v", ((low+high)/2/time.Duration(at)).Round(10*time.Millisecond)))
	s.say("it gives back one at a time")
	return nil
}

// asked is one who guesses, pauses, guesses, and is asked once at a moment.
type asked struct {
	first, rest int
	pause, at   time.Duration
	refused     bool
	freed       int
	err         error
}

// apart carries out several at once, each by somebody else.
func (s *search) apart(ctx context.Context, all []*asked) error {
	var wg sync.WaitGroup
	var mu sync.Mutex // the search is not for several goroutines: only waiting goes side by side
	locked := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
	for _, x := range all {
		var w who
		locked(func() {
			w = s.somebody()
			x.err = s.fill(ctx, w, x.first)
		})
		begin := time.Now()
		wg.Go(func() {
			if x.err == nil {
				x.err = s.sleep(ctx, x.pause-time.Since(begin))
			}
			locked(func() {
				if x.err == nil {
					x.err = s.fill(ctx, w, x.rest)
				}
			})
			if x.err == nil {
				x.err = s.sleep(ctx, x.at-time.Since(begin))
			}
			locked(func() {
				if x.err != nil {
					return
				}
				var a Answer
				if a, x.err = s.guess(ctx, w); x.err == nil {
					x.refused, x.err = s.turned(a)
				}
				if x.err == nil && !x.refused {
					x.freed, x.err = s.freedAtOnce(ctx, w)
				}
			})
		})
	}
	wg.Wait()
	for _, x := range all {
		if x.err != nil {
			return x.err
		}
	}
	return nil
}

// lockOrWindow tells a lock, whose end counts from the last guess, from a window,
// whose end counts from the first.
func (s *search) lockOrWindow(ctx context.Context, low, high time.Duration, aligned bool) error {
	took := s.rounded(low, high)
	if s.o.Address == nil {
		s.f.Limit.Window = took
		return nil
	}
	if aligned {
		s.f.Kind = FixedWindow
		s.f.Limit.Window = took
		s.f.Notes = append(s.f.Notes, "its windows begin at fixed times of the clock")
		return nil
	}
	if s.limit < 2 {
		s.f.Limit.Window = took
		s.unknown("kind", "window or lock: with a limit of 1 they look alike")
		return nil
	}
	margin := max(high-low, high/10, 100*time.Millisecond)
	pause := high/2 + margin
	s.say("telling a window from a lock: one who pauses %v between the first guess and the rest", pause.Round(100*time.Millisecond))
	quiet := &asked{first: s.limit + 1, at: high + margin}
	spread := &asked{first: 1, rest: s.limit, pause: pause, at: high + margin}
	after := &asked{first: 1, rest: s.limit, pause: pause, at: pause + high + margin}
	if err := s.apart(ctx, []*asked{quiet, spread, after}); err != nil {
		return err
	}
	switch {
	case quiet.refused:
		s.unknown("window", "one who did not ask meanwhile was refused longer than one who did: between %v and more", high)
	case !spread.refused && spread.freed < s.limit-1:
		s.f.Kind, s.f.Limit.Window = SlidingLog, took
	case !spread.refused && s.limit == 2:
		s.f.Kind, s.f.Limit.Window = FixedWindow, took
		s.unknown("kind", "fixed or sliding window: with a limit of 2 they look alike")
	case !spread.refused:
		s.f.Kind, s.f.Limit.Window = FixedWindow, took
	case !after.refused:
		s.f.Kind, s.f.Limit.Lock = Lockout, took
		if told := s.first.RetryAfter; s.first.Told && (told-took).Abs() <= max(time.Second, high/8) {
			s.f.Limit.Lock = told // the refusal that began it says how long, and was seen to mean it
		}
		return s.window(ctx, high)
	default:
		s.f.Limit.Window = took
		s.unknown("kind", "neither a window nor a lock explains when it was judged again")
	}
	s.say("%s", s.f.Kind)
	return nil
}

// rounded is nice, for a clock that may count whole seconds: 20 s of such a clock end
// between 19 and 20 s after they began.
func (s *search) rounded(low, high time.Duration) time.Duration {
	took, whole := nice(low, high), (high+time.Second-1)/(5*time.Second)*(5*time.Second)
	if took%(5*time.Second) == 0 || whole <= high || whole < 10*time.Second {
		return took
	}
	s.f.Notes = append(s.f.Notes, fmt.Sprintf("it was judged again between %v and %v: taken for %v of a clock that counts whole seconds", low.Round(100*time.Millisecond), high.Round(100*time.Millisecond), whole))
	return whole
}

// window finds out how long failures before a lock are counted: one who makes all but
// one of them, pauses, and makes two. When the second is refused, the early ones still
// counted.
func (s *search) window(ctx context.Context, lock time.Duration) error {
	n := s.limit - 1
	try := func(pauses []time.Duration) (held, gone time.Duration, err error) {
		var all []*asked
		for _, p := range pauses {
			all = append(all, &asked{first: n, rest: 1, pause: p, at: p})
		}
		if err := s.apart(ctx, all); err != nil {
			return 0, 0, err
		}
		for i, x := range all {
			if x.refused {
				held = max(held, pauses[i])
			} else if gone == 0 || pauses[i] < gone {
				gone = pauses[i]
			}
		}
		return held, gone, nil
	}
	s.say("how long failures are counted before the lock")
	most := min(s.o.Patience, 4*lock)
	held, gone, err := try(sortedTimes([]time.Duration{most / 16, most / 8, most / 4, most / 2, most}))
	if err != nil {
		return err
	}
	switch {
	case gone == 0:
		s.f.Notes = append(s.f.Notes, fmt.Sprintf("failures still counted after %v: the window is longer, or there is none", most.Round(100*time.Millisecond)))
		s.unknown("window", "longer than %v, or none", most.Round(100*time.Millisecond))
		return nil
	case held > gone:
		s.unknown("window", "failures counted after %v and not after %v", held, gone)
		return nil
	}
	for range 2 {
		step := (gone - held) / 5
		if step < 20*time.Millisecond || s.f.Requests+4*(n+2) > s.o.Budget {
			break
		}
		h, g, err := try([]time.Duration{held + step, held + 2*step, held + 3*step, held + 4*step})
		if err != nil {
			return err
		}
		if h > 0 {
			held = h
		}
		if g > 0 {
			gone = g
		}
	}
	s.f.Limit.Window = nice(held, gone)
	s.say("a lockout with a window of %v", s.f.Limit.Window)
	return nil
}
