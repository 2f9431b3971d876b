// Package store opens the API's database, one of two engines behind one set of
// SQL: Postgres through pgx, SQLite for the embedded stack. It owns the pool's
// limits and the migrations; what is asked of the database stands in the service
// that asks.
package store

import (
	"context"
	"database/sql"
)

// Querier is what a query function needs: a connection or a transaction.
// Placeholders are $1, $2…; times are BIGINT milliseconds since 1970 UTC, ids
// TEXT, on both engines.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is the pool. Read and Write are the only ways to reach it: both wait for a
// connection at most DB_POOL_TIMEOUT (a *web.Problem 503 "pool_timeout" past
// it), then run fn under a context that the client's disconnect does not
// cancel, so that no connection is lost to it. That context ends a
// second after DB_STATEMENT_TIMEOUT, counted from the start of fn.
//
// A database that is away or too slow is a *web.Problem 503; other errors of fn
// come back as they are.
type DB interface {
	// Read runs fn on one connection, outside a transaction. fn must only read:
	// SQLite refuses writes here, they would compete with the single writer.
	Read(ctx context.Context, fn func(ctx context.Context, q Querier) error) error
	// Write runs fn in one transaction: commit on nil, roll back on error or
	// panic. When the server rolled it back because of a deadlock or a
	// serialization conflict, fn runs again, so it must have no effect outside q
	// beyond setting its results.
	Write(ctx context.Context, fn func(ctx context.Context, q Querier) error) error
}
