package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// signingIn is how many accounts are signed in at once before the load: each
// costs the server a password hash, and more at once would only queue there.
const signingIn = 4

// lostTries is how often one account asks before the load when the answer is lost, and
// shedTries when the API sheds it: a 503 that asks to come back within mostWait.
const (
	lostTries = 3
	shedTries = 6
	mostWait  = 5 * time.Second
)

// signInAll signs accounts in before the measured window, as many as the load is
// expected to need. One that cannot sign in is an error: a run that begins
// without it would fail in a place further from the cause.
func (r *run) signInAll(ctx context.Context, sc *scenarios.Scenario) error {
	places, requests := r.need()
	open, left := r.sessions.open(time.Now(), r.plan.requests)
	want := places - open
	if budget := r.plan.requests; budget > 0 {
		// What is left to accounts of earlier scenarios counts; what is missing
		// is made up for here, and not by sign-ins inside the measured window.
		want = max(want, int(math.Ceil((requests-float64(left))/float64(budget))))
	}
	// The part over what is needed at least is for comfort: it is not asked of a file
	// that lacks it.
	want = min(want, r.sessions.fresh(time.Now()))
	if want <= 0 && open == 0 {
		return &unbegun{by: measure.NoAccount, why: fmt.Errorf("sign in before the load: %w", r.sessions.none(time.Now(), r.plan.requests))}
	}
	if want <= 0 {
		r.note("%d accounts were signed in already", r.sessions.Live())
		return nil
	}
	began := time.Now()
	if r.opt.SigningIn != nil {
		r.opt.SigningIn(0, want)
	}
	r.connect()
	defer r.clients.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var told sync.Mutex
	done := 0
	var wg sync.WaitGroup
	for i := range min(signingIn, want) {
		wg.Go(func() {
			v := r.newVisitor(uint64(i))
			v.quiet = true
			defer v.close()
			for next.Add(1) <= int64(want) && ctx.Err() == nil {
				if err := v.signInBefore(ctx); err != nil {
					cancel(err)
					return
				}
				told.Lock() // one at a time, and in order
				if done++; r.opt.SigningIn != nil {
					r.opt.SigningIn(done, want)
				}
				told.Unlock()
			}
		})
	}
	wg.Wait()
	if n := r.askedAgain.Load(); n > 0 {
		r.note("sign-ins before the load whose answer was lost or shed, and that were asked again: %d", n)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.note("%d accounts were signed in before the load, in %s", want, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// signInBefore signs the next account in and leaves its session for the load.
func (v *visitor) signInBefore(ctx context.Context) error {
	s := v.r.sessions
	a := s.next(time.Now())
	if a == nil {
		return &unbegun{by: measure.NoAccount, why: errors.New("sign in before the load: no account is left that could")}
	}
	v.become(a)
	v.begin(&v.r.plan.journeys[0], 0, 0)
	ok := v.do(ctx, v.r.plan.signIn, 0)
	for try := 1; !ok && ctx.Err() == nil; try++ {
		wait, shed := v.shed()
		if lost := v.call.Class.Lost(); !(lost && try < lostTries || shed && try < shedTries) {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			v.r.askedAgain.Add(1) // nothing is measured yet: one lost answer is no reason to measure nothing
			ok = v.do(ctx, v.r.plan.signIn, 0)
		}
	}
	if _, ok := v.signedIn(ok); !ok {
		by := measure.NoSignIn
		if v.call.Class.Unreached() {
			by = measure.TargetDead
		}
		return &unbegun{by, fmt.Errorf("sign in account %d of %d before the load: %s", a.row, len(s.all), v.trouble(v.r.plan.signIn)), []measure.Exemplar{v.exemplar(v.r.plan.signIn)}}
	}
	s.leave(a)
	v.sess = nil
	return nil
}

// shed tells whether the last call was answered by a 503 that asks to come back within
// mostWait, and when: a longer wait is a lock's, which nobody asks into.
func (v *visitor) shed() (wait time.Duration, shed bool) {
	value, _ := v.call.Header("Retry-After")
	seconds, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	wait = time.Duration(seconds) * time.Second
	if err != nil || wait < 0 || wait > mostWait || v.call.Class != measure.None || v.call.Code != http.StatusServiceUnavailable {
		return 0, false
	}
	return wait, true
}

// enough refuses a load whose users would find no account: each needs one, or a
// share of one as the scenario says.
func (r *run) enough() error {
	signed := slices.ContainsFunc(r.plan.journeys, func(j journey) bool { return j.signed })
	if r.load.Model != scenarios.Users || r.plan.signIn == nil || !signed {
		return nil
	}
	users := (r.load.Users().Max() - r.opt.Shard + r.opt.Shards - 1) / r.opt.Shards
	need := (users + r.share - 1) / r.share
	if have := r.sessions.size(); have < need {
		shared := ""
		if r.share > 1 {
			shared = fmt.Sprintf(", %d to one", r.share)
		}
		return &unbegun{by: measure.NoAccount, why: fmt.Errorf("%d users need %d accounts%s; there are %d", users, need, shared, have)}
	}
	return nil
}

// trouble says what came of the last call, which was s: never what was sent.
func (v *visitor) trouble(s *step) string {
	words := redactKnown(v.why(s, v.class, v.call.Done-v.call.Began), v.secrets())
	if v.class == measure.BadStatus {
		if body := excerpt(v.answer(), v.secrets(), v.opens(s)); body != "" && v.call.Code/100 != 2 { // what opens a session is in no word of ours
			if v.call.Code == http.StatusUnauthorized {
				words += " (are the accounts of --accounts those of this deployment?)"
			}
			return words + ": " + body
		}
		if code, ok := (path{"code"}).find(v.answer(), first); ok {
			words += fmt.Sprintf(", code %s", came(text(nil, code), v.secrets()))
		}
	}
	return words
}

// spare is how much more than expected is signed in: some users are quicker than
// others, and accounts end with a rest too small for the next task.
const spare = 1.2

// need is what the load is expected to use: accounts, so that every user has a
// place, and requests.
func (r *run) need() (places int, requests float64) {
	level := 0.0
	var journeySteps, thinking float64
	for i := range r.plan.journeys {
		j := &r.plan.journeys[i]
		var weight, steps, think float64
		for k := range j.tasks {
			t := &j.tasks[k]
			weight += float64(t.weight)
			steps += float64(t.weight * len(t.steps))
			think += float64(t.weight) * (t.think.From + t.think.To).Seconds() / 2
		}
		share := float64(j.weight) / float64(r.plan.weight)
		journeySteps += share * steps / weight
		thinking += share * think / weight
	}
	for _, s := range r.load.Stages {
		level = max(level, s.From, s.To)
		requests += (s.From + s.To) / 2 * s.For.Seconds() * journeySteps
	}
	if r.load.Model == scenarios.Arrivals {
		level = min(level, 64)
	} else if thinking > 0 {
		requests /= thinking
	}
	n := float64(r.opt.Shards)
	return int(math.Ceil(spare * level / float64(r.share) / n)), spare * requests / n
}

func (r *run) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}
