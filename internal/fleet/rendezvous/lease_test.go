package rendezvous

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vitals/internal/fleet"
)

// A second controller of a run that is led is refused, and told by whom; one that
// comes when the first has ended leads at once.
func TestOneControllerAtATime(t *testing.T) {
	t.Parallel()
	url := server(t)
	first, err := open(t, url).Control(t.Context(), "p", 2, Watcher{Fenced: func(f *Fenced) { t.Errorf("the first was fenced: %v", f) }})
	if err != nil {
		t.Fatal(err)
	}
	var held string
	_, err = open(t, url).Control(t.Context(), "p", 2, Watcher{Held: func(by string) { held = by }})
	if err == nil || !strings.Contains(err.Error(), "is led by another controller") || held == "" || !strings.Contains(err.Error(), held) {
		t.Errorf("got %v, held by %q, want it refused and the other named", err, held)
	}
	if err := first.Leads(t.Context()); err != nil {
		t.Errorf("the first leads no more: %v", err)
	}
	first.Release()
	third, err := open(t, url).Control(t.Context(), "p", 2, Watcher{Held: func(by string) { t.Errorf("held by %q, who has ended", by) }})
	if err != nil {
		t.Fatal(err)
	}
	third.Release()
}

// The lease of a controller that was killed ends by itself: the next one waits for
// that and leads.
func TestAKilledControllersLease(t *testing.T) {
	t.Parallel()
	m := open(t, server(t))
	if err := m.rdb.Set(t.Context(), m.key("lease"), "elsewhere, process 7/x", 2*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	var held string
	c, err := m.Control(t.Context(), "p", 2, Watcher{Held: func(by string) { held = by }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	if held != "elsewhere, process 7" {
		t.Errorf("held by %q", held)
	}
}

// A controller that was frozen for longer than its lease finds another one in its
// place: it is told, stops no member, and leaves the lease alone.
func TestAFencedController(t *testing.T) {
	t.Parallel()
	m := open(t, server(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	c, err := m.Control(ctx, "p", 2, Watcher{Fenced: func(f *Fenced) { cancel(f) }})
	if err != nil {
		t.Fatal(err)
	}
	const other = "elsewhere, process 7/x"
	if err := m.rdb.Set(t.Context(), m.key("lease"), other, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	var fenced *Fenced
	if err := c.Leads(t.Context()); !errors.As(err, &fenced) || fenced.By != "elsewhere, process 7" {
		t.Errorf("got %v, want another to lead", err)
	}
	if _, _, err := c.Gather(ctx, time.Minute, func(int) {}); !errors.As(err, &fenced) {
		t.Errorf("got %v, want it to end because another leads", err)
	}
	c.Release()
	if now := m.rdb.Get(t.Context(), m.key("lease")).Val(); now != other {
		t.Errorf("the lease is %q's now", now)
	}
	if n := m.rdb.Exists(t.Context(), m.key("abort"), m.key("start")).Val(); n != 0 {
		t.Error("a fenced controller stopped or started the members")
	}
}

// A member that must go before the start gives its index back, and its successor
// takes it; after the start nobody does.
func TestAMemberThatGoes(t *testing.T) {
	t.Parallel()
	m := open(t, server(t))
	c, err := m.Control(t.Context(), "p", 2, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	join := func(ctx context.Context, i int, who string) (*Seat, error) {
		return m.Join(ctx, fleet.Member{Index: i, Of: 2}, Ready{PlanID: "p", Incarnation: who}, 10*time.Second)
	}
	going, gone := context.WithCancel(t.Context())
	seat, err := join(going, 0, "first")
	if err != nil {
		t.Fatal(err)
	}
	gone()
	if _, err := seat.Start(going, 10*time.Second); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if s, err := m.Status(t.Context()); err != nil || s.Ready != 0 {
		t.Errorf("got %+v, %v, want nobody ready", s, err)
	}
	if begun, err := c.begin(t.Context()); begun || err != nil {
		t.Errorf("began %v, %v without anybody", begun, err)
	}
	for i, who := range []string{"second", "other"} {
		if _, err := join(t.Context(), i, who); err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
	}
	if _, ready, err := c.Gather(t.Context(), 10*time.Second, func(int) {}); err != nil || ready[0].Incarnation != "second" {
		t.Fatalf("got %+v, %v, want the successor", ready, err)
	}
	(&Seat{m: m, member: fleet.Member{Index: 1, Of: 2}, who: "other"}).giveUp(t.Context())
	if _, err := join(t.Context(), 1, "late"); code(err) != fleet.ExitFenced {
		t.Errorf("after the start: got %v, want the index taken", err)
	}
}

// A member that went in the middle of the load is lost at once, and what it measured
// is there.
func TestAMemberThatLeft(t *testing.T) {
	t.Parallel()
	m := open(t, server(t))
	c, err := m.Control(t.Context(), "p", 2, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	for i, left := range []bool{false, true} {
		seat, err := m.Join(t.Context(), fleet.Member{Index: i, Of: 2}, Ready{PlanID: "p", Incarnation: "me"}, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := seat.Deliver(t.Context(), []byte("half"), left); err != nil {
			t.Fatal(err)
		}
	}
	var seen []Status
	lost, err := c.Follow(t.Context(), 1, func(s Status) { seen = append(seen, s) })
	if err != nil || len(lost) != 1 || lost[0] != 1 || len(seen) != 1 {
		t.Errorf("got lost %v, %v after %d looks, want member 1 at the first", lost, err, len(seen))
	}
	if text, err := c.Document(t.Context(), 1); string(text) != "half" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}
