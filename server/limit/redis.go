package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is the Limiter that all processes share, in one server (not a Redis
// Cluster: one sentinel cannot vouch for many nodes). Each method is one round
// trip, sent once, and takes at most the timeout. Safe for concurrent use.
type Redis struct {
	client    *redis.Client
	scripts   scripts
	live      func(context.Context) ([]Lock, error)
	timeout   time.Duration
	lease     time.Duration
	restoring chan struct{}
	metrics   *metrics
}

// newRedis makes the limiter and connects to nothing yet. live lists the locks
// that a server which lost its data must be told of.
func newRedis(o RedisOptions, lease time.Duration, live func(context.Context) ([]Lock, error), m *metrics, log *slog.Logger) (*Redis, error) {
	if o.Timeout <= 0 {
		o.Timeout = defaultRedisTimeout
	}
	r := &Redis{
		scripts: newScripts(), live: live, timeout: o.Timeout, lease: lease,
		restoring: make(chan struct{}, 1), metrics: m,
	}
	redis.SetLogger(clientLog{log})
	client, err := newClient(o, r.onConnect)
	if err != nil {
		return nil, err
	}
	r.client = client
	return r, nil
}

// Close ends the connections.
func (r *Redis) Close() error { return r.client.Close() }

// Take is Limiter.Take.
func (r *Redis) Take(ctx context.Context, p Policy, key, id string) (Decision, error) {
	if !p.exact() {
		return r.buckets(ctx, p, key, 1)
	}
	keys := []string{redisKey(key, p.Name, "f"), epochKey}
	return r.decide(ctx, p, "take", r.scripts.take, keys, p.Limit, p.Window.Milliseconds(), id)
}

// Begin is Limiter.Begin.
func (r *Redis) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	return r.decide(ctx, p, "begin", r.scripts.begin, slotKeys(key, p.Name),
		p.Limit, p.Window.Milliseconds(), p.Lock.Milliseconds(), id, r.lease.Milliseconds())
}

// Commit is Limiter.Commit.
func (r *Redis) Commit(ctx context.Context, p Policy, key, id string, o Outcome, user string) (Decision, error) {
	if !p.exact() {
		if o != Released {
			return Decision{}, fmt.Errorf("limiter commit: %s is no outcome of a counted request", o)
		}
		return r.buckets(ctx, p, key, -1)
	}
	d, err := r.decide(ctx, p, "commit", r.scripts.commit, slotKeys(key, p.Name),
		p.Limit, p.Window.Milliseconds(), id, o.String(), user)
	if err != nil {
		return Decision{}, err
	}
	d.Verdict, d.Retry = Allowed, 0
	return d, nil
}

// Lift is Limiter.Lift.
func (r *Redis) Lift(ctx context.Context, p Policy, key string) (bool, error) {
	var n int64
	err := r.call(ctx, "lift", func(ctx context.Context) (err error) {
		n, err = r.client.Del(ctx, redisKey(key, p.Name, "l")).Result()
		return err
	})
	return n > 0, err
}

// decide runs a script that answers with a verdict, the entries in the window,
// and milliseconds.
func (r *Redis) decide(ctx context.Context, p Policy, name string, s *redis.Script, keys []string, args ...any) (Decision, error) {
	a, err := r.run(ctx, name, s, keys, args...)
	if err != nil {
		return Decision{}, err
	}
	u := used{entries: int(a.numbers[0]), leaves: time.Duration(a.numbers[1]) * time.Millisecond}
	switch a.verdict {
	case "allowed":
		return u.open(p), nil
	case "busy":
		return u.busy(p), nil
	case "locked":
		return held(Locked, u.leaves), nil
	case "locked_now":
		return held(LockedNow, u.leaves), nil
	default:
		return u.shut(), nil
	}
}

