package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"vitals/server/config"
)

func (s *SQL) openPostgres(cfg *config.Config, m *metrics) error {
	d := cfg.Database
	base, err := pgx.ParseConfig(d.URL.Reveal())
	if err != nil {
		return errors.New("open database: DATABASE_URL is not one that pgx accepts") // pgx's words hold parts of it
	}
	base.ConnectTimeout = d.ConnectTimeout
	base.RuntimeParams["application_name"] = "vitals"
	base.RuntimeParams["timezone"] = "UTC"

	own := base.Copy()
	own.RuntimeParams["application_name"] = "vitals-ready"
	s.ready = stdlib.OpenDB(*own)
	s.ready.SetMaxOpenConns(1)

	own = base.Copy()
	own.RuntimeParams["application_name"] = "vitals-migrate"
	s.forMigration = func() *sql.DB { return stdlib.OpenDB(*own) }

	limit := strconv.FormatInt(d.StatementTimeout.Milliseconds(), 10)
	base.RuntimeParams["statement_timeout"] = limit
	base.RuntimeParams["idle_in_transaction_session_timeout"] = limit
	l := lifecycle{recycle: cfg.Pool.Recycle, prePing: cfg.Pool.PrePing}
	s.read = newPool(stdlib.GetConnector(*base,
		stdlib.OptionAfterConnect(l.born), stdlib.OptionResetSession(l.reuse),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }), // reuse does, with a bound
	), cfg.Pool, m)
	s.write = s.read
	return nil
}

// lifecycle decides whether a pooled connection may be used once more.
type lifecycle struct {
	recycle time.Duration // negative = never
	prePing config.PrePing
}

// life is what lifecycle keeps with each connection.
type life struct {
	ends time.Time // zero = never
	used time.Time
}

const (
	lifeKey = "vitals.life"
	// pingIdle and pingTimeout: a connection used a
	// second ago is alive, and a hung one must not hang its user.
	pingIdle    = time.Second
	pingTimeout = 2 * time.Second
)

// born starts a connection's life.
func (l lifecycle) born(_ context.Context, c *pgx.Conn) error {
	now := time.Now()
	c.PgConn().CustomData()[lifeKey] = &life{ends: l.end(now), used: now}
	return nil
}

// end is 0.9 to 1.0 of the recycle time from now, at random, so that connections
// opened together do not end together; the zero time is never.
func (l lifecycle) end(now time.Time) time.Time {
	if l.recycle <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration((0.9 + 0.1*rand.Float64()) * float64(l.recycle)))
}

// reuse runs before a connection is handed out again; ErrBadConn makes the pool
// take another.
func (l lifecycle) reuse(ctx context.Context, c *pgx.Conn) error {
	lf, ok := c.PgConn().CustomData()[lifeKey].(*life)
	if !ok {
		return driver.ErrBadConn
	}
	now := time.Now()
	if !lf.ends.IsZero() && now.After(lf.ends) {
		return driver.ErrBadConn
	}
	if l.prePing == config.PingAlways || l.prePing == config.PingIdle && now.Sub(lf.used) > pingIdle {
		ctx, cancel := context.WithTimeout(ctx, pingTimeout)
		defer cancel()
		if err := c.PgConn().Ping(ctx); err != nil {
			return driver.ErrBadConn
		}
	}
	lf.used = now
	return nil
}

// checkCapacity compares what all processes may open with what the server
// takes. Each has one connection more than its pool, for readiness.
func (s *SQL) checkCapacity(ctx context.Context, cfg *config.Config) error {
	var most, reserved, reservedRoles int
	err := s.Read(ctx, func(ctx context.Context, q Querier) error {
		// reserved_connections is of Postgres 16.
		return q.QueryRowContext(ctx, `SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
			coalesce(current_setting('reserved_connections', true), '0')::int`).Scan(&most, &reserved, &reservedRoles)
	})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	free := most - reserved - reservedRoles
	here := cfg.Workers.Count * (cfg.Pool.Total() + 1)
	rule := fmt.Sprintf("workers x (DB_POOL_SIZE + DB_MAX_OVERFLOW + 1) = %d x %d must stay within the %d connections the server has for us",
		cfg.Workers.Count, cfg.Pool.Total()+1, free)
	switch {
	case here > free && cfg.Core.Env == config.Production:
		return config.Errors{{Variable: "DB_POOL_SIZE", Rule: rule}}
	case here > free:
		s.log.WarnContext(ctx, "DB_POOL_SIZE: "+rule)
	case here*cfg.Core.Replicas > free:
		s.log.WarnContext(ctx, fmt.Sprintf("DB_POOL_SIZE: %d replicas may open %d connections, the server has %d for us", cfg.Core.Replicas, here*cfg.Core.Replicas, free))
	}
	return nil
}
