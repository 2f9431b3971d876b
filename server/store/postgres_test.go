package store_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/config"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

func openPostgres(t *testing.T, with ...string) (*store.SQL, *prometheus.Registry) {
	t.Helper()
	return openConfig(t, storetest.Config(t, storetest.PostgresURL(t), with...))
}

func openConfig(t *testing.T, cfg *config.Config) (*store.SQL, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	db, err := store.Open(t.Context(), cfg, nil, reg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, reg
}

const backend = "SELECT pg_backend_pid()"

// The server ends a slow statement, and the connection survives it.
func TestStatementTimeoutKeepsConnection(t *testing.T) {
	cfg := storetest.Config(t, storetest.PostgresURL(t), "DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=0")
	cfg.Database.StatementTimeout = 100 * time.Millisecond
	db, reg := openConfig(t, cfg)
	before := number(t, db, backend)
	for name, run := range map[string]func(context.Context, func(context.Context, store.Querier) error) error{"read": db.Read, "write": db.Write} {
		if got := code(run(t.Context(), execute("SELECT pg_sleep(30)"))); got != "database_timeout" {
			t.Errorf("%s: got %q, want database_timeout", name, got)
		}
	}
	if after := number(t, db, backend); after != before || opened(t, reg) != 1 {
		t.Errorf("got backend %d and %v connections opened, want %d still and 1", after, opened(t, reg), before)
	}
}

// DB4: -1 is never, not at every query; the pool's numbers hold per process.
func TestRecycleNever(t *testing.T) {
	db, reg := openPostgres(t, "DB_POOL_RECYCLE=-1", "DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=0")
	first := number(t, db, backend)
	for range 50 {
		if got := number(t, db, backend); got != first {
			t.Fatalf("got backend %d, want %d", got, first)
		}
	}
	if got := opened(t, reg); got != 1 {
		t.Errorf("got %v connections for 51 queries, want 1", got)
	}
}

func TestRecycleReplaces(t *testing.T) {
	cfg := storetest.Config(t, storetest.PostgresURL(t), "DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=0")
	cfg.Pool.Recycle = 200 * time.Millisecond
	db, _ := openConfig(t, cfg)
	first, deadline := number(t, db, backend), time.Now().Add(10*time.Second)
	for number(t, db, backend) == first {
		if time.Now().After(deadline) {
			t.Fatal("the connection outlived its recycle time")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// CF7: what all workers may open is compared with what the server takes.
func TestPoolPerWorker(t *testing.T) {
	cfg := storetest.Config(t, storetest.PostgresURL(t), "DB_POOL_SIZE=20", "DB_MAX_OVERFLOW=30")
	cfg.Workers.Count = 100
	var out bytes.Buffer
	db, err := store.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&out, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if !strings.Contains(out.String(), "100 x 51") {
		t.Errorf("got %s, want a warning with the sum", out.String())
	}
	cfg.Core.Env = config.Production
	_, err = store.Open(t.Context(), cfg, nil, nil)
	var refused config.Errors
	if !errors.As(err, &refused) || refused[0].Variable != "DB_POOL_SIZE" {
		t.Errorf("production: got %v, want DB_POOL_SIZE refused", err)
	}
}

// DB1: under four times the load the server sees size + overflow, no more.
func TestPoolBound(t *testing.T) {
	db, _ := openPostgres(t, "DB_POOL_SIZE=2", "DB_MAX_OVERFLOW=3")
	release := hold(t, 4, db.Read)
	got := number(t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vitals'")
	release()
	if got != 5 {
		t.Errorf("got %d connections, want 5", got)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			var n int
			err := db.Read(t.Context(), func(ctx context.Context, q store.Querier) error {
				return q.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.02) WHERE datname = current_database() AND application_name = 'vitals'").Scan(&n)
			})
			if err != nil || n > 5 {
				t.Errorf("got %d connections, %v, want at most 5", n, err)
			}
		})
	}
	all.Wait()
}

// DB3: the server drops every connection; nobody who comes after sees it.
func TestPrePing(t *testing.T) {
	for _, mode := range []string{"idle", "always"} {
		t.Run(mode, func(t *testing.T) {
			url := storetest.PostgresURL(t)
			db := storetest.Open(t, url, "DB_POOL_SIZE=5", "DB_POOL_PRE_PING="+mode)
			if mode == "idle" {
				time.Sleep(1100 * time.Millisecond) // what "idle" means
			}
			other := storetest.Open(t, url)
			if got := number(t, other, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); got < 5 {
				t.Fatalf("terminated %d connections, want the pool's 5", got)
			}
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					if err := db.Read(t.Context(), execute("SELECT 1")); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestDatabaseAway(t *testing.T) {
	url := storetest.PostgresURL(t)
	db := storetest.Open(t, url, "DB_POOL_SIZE=1", "DB_POOL_PRE_PING=off")
	other := storetest.Open(t, storetest.PostgresURL(t), "DB_POOL_SIZE=1")
	// In the middle of a call.
	err := db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
		var pid int
		if err := q.QueryRowContext(ctx, backend).Scan(&pid); err != nil {
			return err
		}
		if err := other.Read(ctx, execute("SELECT pg_terminate_backend($1)", pid)); err != nil {
			return err
		}
		for {
			if err := execute("SELECT 1")(ctx, q); err != nil {
				return err
			}
		}
	})
	if got := code(err); got != "database_unavailable" {
		t.Errorf("connection cut: got %v, want database_unavailable", err)
	}
	cfg := storetest.Config(t, "postgres://someone:canary7391@127.0.0.1:1/nothing?sslmode=disable")
	if _, err := store.Open(t.Context(), cfg, nil, nil); err == nil || strings.Contains(err.Error(), "canary7391") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

// A deadlock's loser is rolled back by the server and simply runs again.
func TestDeadlockRunsAgain(t *testing.T) {
	db, _ := openPostgres(t)
	table(t, db)
	if err := db.Write(t.Context(), execute("INSERT INTO t VALUES (1), (2)")); err != nil {
		t.Fatal(err)
	}
	var both, all sync.WaitGroup
	both.Add(2)
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		all.Go(func() {
			var met sync.Once
			err := db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
				if err := execute("SELECT n FROM t WHERE n = $1 FOR UPDATE", order[0])(ctx, q); err != nil {
					return err
				}
				met.Do(func() { both.Done(); both.Wait() }) // the first time, each holds one
				return execute("SELECT n FROM t WHERE n = $1 FOR UPDATE", order[1])(ctx, q)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
