package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/config"
)

// runMargin is how much longer than the server's statement timeout a call may
// take before we cut it: the server should be the one to end a statement, for
// cutting costs pgx the connection.
const runMargin = time.Second

// SQL is a DB over database/sql. Make it with Open, end it with Close.
type SQL struct {
	engine config.Engine
	read   *pool
	write  *pool // the same pool on Postgres; one connection on SQLite
	ready  *sql.DB
	run    time.Duration // longest a function may hold a connection
	log    *slog.Logger

	forMigration func() *sql.DB // without statement timeout
	stop         context.CancelFunc
	running      sync.WaitGroup
}

var _ DB = (*SQL)(nil)

// Open connects to cfg's database, warms the pool and logs its numbers.
// A nil log discards, a nil reg registers no metrics. It refuses, with
// config.Errors, a pool that the server cannot hold in production. The error
// never names the address or the password. Migrate separately.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger, reg prometheus.Registerer) (*SQL, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("logger", "app.db.session")
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	s := &SQL{engine: cfg.Database.Engine, run: cfg.Database.StatementTimeout + runMargin, log: log}
	switch s.engine {
	case config.Postgres:
		err = s.openPostgres(cfg, m)
	case config.SQLite:
		err = s.openSQLite(cfg, m)
	default:
		err = fmt.Errorf("open database: unknown engine %q", s.engine)
	}
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx, cfg, m); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// begin checks that the database is there and fits, then starts the trimmer.
func (s *SQL) begin(ctx context.Context, cfg *config.Config, m *metrics) error {
	if s.engine == config.Postgres {
		if err := s.checkCapacity(ctx, cfg); err != nil {
			return err
		}
	}
	if err := s.read.warm(ctx); err != nil {
		return err
	}
	p := cfg.Pool
	s.log.InfoContext(ctx, fmt.Sprintf("Connection pool: size=%d, max_overflow=%d, timeout=%gs, recycle=%gs",
		p.Size, p.MaxOverflow, p.Timeout.Seconds(), recycleSeconds(p)),
		"engine", string(s.engine), "total", p.Total(), "workers", cfg.Workers.Count, "total_all_workers", p.Total()*cfg.Workers.Count)
	m.watch(s.pools())
	trim, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.running.Go(func() { s.read.trim(trim) })
	return nil
}

// recycleSeconds is DB_POOL_RECYCLE as SQLAlchemy prints it: -1 is never.
func recycleSeconds(p config.Pool) float64 {
	if p.Recycle < 0 {
		return -1
	}
	return p.Recycle.Seconds()
}

func (s *SQL) pools() []*pool {
	if s.read == s.write {
		return []*pool{s.read}
	}
	return []*pool{s.read, s.write}
}

// Engine says which database serves.
func (s *SQL) Engine() config.Engine { return s.engine }

// Read implements DB.
func (s *SQL) Read(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	conn, err := s.read.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // returns it; a broken one is dropped at its next use
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.run)
	defer cancel()
	return fault(fn(ctx, conn))
}

// writeTries bounds how often a transaction that lost a conflict is repeated.
const writeTries = 3

// Write implements DB.
func (s *SQL) Write(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	conn, err := s.write.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.run)
	defer cancel()
	for try := 1; ; try++ {
		err = transact(ctx, conn, fn)
		if try == writeTries || !conflict(err) {
			return fault(err)
		}
	}
}

func transact(ctx context.Context, conn *sql.Conn, fn func(ctx context.Context, q Querier) error) (err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// Also on panic. After a commit it does nothing.
	defer func() { _ = tx.Rollback() }()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// readyTimeout bounds one readiness question.
const readyTimeout = time.Second

// Ready asks the database one thing, within a second, on a connection that is
// not of the pool: a saturated pool must not take every replica out of
// service. The caller shares and caches the answer among probes.
func (s *SQL) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var one int
	if err := s.ready.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ask the database whether it is ready: %w", err)
	}
	return nil
}

// Close ends the pool; connections in use end when they are returned.
func (s *SQL) Close() error {
	if s.stop != nil {
		s.stop()
	}
	s.running.Wait()
	var errs []error
	for _, p := range s.pools() {
		errs = append(errs, p.db.Close())
	}
	return errors.Join(append(errs, s.ready.Close())...)
}
