package limitcheck_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// fixedWindows is a server that counts in windows that follow one another: on the clock,
// in whole seconds, or from the first request after the last window, as its kind says.
type fixedWindows struct {
	kind, limit int
	window      time.Duration
	began       time.Time
	n           int
}

func (s *fixedWindows) admit(at time.Time) bool {
	switch s.kind {
	case 0:
		if b := at.Truncate(s.window); !b.Equal(s.began) {
			s.began, s.n = b, 0
		}
	default:
		if at.Sub(s.began) >= s.window {
			s.began, s.n = at, 0
			if s.kind == 2 {
				s.began = at.Truncate(time.Second)
			}
		}
	}
	s.n++
	return s.n <= s.limit
}

// flood has a server asked for long, at random times, and gives what the checker finds.
func flood(seed uint64, rule limitcheck.Rule, admit func(time.Time) bool, rate float64) []limitcheck.Violation {
	rng := rand.New(rand.NewPCG(seed, 3))
	c := limitcheck.New(map[string]limitcheck.Rule{"p": rule}, limitcheck.Options{})
	var es []limitcheck.Event
	at := start.Add(time.Duration(rng.Int64N(int64(rule.Window))))
	for end := at.Add(40 * rule.Window); at.Before(end); {
		at = at.Add(time.Duration(rng.ExpFloat64() / rate * float64(time.Second)))
		if rng.IntN(200) == 0 { // a pause, and many at once after it
			at = at.Add(time.Duration(rng.Int64N(int64(2 * rule.Window))))
		}
		e := limitcheck.Event{Sent: at.Add(-time.Duration(rng.IntN(5)) * time.Millisecond), Done: at.Add(time.Duration(rng.IntN(300)) * time.Millisecond),
			From: netip.AddrFrom4([4]byte{127, 9, 0, 1}), Policy: "p", Status: 200, Limit: -1, Remaining: -1, RetryAfter: -1}
		if !admit(at) {
			e.Status, e.RetryAfter = 429, int(rule.Window/time.Second)
		}
		es = append(es, e)
	}
	slices.SortStableFunc(es, func(a, b limitcheck.Event) int { return a.Done.Compare(b.Done) })
	for _, e := range es {
		c.Add(e)
	}
	return slices.DeleteFunc(c.Finish(), func(v limitcheck.Violation) bool { return v.Rule != "J1" })
}

// A limit of fixed windows that is kept is never accused of judging too many, however the
// windows lie; one that admits half as many again in each is, though no two windows hold more than
// twice the limit.
func TestFixedWindowsOverMany(t *testing.T) {
	for seed := range uint64(240) {
		rule := limitcheck.Rule{Limit: 2 + int(seed)%29, Window: time.Duration(1+seed%7) * time.Second, Fixed: true, Partial: true}
		rate := float64(rule.Limit) / rule.Window.Seconds() * []float64{0.8, 1.5, 4, 20}[seed%4]
		s := &fixedWindows{kind: int(seed) % 3, limit: rule.Limit, window: rule.Window}
		if vs := flood(seed, rule, s.admit, rate); len(vs) > 0 {
			t.Fatalf("seed %d, kind %d, %d in %v: accused although it is kept:\n%v", seed, s.kind, rule.Limit, rule.Window, vs[0])
		}
		rule.Window += 2 * time.Second
		wide := &fixedWindows{kind: int(seed) % 3, limit: (3*rule.Limit + 1) / 2, window: rule.Window}
		if vs := flood(seed, rule, wide.admit, 4*float64(rule.Limit)/rule.Window.Seconds()); len(vs) == 0 || !strings.Contains(vs[0].Words, "requests admitted within") {
			t.Fatalf("seed %d, kind %d: got no accusation of %d in %v where %d are allowed", seed, wide.kind, wide.limit, rule.Window, rule.Limit)
		}
	}
}

// Repro: 30 in each window of 4 s, for half a minute, where 20 are promised.
func TestHalfAsManyAgainIsFoundInHalfAMinute(t *testing.T) {
	f := newFeed(limitcheck.Rule{Limit: 20, Window: 4 * time.Second, Fixed: true, Partial: true}, limitcheck.Options{})
	for range 7 {
		for range 30 {
			f.answer(200, "")
			f.at = f.at.Add(-time.Second + 4*time.Second/30)
		}
	}
	f.want(t, "J1", "J1")
}

