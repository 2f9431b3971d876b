package limit

import (
	"log/slog"
	"sync"
	"time"
)

// When we stop asking, and for how long. The pause after a
// failed probe is shorter, so that recovery takes less than two seconds.
const (
	breakAfter = 5
	firstPause = time.Second
	nextPause  = 500 * time.Millisecond
)

// breaker knows whether Redis is asked: five failures in a row, and it is left
// alone until somebody finds it well.
type breaker struct {
	mode    Failure // for the log
	metrics *metrics
	log     *slog.Logger

	mu     sync.Mutex
	failed int       // calls in a row
	since  time.Time // of the outage; zero = well
	probe  time.Time // when Redis may be asked again
}

// outage is when Redis was given up; zero while it is asked.
func (b *breaker) outage() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.since
}

func (b *breaker) degraded() bool { return !b.outage().IsZero() }

// early reports whether it is too soon to probe.
func (b *breaker) early() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.since.IsZero() && time.Now().Before(b.probe)
}

// called counts how calls to Redis end, and degrades after too many failures.
func (b *breaker) called(err error) {
	b.mu.Lock()
	if err == nil {
		b.failed = 0
	} else {
		b.failed++
	}
	tooMany := b.failed >= breakAfter
	b.mu.Unlock()
	if tooMany {
		b.degrade(err)
	}
}

// degrade leaves Redis alone, and says so once.
func (b *breaker) degrade(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.since.IsZero() {
		return
	}
	b.since = time.Now()
	b.probe = b.since.Add(firstPause)
	b.metrics.degraded.Set(1)
	b.log.Error("redis does not answer: rate limits are degraded", "mode", string(b.mode), "error", cause)
}

// refused is for a probe that failed.
func (b *breaker) refused(err error) {
	b.mu.Lock()
	b.probe = time.Now().Add(nextPause)
	b.mu.Unlock()
	b.called(err)
}

// recovered ends the outage, if there is one.
func (b *breaker) recovered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = 0
	if b.since.IsZero() {
		return
	}
	b.log.Info("redis answers again: rate limits are shared", "after", time.Since(b.since))
	b.since = time.Time{}
	b.metrics.degraded.Set(0)
}
