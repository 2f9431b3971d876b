// Package storetest gives tests a fresh, migrated database on each engine, so
// that one body proves both:
//
//	storetest.Each(t, func(t *testing.T, db store.DB) { … })
//
// SQLite always runs. Postgres is the server that VITALS_TEST_POSTGRES names (a
// URL whose role may create databases), else one that is started for this test
// process from the installed server binaries, else the subtest is skipped and
// says what to install.
package storetest

import (
	"path/filepath"
	"strings"
	"testing"

	"vitals/server/config"
	"vitals/server/store"
)

// Each runs body as subtests "sqlite" and "postgres", each on a database of its
// own that ends with the subtest.
func Each(t *testing.T, body func(t *testing.T, db store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { body(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { body(t, Postgres(t)) })
}

// SQLite opens a migrated database in a file that ends with the test. with are
// NAME=value variables of the configuration, such as "DB_POOL_SIZE=2".
func SQLite(t testing.TB, with ...string) *store.SQL {
	t.Helper()
	db := Open(t, SQLiteURL(t), with...)
	migrate(t, db)
	return db
}

// Postgres is SQLite for the other engine; it skips the test without a server.
func Postgres(t testing.TB, with ...string) *store.SQL {
	t.Helper()
	db := Open(t, PostgresURL(t), with...)
	migrate(t, db)
	return db
}

// SQLiteURL names a file that does not exist yet.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Open opens the database at url, without migrating it, until the test ends.
func Open(t testing.TB, url string, with ...string) *store.SQL {
	t.Helper()
	db, err := store.Open(t.Context(), Config(t, url, with...), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Config is a test environment's configuration with url as its database.
func Config(t testing.TB, url string, with ...string) *config.Config {
	t.Helper()
	env := map[string]string{"ENV": "test", "DATABASE_URL": url}
	for _, pair := range with {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func migrate(t testing.TB, db *store.SQL) {
	t.Helper()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}
