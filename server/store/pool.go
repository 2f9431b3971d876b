package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/config"
	"vitals/server/web"
)

// pool is database/sql's, with the limits that SQLAlchemy users know: size kept,
// overflow on top, a longest wait.
type pool struct {
	db      *sql.DB
	size    int
	timeout time.Duration
	m       *metrics
}

func newPool(c driver.Connector, p config.Pool, m *metrics) *pool {
	db := sql.OpenDB(counted{c, m.newConns})
	db.SetMaxOpenConns(p.Total())
	db.SetMaxIdleConns(p.Total()) // trim closes the overflow
	// The upper end; Postgres connections go earlier, each at its own time. Zero
	// or less is "for ever" to database/sql, which is what -1 means.
	db.SetConnMaxLifetime(max(0, p.Recycle))
	return &pool{db: db, size: p.Size, timeout: p.Timeout, m: m}
}

// retryPool is the Retry-After of a pool timeout: the client has waited long,
// the server is saturated, a second would be too eager.
const retryPool = 5 * time.Second

// acquire takes a connection out of the pool, waiting at most the pool's timeout.
func (p *pool) acquire(ctx context.Context) (*sql.Conn, error) {
	start := time.Now()
	wait, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	for {
		conn, err := p.db.Conn(wait)
		switch {
		case err == nil:
			p.m.acquire.Observe(time.Since(start).Seconds())
			return conn, nil
		case errors.Is(err, driver.ErrBadConn) && wait.Err() == nil:
			// database/sql gives up after two dead connections; after a restart
			// of the server every idle one is dead.
			continue
		case ctx.Err() != nil:
			return nil, fmt.Errorf("wait for a database connection: %w", context.Cause(ctx))
		case wait.Err() != nil:
			p.m.acquire.Observe(time.Since(start).Seconds())
			p.m.timeouts.Inc()
			return nil, web.Fail(http.StatusServiceUnavailable, "pool_timeout", "The service is busy. Please try again shortly.").
				WithRetry(retryPool).Because(fmt.Errorf("no database connection within %v", p.timeout))
		default:
			return nil, unavailable(fmt.Errorf("connect to the database: %w", err))
		}
	}
}

// warm opens the connections that are kept, so that the first requests do not
// pay for them.
func (p *pool) warm(ctx context.Context) error {
	conns := make([]*sql.Conn, 0, p.size)
	defer func() {
		for _, c := range conns {
			_ = c.Close() // back into the pool
		}
	}()
	for range p.size {
		c, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		conns = append(conns, c)
	}
	return nil
}

// trimEvery is pgxpool's idle time for overflow.
const trimEvery = time.Minute

// trim closes idle connections beyond size once a minute. SQLAlchemy closes
// them at each return, which under load means a new handshake per request.
func (p *pool) trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.shrink()
		}
	}
}

func (p *pool) shrink() {
	total := p.db.Stats().MaxOpenConnections
	p.db.SetMaxIdleConns(p.size) // closes what is idle beyond it, now
	p.db.SetMaxIdleConns(total)
}

// counted counts the connections that are made.
type counted struct {
	driver.Connector
	made prometheus.Counter
}

func (c counted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err == nil {
		c.made.Inc()
	}
	return conn, err
}
