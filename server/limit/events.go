package limit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"vitals/server/web"
)

// The limiter's security events, as the log's message.
const (
	eventLockoutStarted = "lockout_started"
	eventLockoutDenied  = "lockout_denied"
)

// deniedEvery is how often at most a denial under a lock is logged: an attack
// must not write our log for us.
const deniedEvery = time.Second

// events logs what an attacker may have done.
type events struct {
	log *slog.Logger

	mu     sync.Mutex
	last   time.Time // denial logged
	silent int       // denials since
}

// decided logs a lock that starts, and a sample of what is denied under locks.
func (e *events) decided(ctx context.Context, p Policy, d Decision) {
	switch d.Verdict {
	case LockedNow:
		e.write(ctx, eventLockoutStarted, p, d)
	case Locked:
		e.mu.Lock()
		defer e.mu.Unlock()
		if time.Since(e.last) < deniedEvery {
			e.silent++
			return
		}
		e.write(ctx, eventLockoutDenied, p, d, slog.Int("not_logged_before", e.silent))
		e.last, e.silent = time.Now(), 0
	}
}

func (e *events) write(ctx context.Context, event string, p Policy, d Decision, more ...slog.Attr) {
	attrs := append(more, slog.String("event", event), slog.String("policy", p.Name),
		slog.String("client_ip", web.ClientIP(ctx).String()), slog.Int64("seconds_left", seconds(d.Retry)))
	e.log.LogAttrs(ctx, slog.LevelWarn, event, attrs...)
}
