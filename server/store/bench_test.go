package store_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// own is this process's CPU time in nanoseconds: what a query costs the API,
// without the server's share.
func own(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func measured(b *testing.B, query func(ctx context.Context) error) {
	b.Helper()
	before := own(b)
	for b.Loop() {
		if err := query(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(own(b)-before)/float64(b.N), "cpu-ns/op")
}

// through asks for one number by way of the store.
func through(db store.DB, query string) func(context.Context) error {
	return func(ctx context.Context) error {
		return db.Read(ctx, func(ctx context.Context, q store.Querier) error {
			var n int64
			return q.QueryRowContext(ctx, query, 7).Scan(&n)
		})
	}
}

// BenchmarkRead is the price of one query through the store, on both engines,
// beside pgx's own pool. One store for both engines stands unless the native
// pool saves 15 % of a request's CPU.
func BenchmarkRead(b *testing.B) {
	const point = "SELECT $1::bigint"
	b.Run("sqlite", func(b *testing.B) { measured(b, through(storetest.Open(b, storetest.SQLiteURL(b)), "SELECT $1")) })
	b.Run("postgres", func(b *testing.B) { measured(b, through(storetest.Open(b, storetest.PostgresURL(b)), point)) })
	b.Run("native", func(b *testing.B) {
		pool, err := pgxpool.New(b.Context(), storetest.PostgresURL(b))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(pool.Close)
		measured(b, func(ctx context.Context) error {
			var n int64
			return pool.QueryRow(ctx, point, 7).Scan(&n)
		})
	})
}
