package limit

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// A Redis that answers every other time, or comes and goes, is worth no guess:
// five are judged in all, whichever of the two counted them.
func TestTroubleWithRedisIsWorthNoGuess(t *testing.T) {
	for _, crowd := range []int{1, 8} {
		t.Run(fmt.Sprintf("%d at once", crowd), func(t *testing.T) {
			for round := range 20 {
				m := miniredis.RunT(t)
				r := openRedis(t, "redis://"+m.Addr(), nil)
				f := newFallback(r, NewMemory(time.Hour, 0), Options{Replicas: 1}, newMetrics(nil), slog.New(slog.DiscardHandler))
				p := Policies(Published())[Login]
				var judged atomic.Int64
				moods := rand.New(rand.NewPCG(1, uint64(round)))
				for range 40 / crowd {
					if trouble := moods.IntN(4); trouble < 2 { // as it starts, or became somebody's replica
						m.SetError([]string{"LOADING not now", "READONLY You can't write against a read only replica."}[trouble])
					} else {
						m.SetError("")
						f.keep(t.Context())
					}
					var wg sync.WaitGroup
					for i := range crowd {
						id := fmt.Sprintf("%d-%d", moods.Uint64(), i)
						wg.Go(func() {
							d, err := f.Begin(t.Context(), p, "192.0.2.1", id)
							if err != nil || d.Verdict != Allowed {
								return
							}
							judged.Add(1)
							if _, err := f.Commit(t.Context(), p, "192.0.2.1", id, Failed, "u"); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
				}
				if got := judged.Load(); got != 5 {
					t.Errorf("round %d: got %d judged, want 5", round, got)
				}
			}
		})
	}
}

// The same for guesses at one account from many addresses: twenty in all.
func TestTroubleWithRedisIsWorthNoGuessAtAnAccount(t *testing.T) {
	th := Throttle{Failures: 20, Window: 24 * time.Hour}
	for _, crowd := range []int{1, 8, 60} {
		t.Run(fmt.Sprintf("%d at once", crowd), func(t *testing.T) {
			for round := range 20 {
				m := miniredis.RunT(t)
				f := newFallback(openRedis(t, "redis://"+m.Addr(), nil), NewMemory(time.Hour, 0), Options{Replicas: 1}, newMetrics(nil), slog.New(slog.DiscardHandler))
				var judged atomic.Int64
				moods := rand.New(rand.NewPCG(3, uint64(round)))
				for range 240 / crowd {
					trouble := moods.IntN(2) == 0
					if !trouble {
						m.SetError("")
						f.keep(t.Context())
					}
					var wg sync.WaitGroup
					for i := range crowd {
						id := fmt.Sprintf("%d-%d", moods.Uint64(), i)
						wg.Go(func() {
							if trouble && i == crowd/2 { // it begins in the middle of the crowd
								m.SetError("LOADING not now")
							}
							wait, err := f.Admit(t.Context(), th, "alice", id)
							if err != nil || wait > 0 {
								return
							}
							judged.Add(1)
							if err := f.Judge(t.Context(), th, "alice", fmt.Sprint("198.51.100.", i), id, Failed); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
				}
				if got := judged.Load(); got != 20 {
					t.Errorf("round %d: got %d judged, want 20", round, got)
				}
			}
		})
	}
}

// Two processes share the limit, and single calls of either fail: neither may
// judge by what it alone knows.
func TestTroubleOfOneProcessIsWorthNoGuess(t *testing.T) {
	for round := range 20 {
		m := miniredis.RunT(t)
		open := func() *Fallback {
			return newFallback(openRedis(t, "redis://"+m.Addr(), nil), NewMemory(time.Hour, 0), Options{Replicas: 2}, newMetrics(nil), slog.New(slog.DiscardHandler))
		}
		fs, p := []*Fallback{open(), open()}, Policies(Published())[Login]
		moods := rand.New(rand.NewPCG(2, uint64(round)))
		judged, bad := 0, 0
		mood := func() { // never so many in a row that Redis is given up
			if bad++; moods.IntN(3) == 0 && bad < breakAfter {
				m.SetError("LOADING not now")
			} else {
				bad = 0
			}
		}
		try := func(f *Fallback, id string) {
			defer f.keep(t.Context()) // once a second in a server
			mood()
			d, err := f.Begin(t.Context(), p, "192.0.2.1", id)
			m.SetError("")
			if err != nil || d.Verdict != Allowed {
				return
			}
			judged++
			mood()
			_, err = f.Commit(t.Context(), p, "192.0.2.1", id, Failed, "u")
			m.SetError("")
			if err != nil {
				t.Error(err)
			}
		}
		for i := range 40 {
			try(fs[moods.IntN(2)], fmt.Sprint(i))
		}
		if judged != 5 {
			t.Errorf("round %d: got %d judged, want 5", round, judged)
		}
	}
}

// What an admin lifts is lifted on every replica, though each remembers it.
func TestALiftedLockDoesNotLiveOnElsewhere(t *testing.T) {
	s := startServer(t)
	open := func() *Fallback {
		return newFallback(openRedis(t, s.url, nil), NewMemory(time.Hour, 0), Options{Replicas: 2}, newMetrics(nil), slog.New(slog.DiscardHandler))
	}
	first, second, p := open(), open(), Policies(Published())[Login]
	for i := range 7 {
		for n, f := range []*Fallback{first, second} {
			id := fmt.Sprintf("%d-%d", i, n)
			if d, err := f.Begin(t.Context(), p, "192.0.2.1", id); err == nil && d.Verdict == Allowed {
				_, _ = f.Commit(t.Context(), p, "192.0.2.1", id, Failed, "u")
			}
		}
	}
	if was, err := first.Lift(t.Context(), p, "192.0.2.1"); err != nil || !was {
		t.Fatalf("lift: got %v, %v, want a lock lifted", was, err)
	}
	if d, err := second.Begin(t.Context(), p, "192.0.2.1", "after"); err != nil || d.Verdict != Allowed {
		t.Errorf("the other replica: got %v, %v, want allowed", d.Verdict, err)
	}
}
