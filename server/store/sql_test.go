package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"vitals/server/config"
	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// each runs body on both engines, unmigrated, with the variables given.
func each(t *testing.T, body func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { body(t, storetest.SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { body(t, storetest.PostgresURL(t)) })
}

func table(t *testing.T, db store.DB) {
	t.Helper()
	if err := db.Write(t.Context(), execute("CREATE TABLE t (n BIGINT PRIMARY KEY)")); err != nil {
		t.Fatal(err)
	}
}

func execute(query string, args ...any) func(context.Context, store.Querier) error {
	return func(ctx context.Context, q store.Querier) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	}
}

// number asks for one number.
func number(t *testing.T, db store.DB, query string) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, q store.Querier) error { return q.QueryRowContext(ctx, query).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hold takes n connections out of the pool until the function it returns runs.
func hold(t *testing.T, n int, run func(context.Context, func(context.Context, store.Querier) error) error) (release func()) {
	t.Helper()
	var held, done sync.WaitGroup
	end := make(chan struct{})
	for range n {
		held.Add(1)
		done.Go(func() {
			err := run(t.Context(), func(context.Context, store.Querier) error {
				held.Done()
				<-end
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	held.Wait()
	return func() { close(end); done.Wait() }
}

func code(err error) string {
	var p *web.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// The line that the published guide promises, word for word.
func TestPoolLine(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		for recycle, want := range map[string]string{
			"3600": "Connection pool: size=10, max_overflow=20, timeout=30s, recycle=3600s",
			"-1":   "Connection pool: size=10, max_overflow=20, timeout=30s, recycle=-1s",
		} {
			var out bytes.Buffer
			cfg := storetest.Config(t, url, "DB_POOL_SIZE=10", "DB_MAX_OVERFLOW=20", "DB_POOL_RECYCLE="+recycle)
			db, err := store.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&out, nil)), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if !strings.Contains(out.String(), `msg="`+want+`" logger=app.db.session`) {
				t.Errorf("got %s, want %q", out.String(), want)
			}
		}
	})
}

func TestWriteCommitsOrRollsBack(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		table(t, db)
		if err := db.Write(t.Context(), execute("INSERT INTO t VALUES ($1)", 1)); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken")
		err := db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
			return errors.Join(execute("INSERT INTO t VALUES ($1)", 2)(ctx, q), broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v, want the function's own error", err)
		}
		func() {
			defer func() {
				if recover() != "panic" {
					t.Error("the panic did not come through")
				}
			}()
			_ = db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
				_ = execute("INSERT INTO t VALUES ($1)", 3)(ctx, q)
				panic("panic")
			})
		}()
		if got := number(t, db, "SELECT sum(n) FROM t"); got != 1 {
			t.Errorf("got rows that add up to %d, want only the committed 1", got)
		}
		refusal := web.Fail(409, "taken", "")
		if err := db.Write(t.Context(), func(context.Context, store.Querier) error { return refusal }); err != refusal {
			t.Errorf("got %v, want the problem itself", err)
		}
	})
}

// DB2: past the longest wait 503 pool_timeout with Retry-After, and no leak.
func TestPoolTimeout(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		reg := prometheus.NewRegistry()
		cfg := storetest.Config(t, url, "DB_POOL_SIZE=2", "DB_MAX_OVERFLOW=1")
		cfg.Pool.Timeout = 500 * time.Millisecond // also for dialling, on a busy machine
		db, err := store.Open(t.Context(), cfg, nil, reg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		release := hold(t, 3, db.Read)
		for range 2 {
			err = db.Read(t.Context(), execute("SELECT 1"))
			var p *web.Problem
			if !errors.As(err, &p) || p.Status != 503 || p.Code != "pool_timeout" || p.RetryAfter < 1 {
				t.Errorf("got %v, want a 503 pool_timeout with Retry-After", err)
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := db.Read(gone, execute("SELECT 1")); !errors.Is(err, context.Canceled) || code(err) != "" {
			t.Errorf("client gone: got %v, want context.Canceled and no problem", err)
		}
		release()
		if err := db.Read(t.Context(), execute("SELECT 1")); err != nil {
			t.Errorf("after release: %v", err)
		}
		most := 3
		if cfg.Database.Engine == config.SQLite {
			most = 4 // and the writer
		}
		want := strings.NewReader(fmt.Sprintf(`
# HELP db_pool_acquired Connections in use.
# TYPE db_pool_acquired gauge
db_pool_acquired 0
# HELP db_pool_max Most connections the pool may open.
# TYPE db_pool_max gauge
db_pool_max %d
# HELP db_pool_timeouts_total Waits for a connection that ended without one.
# TYPE db_pool_timeouts_total counter
db_pool_timeouts_total 2
`, most))
		if err := testutil.GatherAndCompare(reg, want, "db_pool_acquired", "db_pool_max", "db_pool_timeouts_total"); err != nil {
			t.Error(err)
		}
		// db_pool_total is the published name, a gauge though.
		lint, err := testutil.GatherAndLint(reg)
		lint = slices.DeleteFunc(lint, func(p promlint.Problem) bool { return p.Metric == "db_pool_total" })
		if err != nil || len(lint) > 0 {
			t.Errorf("got %v, %v, want clean metrics", lint, err)
		}
	})
}

// A client that leaves does not end the statement, and so costs no connection.
func TestDisconnectKeepsConnection(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		reg := prometheus.NewRegistry()
		db, err := store.Open(t.Context(), storetest.Config(t, url, "DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=0"), nil, reg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		table(t, db)
		before := opened(t, reg)
		for range 20 {
			ctx, leave := context.WithCancel(t.Context())
			err := db.Write(ctx, func(ctx context.Context, q store.Querier) error {
				leave()
				return execute("INSERT INTO t SELECT coalesce(max(n), 0) + 1 FROM t")(ctx, q)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := number(t, db, "SELECT count(*) FROM t"); got != 20 {
			t.Errorf("got %d rows, want 20", got)
		}
		if after := opened(t, reg); after != before {
			t.Errorf("got %v connections opened, want %v", after, before)
		}
	})
}

func opened(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "db_pool_new_conns_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("no db_pool_new_conns_total")
	return 0
}

// HL6: every connection of the pool is taken, readiness answers at once.
func TestReadyBesideSaturatedPool(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url, "DB_POOL_SIZE=2", "DB_MAX_OVERFLOW=0")
		defer hold(t, 2, db.Read)()
		if err := db.Ready(t.Context()); err != nil { // within its second, or it would say so
			t.Error(err)
		}
	})
}

func TestMigrate(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		for range 2 { // the second finds nothing to do
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := number(t, db, "SELECT count(*) FROM limit_locks"); got != 0 {
			t.Errorf("got %d rows", got)
		}
	})
}

// Replicas that start together migrate once.
func TestMigrateTogether(t *testing.T) {
	db := storetest.Open(t, storetest.PostgresURL(t))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := db.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestCloseEndsEverything(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	db, err := store.Open(t.Context(), storetest.Config(t, storetest.SQLiteURL(t)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Ready(t.Context()), db.Close()); err != nil {
		t.Error(err)
	}
	if err := db.Ready(t.Context()); err == nil {
		t.Error("ready after Close")
	}
}