// A count without a window lasts until the lock, or until a success: nobody said whose, so
// that neither reading is accused; and no window of ten years is told.
func TestACountWithoutAWindow(t *testing.T) {
	rule := limitcheck.Rule{Limit: 5, Window: limitcheck.Forever, Lock: 15 * time.Second, Failures: true}
	for _, clears := range []bool{true, false} {
		f := newFeed(rule, limitcheck.Options{})
		for range 4 {
			f.answer(401, "a")
		}
		f.answer(200, "b")
		f.answer(401, "a")
		if clears {
			f.answer(401, "a")
		} else {
			f.answer(429, "a", wait(15))
		}
		f.want(t)
	}
	f := newFeed(rule, limitcheck.Options{})
	for range 6 {
		f.answer(401, "a")
		f.at = f.at.Add(time.Hour)
	}
	if vs := f.Finish(); len(vs) != 1 || vs[0].Rule != "J1" || !strings.HasSuffix(vs[0].Words, "allowed are 5 until a lock or a success") {
		t.Errorf("got %v, want J1 in the profile's words", vs)
	}
}

// Each account at each address has a count of its own.
func TestACountOfAPair(t *testing.T) {
	rule := byAccount
	rule.By = limitcheck.Pair
	other := func(e *limitcheck.Event) { e.From = netip.MustParseAddr("127.9.0.7") }
	f := newFeed(rule, limitcheck.Options{})
	for range 4 {
		f.answer(401, "a")
		f.answer(401, "b")
		f.answer(401, "a", other)
	}
	f.answer(429, "a", wait(20))
	f.answer(200, "a", other)
	f.want(t)

	f = newFeed(rule, limitcheck.Options{})
	for range 5 {
		f.answer(401, "a")
	}
	f.answer(429, "a", other, wait(20))
	vs := f.Finish()
	if got := rules(vs); len(got) != 2 || got[0] != "J1" || got[1] != "J4" || vs[0].Key != "user a from 127.9.0.1" {
		t.Errorf("got %v, want J1 of the pair and J4 of the other", vs)
	}
}

// What is left jumps up when a window begins, though one as long as it holds more: of
// windows that slide it may not.
func TestWhatIsLeftWhenAWindowBegins(t *testing.T) {
	for _, fixed := range []bool{true, false} {
		rule := limitcheck.Rule{Limit: 12, Window: 10 * time.Second, Fixed: fixed}
		c := limitcheck.New(map[string]limitcheck.Rule{"api": rule}, limitcheck.Options{})
		at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
		for i := range 24 {
			sent := at.Add(time.Duration(i) * 500 * time.Millisecond) // the second window begins after 6 s
			c.Add(limitcheck.Event{Sent: sent, Done: sent.Add(time.Millisecond), User: "u", From: netip.MustParseAddr("127.0.0.9"), Policy: "api", Status: 200,
				Limit: 12, Remaining: 11 - i%12, RetryAfter: -1})
		}
		got := ""
		for _, v := range c.Finish() {
			got += v.Rule + " "
		}
		if accused := strings.Contains(got, "J6"); accused == fixed {
			t.Errorf("fixed %v: got %q", fixed, got)
		}
	}
}

// One excess over a limit of fixed windows is said once, whether one span as long as a
// window shows it or only many windows do; what comes after it is an excess of its own.
func TestOneExcessOfFixedWindowsIsSaidOnce(t *testing.T) {
	rule := limitcheck.Rule{Limit: 3, Window: 10 * time.Second, Fixed: true, Partial: true}
	for _, failures := range []bool{false, true} {
		rule.Failures = failures
		for n, want := range map[int]int{6: 0, 7: 1, 13: 1, 14: 2} {
			f := newFeed(rule, limitcheck.Options{})
			for range n {
				f.answer(map[bool]int{false: 200, true: 401}[failures], "a")
				f.at = f.at.Add(-900 * time.Millisecond) // ten a second
			}
			if vs := f.Finish(); len(vs) != want {
				t.Errorf("failures %v, %d at once: got %v, want %d", failures, n, vs, want)
			}
		}
	}
	// Many windows show it first; the span that shows it next begins before that was said.
	f := newFeed(rule, limitcheck.Options{})
	for _, gap := range []time.Duration{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1} {
		f.at = f.at.Add(gap*time.Second - time.Second)
		f.answer(401, "a")
	}
	f.want(t, "J1")
}
