package password_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"vitals/server/identity/password"
)

var cheap = password.Cost{MemoryKiB: 64, Time: 1, Parallelism: 1}

func hasher(t testing.TB, c password.Cost, l password.Limits, reg prometheus.Registerer) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(c, l, reg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHashAndCheck(t *testing.T) {
	h := hasher(t, cheap, password.Limits{Concurrency: 1, Queue: 1, Wait: time.Second}, nil)
	// Exactly these bytes: case, blanks and length all count (ASVS 6.2.8).
	long := strings.Repeat("long pass phrase ", 7)
	hash, err := h.Hash(t.Context(), long)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("got %s, %v, want a PHC string", hash, err)
	}
	for word, want := range map[string]bool{
		long: true, long[:72]: false, long + " ": false, strings.TrimSpace(long): false, strings.ToUpper(long): false,
	} {
		if ok, stale, err := h.Check(t.Context(), word, hash); ok != want || stale || err != nil {
			t.Errorf("%q: got %v, stale %v, %v, want %v", word, ok, stale, err, want)
		}
	}
	if ok, _, err := h.Check(t.Context(), long, ""); ok || err != nil {
		t.Errorf("no user: got %v, %v, want false", ok, err)
	}
	if _, _, err := h.Check(t.Context(), long, "$argon2id$nonsense"); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("broken hash: got %v, want an error that does not show it", err)
	}
	dearer := hasher(t, password.Cost{MemoryKiB: 64, Time: 2, Parallelism: 1}, password.Limits{Concurrency: 1}, nil)
	if ok, stale, err := dearer.Check(t.Context(), long, hash); !ok || !stale || err != nil {
		t.Errorf("another cost: got %v, stale %v, %v, want true, stale", ok, stale, err)
	}
}

// The dummy exists, at the cost in force, before anybody asks: the first check
// of an unknown user costs one hash, not two.
func TestDummyIsMadeAtStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	h := hasher(t, cheap, password.Limits{Concurrency: 1, Wait: time.Second}, reg)
	for want := range 3 {
		if got := count(t, reg); got != want {
			t.Errorf("got %d hashes, want %d", got, want)
		}
		if _, _, err := h.Check(t.Context(), "x", ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHashesAreBounded(t *testing.T) {
	reg := prometheus.NewRegistry()
	slow := password.Cost{MemoryKiB: 16 << 10, Time: 2, Parallelism: 1} // tenths of a second each
	h := hasher(t, slow, password.Limits{Concurrency: 1, Queue: 3, Wait: time.Minute}, reg)
	var wg sync.WaitGroup
	start := make(chan struct{})
	results := make(chan error, 20)
	for range 20 {
		wg.Go(func() {
			<-start
			_, _, err := h.Check(t.Context(), "x", "")
			results <- err
		})
	}
	close(start)
	wg.Wait()
	close(results)
	done, shed := 0, 0
	for err := range results {
		switch {
		case err == nil:
			done++
		case errors.Is(err, password.ErrCapacity):
			shed++
		default:
			t.Errorf("got %v, want ErrCapacity", err)
		}
	}
	if done < 4 || shed == 0 || done+shed != 20 {
		t.Errorf("got %d done and %d shed, want at least 4 done, some shed, 20 in all", done, shed)
	}
	if got := count(t, reg); got != done {
		t.Errorf("got %d hashes for %d answers", got, done)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(
		"# HELP password_hash_queue_depth Requests waiting for a hash slot.\n# TYPE password_hash_queue_depth gauge\npassword_hash_queue_depth 0\n"),
		"password_hash_queue_depth"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) != 0 {
		t.Errorf("metrics: got %v, %v, want no complaint", problems, err)
	}
}

func TestWaitEnds(t *testing.T) {
	slow := password.Cost{MemoryKiB: 64 << 10, Time: 2, Parallelism: 1}
	h := hasher(t, slow, password.Limits{Concurrency: 1, Queue: 1, Wait: time.Millisecond}, nil)
	got := make(chan error, 2)
	for range 2 {
		go func() {
			_, _, err := h.Check(t.Context(), "x", "")
			got <- err
		}()
	}
	if first := <-got; !errors.Is(first, password.ErrCapacity) {
		t.Errorf("the one that waited: got %v, want ErrCapacity", first)
	}
	if second := <-got; second != nil {
		t.Errorf("the one that hashed: got %v", second)
	}
}

func TestNewHasherRefuses(t *testing.T) {
	good := password.Limits{Concurrency: 1}
	for name, c := range map[string]password.Cost{"no memory": {Time: 1, Parallelism: 1}, "no time": {MemoryKiB: 64, Parallelism: 1}, "no lanes": {MemoryKiB: 64, Time: 1}} {
		if _, err := password.NewHasher(c, good, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := password.NewHasher(cheap, password.Limits{}, nil); err == nil {
		t.Error("no concurrency: no error")
	}
}

func count(t *testing.T, reg *prometheus.Registry) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "password_hash_seconds" {
			return int(f.GetMetric()[0].GetHistogram().GetSampleCount())
		}
	}
	t.Fatal("no password_hash_seconds")
	return 0
}
