package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"vitals/server/web"
)

// unavailable says that the database is away; the cause is for the log.
func unavailable(cause error) *web.Problem {
	return web.Fail(http.StatusServiceUnavailable, "database_unavailable", "The service is temporarily unavailable. Please try again shortly.").
		WithRetry(time.Second).Because(cause)
}

// fault turns what the database's state did to a call into a 503 that says when
// to come back, and leaves every other error as it is. A Problem that the
// caller chose for its client stands, unless it is the generic 500.
func fault(err error) error {
	var p *web.Problem
	if err == nil || errors.As(err, &p) && p.Status != http.StatusInternalServerError {
		return err
	}
	switch {
	case lost(err):
		return unavailable(err)
	case slow(err):
		return web.Fail(http.StatusServiceUnavailable, "database_timeout", "The service is busy. Please try again shortly.").
			WithRetry(time.Second).Because(err)
	}
	return err
}

// lost reports that the connection or the server went away.
func lost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 08 connection exceptions; 57P shutdown, crash, starting up; 53300 too many connections.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || pg.Code == "53300"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)
}

// slow reports that a statement ran out of time, or out of patience for a lock.
func slow(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57014" || pg.Code == "55P03" || pg.Code == "25P03"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		code := lite.Code() & 0xff
		return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED || code == sqlite3.SQLITE_INTERRUPT
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// conflict reports that the server rolled a transaction back for another's
// sake, so that repeating it is right: serialization failure or deadlock.
func conflict(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
