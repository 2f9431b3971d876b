package limit

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"
)

// busyMachine is what a timeout may be late by here; the library's own defaults
// would be five seconds late.
const busyMachine = time.Second

// table is a Locks in memory, as the database would hold it.
type table struct {
	mu   sync.Mutex
	rows map[recordKey]Lock
	err  error // the answer to everything, when set
}

func newTable() *table { return &table{rows: map[recordKey]Lock{}} }

func (b *table) Save(_ context.Context, l Lock) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.rows[recordKey{l.Policy, l.Key}] = l
	}
	return b.err
}

func (b *table) Live(context.Context) ([]Lock, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var live []Lock
	for _, l := range b.rows {
		if l.Until.After(time.Now()) {
			live = append(live, l)
		}
	}
	return live, b.err
}

func (b *table) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// logbook counts the lines of a log by level.
type logbook struct {
	slog.Handler
	mu     sync.Mutex
	levels map[slog.Level]int
}

func newLogbook() *logbook {
	return &logbook{Handler: slog.DiscardHandler, levels: map[slog.Level]int{}}
}

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.levels[r.Level]++
	return nil
}

func (b *logbook) count(l slog.Level) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.levels[l]
}

// shared is a gate on a server, running.
func shared(t *testing.T, s *server, locks Locks, log *slog.Logger, change func(*Options)) *Gate {
	t.Helper()
	o := options()
	o.Redis = RedisOptions{URL: s.url}
	if change != nil {
		change(&o)
	}
	g, err := Open(t.Context(), o, locks, nil, log)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := g.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

// attempt is one failed login through a gate; "" when judged, else the refusal.
func attempt(t *testing.T, g *Gate, ip string) (code string, retry time.Duration) {
	t.Helper()
	ctx, _ := from(t.Context(), ip)
	a, err := g.Enter(ctx, Login)
	if err != nil {
		p := problemOf(t, err)
		return p.Code, time.Duration(p.RetryAfter) * time.Second
	}
	a.Fail(ctx, "mallory@clinic.test")
	return "", 0
}

// lockOut fails five times and once more.
func lockOut(t *testing.T, g *Gate, ip string) {
	t.Helper()
	for i := range 5 {
		if code, _ := attempt(t, g, ip); code != "" {
			t.Fatalf("attempt %d: got %s, want judged", i+1, code)
		}
	}
	if code, _ := attempt(t, g, ip); code != "locked_out" {
		t.Fatalf("sixth attempt: got %q, want locked_out", code)
	}
}

// eventually waits for a condition, up to a limit.
func eventually(t *testing.T, what string, limit time.Duration, is func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}
