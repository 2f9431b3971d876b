package limit

import (
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Each iteration is one call, on a key of its own in turn, so that none locks.
func BenchmarkMemory(b *testing.B) {
	benchmark(b, NewMemory(time.Hour, 0))
}

func BenchmarkRedis(b *testing.B) {
	s := startServer(b)
	benchmark(b, openRedis(b, s.url, nil))
}

func benchmark(b *testing.B, e engine) {
	table := Policies(Published())
	b.Run("begin", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := e.Begin(b.Context(), table[Login], strconv.Itoa(i%4096), strconv.Itoa(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("begin and commit", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			key, id := "c"+strconv.Itoa(i%4096), strconv.Itoa(i)
			if _, err := e.Begin(b.Context(), table[Login], key, id); err != nil {
				b.Fatal(err)
			}
			if _, err := e.Commit(b.Context(), table[Login], key, id, Passed, "alice"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("take", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := e.Take(b.Context(), table[API], strconv.Itoa(i%4096), strconv.Itoa(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("take above 200", func(b *testing.B) {
		p := Policy{Name: API, Limit: 1_000_000, Window: time.Hour}
		for i := 0; b.Loop(); i++ {
			if _, err := e.Take(b.Context(), p, strconv.Itoa(i%4096), strconv.Itoa(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The gate's own part: key, headers, metrics.
func BenchmarkGate(b *testing.B) {
	g, err := Open(b.Context(), options(), nil, prometheus.NewRegistry(), nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, _ := from(b.Context(), "192.0.2.1")
	for b.Loop() {
		a, err := g.Enter(ctx, Login)
		if err != nil {
			b.Fatal(err)
		}
		a.Pass(ctx, "alice@clinic.test")
	}
}
