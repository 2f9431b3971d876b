package stack

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver under the name pgx
	"github.com/redis/go-redis/v9"
)

// Postgres is how a Postgres of ours is reached: at an address (host:port) or
// through the socket in a folder.
type Postgres struct{ At, User, Password string }

// URL names one of its databases.
func (p Postgres) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(p.User, p.Password), Host: p.At, Path: "/" + database}
	q := url.Values{"sslmode": {"disable"}}
	if filepath.IsAbs(p.At) {
		u.Host = ""
		q.Set("host", p.At)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Query runs one statement over a connection of its own and gives its rows as
// text.
func (p Postgres) Query(ctx context.Context, database, q string, args ...any) (_ [][]string, err error) {
	db, err := sql.Open("pgx", p.URL(database))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for rows.Next() {
		cells, at := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			at[i] = &cells[i]
		}
		if err := rows.Scan(at...); err != nil {
			return nil, err
		}
		row := make([]string, len(columns))
		for i, c := range cells {
			row[i] = c.String
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// Ping asks for an answer through a database.
func (p Postgres) Ping(ctx context.Context, database string) error {
	_, err := p.Query(ctx, database, "SELECT 1")
	return err
}

// Redis is how a Redis of ours is reached, as host:port.
type Redis struct{ At string }

// URL names its first database.
func (r Redis) URL() string { return "redis://" + r.At + "/0" }

// Do runs one command over a connection of its own, so that a restart in between
// is not felt.
func (r Redis) Do(ctx context.Context, args ...any) (any, error) {
	kv := redis.NewClient(&redis.Options{Addr: r.At, MaxRetries: -1, DialTimeout: time.Second})
	defer kv.Close()
	return kv.Do(ctx, args...).Result()
}

// Ping asks it for an answer.
func (r Redis) Ping(ctx context.Context) error {
	_, err := r.Do(ctx, "PING")
	return err
}

// RedisArguments make a Redis keep what a limiter knows over a crash and evict
// nothing: a lock that can be evicted or forgotten is none.
func RedisArguments() []string {
	return []string{"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"}
}

// patience bounds the wait for a part on a machine that has other work as well.
const patience = time.Minute

// Await repeats f, two seconds at most for each try, until it succeeds, the part
// ends (ended is closed; nil = never), or a minute has gone.
func Await(ctx context.Context, what string, ended <-chan struct{}, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		once, stop := context.WithTimeout(ctx, 2*time.Second)
		err := f(once)
		stop()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer (%w): %w", what, ctx.Err(), err)
		case <-ended:
			return fmt.Errorf("%s ended before it answered: %w", what, err)
		case <-tick.C:
		}
	}
}
