package rendezvous

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous/redistest"
)

// seated is a member that has joined a run of one, and its controller.
func seated(t *testing.T, lead, url string) (*Controller, *Seat) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	c, err := open(t, lead).Control(ctx, "p", 1, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	seat, err := open(t, url).Join(ctx, fleet.Member{Index: 0, Of: 1}, Ready{PlanID: "p", Incarnation: "me"}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c, seat
}

// A flush whose answer is cut off is sent again, and is there once; each is
// received once and in order, and a controller that comes later finds the last.
func TestAFlushIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	var cuts atomic.Int64
	url := s.Proxy(t, func(answer []byte) []byte {
		if bytes.Contains(answer, []byte("-1\r\n")) && bytes.HasPrefix(answer, []byte("$")) && cuts.Add(1)%2 == 1 { // XADD's own answer
			return nil
		}
		return answer
	})
	c, seat := seated(t, s.URL, url)
	for n := int64(1); n <= 5; n++ {
		for range 2 { // and once more by the caller, who did not know
			if err := seat.Flush(t.Context(), n, fleet.Pulse{Sent: n}, fmt.Append(nil, "delta ", n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if cuts.Load() < 2 {
		t.Fatalf("the connection was cut %d times: nothing was tried", cuts.Load())
	}
	for part := range 2 {
		got, err := c.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if part == 1 {
			if len(got) > 0 {
				t.Errorf("received %d flushes twice", len(got))
			}
			break
		}
		if len(got) != 5 {
			t.Fatalf("received %d flushes, want 5", len(got))
		}
		for i, f := range got {
			if n := int64(i + 1); f.Pulse.Sent != n || string(f.Delta) != fmt.Sprint("delta ", n) || f.Missed != 0 {
				t.Errorf("flush %d: got %+v", n, f)
			}
		}
	}
	for n := int64(6); n <= flushes+10; n++ {
		if err := seat.Flush(t.Context(), n, fleet.Pulse{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	c.Release()
	later, err := open(t, s.URL).Control(t.Context(), "p", 1, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := later.Receive(t.Context()); err != nil || len(got) != flushes || got[0].Missed != 10 {
		t.Errorf("got %d flushes, %v, want the last %d and 10 missed", len(got), err, flushes)
	}
}

// A member whose clock is wrong starts with the others; one that cannot know how
// wrong it is does not start.
func TestAWrongClock(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const wrong = 200 * time.Millisecond
	times := regexp.MustCompile(`\*2\r\n\$10\r\n(\d{10})\r\n\$\d+\r\n(\d+)\r\n`)
	url := s.Proxy(t, func(answer []byte) []byte { // the common clock seems ahead: ours is behind
		return times.ReplaceAllFunc(answer, func(text []byte) []byte {
			m := times.FindSubmatch(text)
			sec, _ := strconv.ParseInt(string(m[1]), 10, 64)
			us, _ := strconv.ParseInt(string(m[2]), 10, 64)
			at := time.UnixMicro(sec*1e6 + us).Add(wrong)
			micro := fmt.Sprint(at.Nanosecond() / 1000)
			return fmt.Appendf(nil, "*2\r\n$10\r\n%d\r\n$%d\r\n%s\r\n", at.Unix(), len(micro), micro)
		})
	})
	c, seat := seated(t, s.URL, url)
	if d := (seat.offset - wrong).Abs(); d > seat.bound+5*time.Millisecond {
		t.Errorf("offset %s ± %s, want %s", seat.offset, seat.bound, wrong)
	}
	at, _, err := c.Gather(t.Context(), 10*time.Second, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := seat.Start(t.Context(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// On its own clock, which is behind by as much, the instant is earlier.
	if d := (at.Sub(mine) - wrong).Abs(); d > seat.bound+5*time.Millisecond {
		t.Errorf("starts %s before the common instant on its own clock, want %s", at.Sub(mine), wrong)
	}

	slow := s.Proxy(t, func(answer []byte) []byte { time.Sleep(2*maxBound + 20*time.Millisecond); return answer })
	m, err := Open(slow, "run-2")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Control(t.Context(), "p", 1, Watcher{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Join(t.Context(), fleet.Member{Index: 0, Of: 1}, Ready{PlanID: "p", Incarnation: "me"}, 10*time.Second); code(err) != fleet.ExitRefused {
		t.Errorf("a clock that is known to ±%s: got %v, want exit %d", maxBound, err, fleet.ExitRefused)
	}
}
