package stack_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// What a real Postgres and a real Redis say of work that was done meanwhile.
func TestBehind(t *testing.T) {
	folder, err := stack.NewFolder("behind", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Remove() })
	if err := os.Chmod(folder.Path, 0o711); err != nil { // Postgres runs as somebody else when we are root
		t.Fatal(err)
	}
	db, err := local.NewPostgres(t.Context(), filepath.Join(folder.Path, "pg"), false)
	if missing, ok := errors.AsType[*local.Missing](err); ok {
		t.Skipf("needs %s (%s)", missing.What, missing.Install)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(t.Context()) })
	kv, err := local.NewRedis(t.Context(), folder.Path)
	if missing, ok := errors.AsType[*local.Missing](err); ok {
		t.Skipf("needs %s (%s)", missing.What, missing.Install)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close(t.Context()) })
	b, err := stack.NewBehind(db.Postgres, "postgres", kv.Redis)
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := kv.Do(t.Context(), "SET", "a", "b"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Query(t.Context(), "postgres", "SELECT count(*) FROM pg_class"); err != nil {
			t.Fatal(err)
		}
	}
	now, err := b.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := now[observe.RedisCommands] - before[observe.RedisCommands]; n < 20 {
		t.Errorf("Redis commands: got %v, want at least 20", n)
	}
	if n := now[observe.PostgresCommits] - before[observe.PostgresCommits]; n < 20 { // each session flushes its counts as it ends
		t.Errorf("Postgres commits: got %v, want at least 20", n)
	}
	if now[observe.RedisMemory] <= 0 || now[observe.RedisClients] < 1 || now[observe.PostgresHits] <= before[observe.PostgresHits] {
		t.Errorf("got %v, want memory, clients and cache hits", now)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
