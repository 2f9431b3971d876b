package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"
)

// counting counts the statements that are made and ended.
type counting struct {
	driver.Connector
	made, ended int
}

type countingConn struct {
	connection
	of *counting
}

type countingStmt struct {
	prepared
	of *counting
}

func (c *counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{conn.(connection), c}, nil
}

func (c *countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.connection.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.of.made++
	return &countingStmt{s.(prepared), c.of}, nil
}

func (s *countingStmt) Close() error { s.of.ended++; return s.prepared.Close() }

// open is one connection to an empty database with a table of three numbers.
func open(t *testing.T) (*sql.DB, *counting) {
	t.Helper()
	inner, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "x.db") + sqlitePragmas)
	if err != nil {
		t.Fatal(err)
	}
	c := &counting{Connector: inner}
	db := sql.OpenDB(remembered{c})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	for _, q := range []string{"CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2), (3)"} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return db, c
}

func TestAStatementIsParsedOnce(t *testing.T) {
	db, c := open(t)
	before := c.made
	for want := range 50 {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT $1 + 0", want).Scan(&n); err != nil || n != want {
			t.Fatalf("got %d, %v, want %d", n, err, want)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT n FROM t WHERE n = $1", want+100).Scan(&n); err != sql.ErrNoRows {
			t.Fatalf("no row: got %v", err)
		}
		res, err := db.ExecContext(t.Context(), "UPDATE t SET n = n WHERE n <= $1", want)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := res.RowsAffected(); got != int64(min(want, 3)) {
			t.Errorf("changed: got %d, want %d", got, min(want, 3))
		}
	}
	if got := c.made - before; got != 3 {
		t.Errorf("statements made: got %d, want 3", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if c.made != c.ended {
		t.Errorf("after the end: %d statements made, %d ended", c.made, c.ended)
	}
}

// Rows that are half read do not share their place with the same query's next.
func TestAStatementInUseIsLeftAlone(t *testing.T) {
	db, _ := open(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const q = "SELECT n FROM t ORDER BY n"
	sum := func(depth int) int { return 0 }
	sum = func(depth int) int {
		rows, err := conn.QueryContext(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		total := 0
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			total += n
			if depth > 0 {
				total += sum(depth - 1)
			}
		}
		return total
	}
	if got := sum(2); got != 6+3*(6+3*6) {
		t.Errorf("got %d, want %d", got, 6+3*(6+3*6))
	}
	if got := sum(0); got != 6 {
		t.Errorf("afterwards: got %d, want 6", got)
	}
}

// A statement survives what happens around it: an error, a cancelled context, a
// change of the schema, a rolled back transaction.
func TestAStatementSurvives(t *testing.T) {
	db, c := open(t)
	const insert, count = "INSERT INTO t VALUES ($1)", "SELECT count(*) FROM t"
	rows := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), count).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := rows(); got != 3 {
		t.Fatalf("got %d", got)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), insert, 4); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := db.ExecContext(ended, insert, 5); err == nil {
		t.Error("a cancelled insert: got no error")
	}
	if _, err := db.ExecContext(t.Context(), "CREATE UNIQUE INDEX one ON t (n)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), insert, 1); err == nil {
		t.Error("a second 1 after the index: got no error")
	}
	if _, err := db.ExecContext(t.Context(), insert, 6); err != nil {
		t.Errorf("after the error: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE t ADD COLUMN word TEXT"); err != nil {
		t.Fatal(err)
	}
	if got := rows(); got != 4 {
		t.Errorf("got %d rows, want 4", got)
	}
	if _, err := db.ExecContext(t.Context(), insert, 7); err == nil {
		t.Error("one value for two columns: got no error") // parsed again, for the table has changed
	}
	before := c.made
	if _, err := db.ExecContext(t.Context(), "SELEC 1"); err == nil || c.made != before {
		t.Errorf("no SQL: got %v and %d statements", err, c.made-before)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	db, c := open(t)
	for i := range 3 * statementsMax {
		var n int
		if err := db.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %d", i)).Scan(&n); err != nil || n != i {
			t.Fatalf("got %d, %v, want %d", n, err, i)
		}
		var word string
		if err := db.QueryRowContext(t.Context(), "SELECT 'often'").Scan(&word); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.made - c.ended; got != statementsMax {
		t.Errorf("kept: got %d, want %d", got, statementsMax)
	}
}
