package identity_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"vitals/server/store"
)

// each runs body on an empty, migrated database.
func each(t *testing.T, body func(t *testing.T, db store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")+
			"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		text, err := os.ReadFile("../store/migrations/0001_identity.sql")
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		if _, err := db.Exec(up); err != nil {
			t.Fatal(err)
		}
		body(t, plain{db})
	})
}

type plain struct{ *sql.DB }

func (p plain) Read(ctx context.Context, fn func(context.Context, store.Querier) error) error {
	return fn(ctx, p.DB)
}

func (p plain) Write(ctx context.Context, fn func(context.Context, store.Querier) error) error {
	tx, err := p.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
