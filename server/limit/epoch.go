package limit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The sentinel rl:epoch says that this server, since it started, has been told
// of all live locks. Its value is the server's run ID. Every script asks whether
// it exists, in the same step as its work: a flush frees nobody, not even for
// one request. Every new connection compares its value: a restart breaks all
// connections, and a server that came back with an old snapshot holds an old run
// ID beside its too few locks.
const (
	epochKey  = "rl:epoch"
	probeKey  = "rl:probe"     // written to see whether the server takes writes
	epochLife = 24 * time.Hour // renewed by Run; every key has an end
	noRunID   = "unknown"      // of servers that do not tell: then only presence counts
)

// onConnect vouches for a connection before it is used.
func (r *Redis) onConnect(ctx context.Context, conn *redis.Conn) error {
	return r.restore(ctx, conn)
}

// reload does the same for a server that was emptied under its connections. It
// holds a connection of its own from before it waits its turn, because opening
// one would wait for the same turn.
func (r *Redis) reload(ctx context.Context) error {
	conn := r.client.Conn()
	defer conn.Close()
	if err := conn.Ping(ctx).Err(); err != nil {
		return err
	}
	return r.restore(ctx, conn)
}

// vouch renews the sentinel, or reloads the locks where it is gone. ctx bounds
// it: a reload may take longer than a call.
func (r *Redis) vouch(ctx context.Context) error {
	start := time.Now()
	there, err := r.client.Expire(ctx, epochKey, epochLife).Result()
	if err == nil && !there {
		err = r.reload(ctx)
	}
	if err == nil { // a full server takes no locks, but renews them
		err = r.client.Set(ctx, probeKey, "", epochLife).Err()
	}
	r.metrics.called("vouch", start, err)
	return err
}

// hold writes locks that were started without the server, unless it has them.
func (r *Redis) hold(ctx context.Context, locks []Lock) error {
	if len(locks) == 0 {
		return nil
	}
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		setLocks(ctx, p, locks)
		return nil
	})
	if err != nil {
		return fmt.Errorf("write %d locks back to redis: %w", len(locks), err)
	}
	return nil
}

func setLocks(ctx context.Context, p redis.Pipeliner, locks []Lock) {
	for _, l := range locks {
		if rest := time.Until(l.Until).Truncate(time.Millisecond); rest > 0 {
			p.SetNX(ctx, redisKey(l.Key, l.Policy, "l"), "restored", rest)
		}
	}
}

// restorer is what restore needs: the client, or the one connection that is
// being opened.
type restorer interface {
	Get(ctx context.Context, key string) *redis.StringCmd
	Info(ctx context.Context, section ...string) *redis.StringCmd
	TxPipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}

// restore writes the live locks and then the sentinel, in one transaction, unless
// the sentinel vouches already. One at a time: who waited finds it done.
func (r *Redis) restore(ctx context.Context, c restorer) error {
	select {
	case r.restoring <- struct{}{}:
		defer func() { <-r.restoring }()
	case <-ctx.Done():
		return fmt.Errorf("wait for the reload of locks: %w", ctx.Err())
	}
	run, err := runID(ctx, c)
	if err != nil {
		return fmt.Errorf("ask redis for its run ID: %w", err)
	}
	epoch, err := c.Get(ctx, epochKey).Result()
	if err == nil && epoch == run {
		return nil
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("read %s: %w", epochKey, err)
	}
	locks, err := r.live(ctx)
	if err != nil {
		return fmt.Errorf("read the locks in force: %w", err)
	}
	_, err = c.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		setLocks(ctx, tx, locks)
		tx.Set(ctx, epochKey, run, epochLife)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reload %d locks into redis: %w", len(locks), err)
	}
	return nil
}

// runID identifies the running server.
func runID(ctx context.Context, c restorer) (string, error) {
	info, err := c.Info(ctx, "server").Result()
	if _, refused := errors.AsType[redis.Error](err); refused {
		return noRunID, nil
	}
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "run_id:"); ok {
			return strings.TrimSpace(id), nil
		}
	}
	return noRunID, nil
}
