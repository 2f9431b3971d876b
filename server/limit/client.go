package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions says where the shared limiter is and what its absence means.
type RedisOptions struct {
	URL     string        // redis://, rediss:// or unix://; holds a password: never logged
	Timeout time.Duration // of dialling, of one call, of waiting for a connection; 0 = 200 ms
	Failure Failure       // RATE_LIMIT_REDIS_FAILURE
	Strict  bool          // production: refuse a server that may evict locks
}

const defaultRedisTimeout = 200 * time.Millisecond

// redisCalls is how many calls are under way at once: as many connections are
// kept, so that a crowd finds them open.
const redisCalls = 64

// newClient makes a Redis client that does each thing once, in time, or not at
// all. The library's defaults send a slow call four times and
// wait five seconds on a hung server whatever the context says (12).
func newClient(o RedisOptions, onConnect func(context.Context, *redis.Conn) error) (*redis.Client, error) {
	opt, err := redis.ParseURL(o.URL)
	if err != nil { // the library's text may quote the URL, and so the password
		return nil, errors.New("redis URL: not of the form redis://[user:password@]host:port/db, rediss://… or unix://…")
	}
	opt.OnConnect = onConnect
	opt.Protocol = 2 // no pushes wanted
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opt.DisableIdentity = true

	opt.MaxRetries = -1   // a retry would count an attempt twice
	opt.DialerRetries = 1 // the breaker decides when to try again
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout, opt.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	opt.ContextTimeoutEnabled = true // else a deadline is ignored

	// The pool answers for itself, for up to a second, after as many failed dials
	// as it has slots: many small ones keep that rare.
	opt.PoolSize = 128
	opt.PipelinePoolSize = -1
	opt.ReadBufferSize, opt.WriteBufferSize = 4<<10, 4<<10
	opt.MaxIdleConns = redisCalls
	opt.ConnMaxIdleTime = 5 * time.Minute
	return redis.NewClient(opt), nil
}

// clientLog sends the library's own lines, plain text on stderr by default, to
// our log: at DEBUG, because whatever matters comes back as an error too.
type clientLog struct{ log *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, v...), "source", "redis client")
}