// buckets counts in two fixed windows, by +1 or −1.
func (r *Redis) buckets(ctx context.Context, p Policy, key string, by int) (Decision, error) {
	a, err := r.run(ctx, "take", r.scripts.buckets, []string{redisKey(key, p.Name, "w"), epochKey},
		p.Limit, p.Window.Milliseconds(), by)
	if err != nil {
		return Decision{}, err
	}
	b := buckets{
		previous: int(a.numbers[0]), current: int(a.numbers[1]),
		elapsed: time.Duration(a.numbers[2]) * time.Millisecond,
	}
	return b.decide(p, a.verdict == "allowed"), nil
}

// Admit is Accounts.Admit.
func (r *Redis) Admit(ctx context.Context, t Throttle, account, id string) (time.Duration, error) {
	a, err := r.run(ctx, "admit", r.scripts.admit, accountKeys(account), t.Failures, t.Window.Milliseconds(),
		streakMax, firstWait.Milliseconds(), lastWait.Milliseconds(), busyWait.Milliseconds(), id, r.lease.Milliseconds())
	if err != nil || a.verdict == "allowed" {
		return 0, err
	}
	return time.Duration(a.numbers[1]) * time.Millisecond, nil
}

// Judge is Accounts.Judge.
func (r *Redis) Judge(ctx context.Context, t Throttle, account, from, id string, o Outcome) error {
	_, err := r.run(ctx, "judge", r.scripts.judge, accountKeys(account), t.Failures, t.Window.Milliseconds(),
		streakMax, firstWait.Milliseconds(), lastWait.Milliseconds(), streakLife.Milliseconds(), id, o.String(), from)
	return err
}

// answer is what every script replies: a word and numbers.
type answer struct {
	verdict string
	numbers []int64
}

// run calls a script, and once more after a reload of the locks if the server
// has lost its memory; scripts that say so have done nothing.
func (r *Redis) run(ctx context.Context, name string, s *redis.Script, keys []string, args ...any) (a answer, err error) {
	err = r.call(ctx, name, func(ctx context.Context) (err error) {
		if a, err = parseAnswer(s.Run(ctx, r.client, keys, args...).Slice()); err != nil || a.verdict != "epoch" {
			return err
		}
		if err = r.reload(ctx); err != nil {
			return err
		}
		a, err = parseAnswer(s.Run(ctx, r.client, keys, args...).Slice())
		if err == nil && a.verdict == "epoch" {
			err = errors.New("redis was emptied twice during one call")
		}
		return err
	})
	return a, err
}

// call makes one call within the timeout. A client that hangs up cancels
// nothing: its attempt must count, and the connection stay whole.
func (r *Redis) call(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer cancel()
	start := time.Now()
	err := do(ctx)
	r.metrics.called(name, start, err)
	if err != nil {
		return fmt.Errorf("limiter %s: %w", name, err)
	}
	return nil
}

func parseAnswer(reply []any, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	if len(reply) < 3 {
		return answer{}, fmt.Errorf("unexpected reply %v", reply)
	}
	word, ok := reply[0].(string)
	a := answer{verdict: word}
	for _, v := range reply[1:] {
		n, isNumber := v.(int64)
		ok = ok && isNumber
		a.numbers = append(a.numbers, n)
	}
	if !ok {
		return answer{}, fmt.Errorf("unexpected reply %v", reply)
	}
	return a, nil
}

// redisKey names one of a client's keys. All share the hash tag {key}, so that a
// sharding proxy keeps together what a script touches together.
func redisKey(key, policy, part string) string { return "rl:{" + key + "}:" + policy + ":" + part }

func slotKeys(key, policy string) []string {
	return []string{redisKey(key, policy, "f"), redisKey(key, policy, "p"), redisKey(key, policy, "l"), epochKey}
}

func accountKeys(account string) []string {
	part := func(p string) string { return redisKey(account, accountPolicy, p) }
	return []string{part("f"), part("n"), part("c"), part("p"), epochKey}
}
