package intruders

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// One address' guesses against limits of every kind: what counts as judged before the
// lock, as judged in it, and as too many.
func TestLockouts(t *testing.T) {
	t.Parallel()
	const s = time.Second
	lock := profile.Limit{Limit: 5, Window: 60 * s, Lock: 4 * s}
	window := profile.Limit{Limit: 5, Window: 3 * s}
	fixed := profile.Limit{Limit: 5, Window: 3 * s, Fixed: true}
	waits := profile.Limit{Limit: 3, Delay: profile.Delay{From: 2 * s, To: 4 * s}}
	for _, c := range []struct {
		name     string
		limit    profile.Limit
		every    time.Duration
		wait     time.Duration // Retry-After of the first refusal; 0 = none is told
		answers  string        // j: judged, r: refused
		admitted int
		leaked   int
		excess   int
		never    bool
	}{
		{"a lock", lock, s / 10, 4 * s, "jjjjjrrr", 5, 0, 0, false},
		{"a lock that ends in time, twice", lock, s / 2, 4 * s, "jjjjjrrrrrrrrjjjjjrr", 5, 0, 0, false},
		{"a lock that ends in time, untold", lock, s / 2, 0, "jjjjjrrrrrrrrjjjjjrr", 5, 0, 0, false},
		{"a lock that ends early", lock, s / 2, 4 * s, "jjjjjrrjjrr", 5, 2, 2, false},
		{"six are judged", lock, s / 10, 4 * s, "jjjjjjrr", 6, 0, 1, false},
		{"four are judged", lock, s / 10, 4 * s, "jjjjrr", 4, 0, 0, false},
		{"no lock", lock, s / 10, 4 * s, "jjjjjjjj", 8, 0, 3, false},
		{"more are judged after the first lock", lock, s / 2, 4 * s, "jjjjjrrrrrrrrjjjjjjjrr", 7, 0, 2, false},
		{"a later lock comes sooner", lock, s / 2, 4 * s, "jjjjjrrrrrrrrjrr", 5, 0, 0, false},
		{"a sliding window", window, s / 4, s, "jjjjjrrrrrrrjr", 5, 0, 0, false},
		{"a sliding window, untold", window, s / 4, 0, "jjjjjrrrrrrrrjr", 5, 0, 0, false},
		{"slower than the window", window, 7 * s / 10, 0, "jjjjjjjjjj", 5, 0, 0, true},
		{"an edge of a fixed window", fixed, s / 10, 0, "jjjjjjrr", 5, 0, 0, false},
		{"a wait that grows", waits, s / 2, 2 * s, "jjjrrrjrrrrrrrjrrrrrrrj", 0, 0, 0, false},
		{"a wait that grows, untold", waits, s / 2, 0, "jjjrrrjrrrrrrrjrrrrrrrj", 0, 0, 0, false},
		{"a wait that begins one try later", waits, s / 2, 0, "jjjjrrrjrrrrrrrj", 0, 0, 0, false},
		{"a wait that is not kept", waits, s / 2, 0, "jjjjjjjj", 0, 0, 4, false},
		{"a wait that does not grow", waits, s / 2, 0, "jjjrrrjrrrjrrjrrj", 0, 0, 2, false},
		{"a wait shorter than it is told", waits, s / 2, 4 * s, "jjjrjrrrrrrrj", 0, 1, 0, false},
		{"more than two fixed windows", fixed, s / 10, 0, "jjjjjjjjjjjrr", 11, 0, 1, false},
	} {
		l := judge{Judge: profile.Judge{Limit: c.limit}}.lockout()
		at, judged, leaked := time.Unix(1, 0), 0, 0
		var locked time.Time
		for _, what := range c.answers {
			a := wire.Answer{Header: http.Header{}, Sent: at, Done: at.Add(10 * time.Millisecond)}
			if what == 'r' {
				if locked.IsZero() {
					locked = at
				}
				if left := c.wait - at.Sub(locked); c.wait > 0 {
					a.Header.Set("Retry-After", strconv.Itoa(max(1, int((left+s-1)/s))))
				}
				l.refused(a)
			} else {
				judged++
				locked = time.Time{}
				if l.judged(a) {
					leaked++
				}
			}
			at = at.Add(c.every)
		}
		if c.limit.Delay.From == 0 && l.total() != c.admitted || leaked != c.leaked || l.excess != c.excess || l.never(judged) != c.never {
			t.Errorf("%s: got %d before the lock, %d in it, %d too many, never met: %v; want %d, %d, %d, %v", c.name, l.total(), leaked, l.excess, l.never(judged), c.admitted, c.leaked, c.excess, c.never)
		}
	}
}
