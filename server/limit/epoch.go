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

// onConnect has a connection vouched for before it is used.
func (r *Redis) onConnect(ctx context.Context, conn *redis.Conn) error {
	run, vouched, err := inspect(ctx, conn)
	if err != nil || vouched {
		return err
	}
	return r.restore(ctx, conn, run)
}

// reload does the same for a server that was emptied under its connections. It
// opens a connection of its own first, because opening one under restore's turn
// would wait for that turn.
func (r *Redis) reload(ctx context.Context) error {
	conn := r.client.Conn()
	defer conn.Close()
	if err := conn.Ping(ctx).Err(); err != nil {
		return err
	}
	return r.onConnect(ctx, conn)
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

// restore writes the live locks and then the sentinel, in one transaction. One at
// a time: a caller that waited finds it done.
func (r *Redis) restore(ctx context.Context, conn *redis.Conn, run string) error {
	select {
	case r.restoring <- struct{}{}:
		defer func() { <-r.restoring }()
	case <-ctx.Done():
		return fmt.Errorf("wait for the reload of locks: %w", ctx.Err())
	}
	if _, vouched, err := inspect(ctx, conn); err != nil || vouched {
		return err
	}
	locks, err := r.live(ctx)
	if err != nil {
		return fmt.Errorf("read the locks in force: %w", err)
	}
	_, err = conn.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		setLocks(ctx, tx, locks)
		tx.Set(ctx, epochKey, run, epochLife)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reload %d locks into redis: %w", len(locks), err)
	}
	return nil
}

// inspect asks who the running server is, and whether the sentinel is of its life.
func inspect(ctx context.Context, conn *redis.Conn) (run string, vouched bool, err error) {
	var info, epoch *redis.StringCmd
	_, _ = conn.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer has its own error
		info, epoch = p.Info(ctx, "server"), p.Get(ctx, epochKey)
		return nil
	})
	if err := epoch.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return "", false, fmt.Errorf("read %s: %w", epochKey, err)
	}
	run = noRunID
	for line := range strings.Lines(info.Val()) { // none where INFO is forbidden
		if id, ok := strings.CutPrefix(line, "run_id:"); ok {
			run = strings.TrimSpace(id)
		}
	}
	return run, epoch.Val() == run, nil
}
