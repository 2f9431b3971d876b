package store_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/server/store/storetest"
)

// SQLite under load: one writer in turn, readers beside it, nobody sees BUSY.
func TestSQLiteConcurrency(t *testing.T) {
	db := storetest.Open(t, storetest.SQLiteURL(t))
	table(t, db)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 20 {
				if err := db.Write(t.Context(), execute("INSERT INTO t SELECT coalesce(max(n), 0) + 1 FROM t")); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 20 {
				if err := db.Read(t.Context(), execute("SELECT count(*) FROM t")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := number(t, db, "SELECT count(*) FROM t"); got != 400 {
		t.Errorf("got %d rows, want 400", got)
	}
	if err := db.Read(t.Context(), execute("DELETE FROM t")); err == nil {
		t.Error("Read took a write")
	}
}

// Two processes share one file: the second waits for the first's transaction,
// and past SQLite's patience gets a 503, not a 500.
func TestSQLiteBusyIsTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for SQLite's busy timeout of 5 s; run without -short")
	}
	url := storetest.SQLiteURL(t)
	one, two := storetest.Open(t, url), storetest.Open(t, url)
	defer hold(t, 1, one.Write)()
	if got := code(two.Write(t.Context(), execute("SELECT 1"))); got != "database_timeout" {
		t.Errorf("got %q, want database_timeout", got)
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	url := storetest.SQLiteURL(t)
	table(t, storetest.Open(t, url))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(os.FileMode(0o600), info.Mode()); diff != "" {
			t.Errorf("%q: want -, got +:\n%s", suffix, diff)
		}
	}
}
