package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"vitals/server/config"
)

func openFile(t *testing.T, with map[string]string) *SQL {
	t.Helper()
	env := map[string]string{"ENV": "test", "DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "test.db")}
	for k, v := range with {
		env[k] = v
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Overflow connections stay for the next burst and go when trimmed; the size stays.
func TestShrink(t *testing.T) {
	s := openFile(t, map[string]string{"DB_POOL_SIZE": "2", "DB_MAX_OVERFLOW": "4"})
	var held []interface{ Close() error }
	for range 6 {
		c, err := s.read.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	for _, c := range held {
		_ = c.Close()
	}
	if got := s.read.db.Stats().Idle; got != 6 {
		t.Errorf("got %d idle after the burst, want 6", got)
	}
	s.read.shrink()
	if got := s.read.db.Stats().Idle; got != 2 {
		t.Errorf("got %d idle after trimming, want the size, 2", got)
	}
}

// Every migration goes down again, and up once more.
func TestMigrationsGoDown(t *testing.T) {
	s := openFile(t, nil)
	db := s.forMigration()
	defer func() { _ = db.Close() }()
	p, err := s.provider(db)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { _, err := p.Up(t.Context()); return err },
		func() error { _, err := p.DownTo(t.Context(), 0); return err },
		func() error { _, err := p.Up(t.Context()); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// Connections opened together do not end together.
func TestLifetimesAreSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		got := lifecycle{recycle: time.Hour}.end(time.Unix(0, 0)).Sub(time.Unix(0, 0))
		if got < 54*time.Minute || got > time.Hour {
			t.Fatalf("got %v, want 0.9 to 1.0 of an hour", got)
		}
		seen[got] = true
	}
	if len(seen) < 90 {
		t.Errorf("got %d different ends of 100, want them spread", len(seen))
	}
	if got := (lifecycle{recycle: -1}).end(time.Now()); !got.IsZero() {
		t.Errorf("recycle -1: got %v, want never", got)
	}
}

func TestTrimEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	(&pool{}).trim(ctx)
}
