package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous/redistest"
)

// server is a real Redis of this test's own; its URL.
func server(t *testing.T) string { return redistest.Start(t).URL }

func open(t *testing.T, url string) *Meeting {
	t.Helper()
	m, err := Open(url, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func code(err error) int {
	var e *Exit
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// Members that come before the controller wait for it; all start at one instant;
// each delivers, and the controller has every document.
func TestARun(t *testing.T) {
	t.Parallel()
	url := server(t)
	const members = 6
	starts := make([]time.Time, members)
	var all sync.WaitGroup
	for i := range members {
		all.Go(func() {
			m := open(t, url)
			seat, err := m.Join(t.Context(), fleet.Member{Index: i, Of: members}, Ready{PlanID: "p", Incarnation: fmt.Sprint("me", i)}, 20*time.Second)
			if err != nil {
				t.Errorf("member %d: %v", i, err)
				return
			}
			if starts[i], err = seat.Start(t.Context(), 20*time.Second); err != nil {
				t.Errorf("member %d: %v", i, err)
				return
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go seat.Watch(ctx, func(why error) { t.Errorf("member %d was stopped: %v", i, why) })
			for range 2 { // a repeated delivery is one
				if err := seat.Deliver(t.Context(), fmt.Appendf(nil, "doc %d", i), false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := open(t, url).Control(ctx, "p", members, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	_, ready, err := c.Gather(ctx, 20*time.Second, func(int) {})
	if err != nil || len(ready) != members {
		t.Fatalf("got %d ready, %v", len(ready), err)
	}
	lost, err := c.Follow(ctx, 0, func(Status) {})
	if err != nil || len(lost) > 0 {
		t.Fatalf("got lost %v, %v", lost, err)
	}
	all.Wait()
	for i, at := range starts {
		bound := time.Duration(ready[i].BoundUS+ready[0].BoundUS) * time.Microsecond
		if d := at.Sub(starts[0]).Abs(); d > bound+time.Microsecond {
			t.Errorf("member %d starts %s from member 0, bound %s", i, d, bound)
		}
		doc, err := c.Document(ctx, i)
		if string(doc) != fmt.Sprint("doc ", i) || err != nil {
			t.Errorf("document %d: got %q, %v", i, doc, err)
		}
	}
	c.Release()
	// Another controller with the same plan finds the run as it is; with another it is refused.
	again, err := open(t, url).Control(ctx, "p", members, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := again.m.Status(ctx); err != nil || s.Finished != members || s.Ready != members || len(s.Lost) > 0 {
		t.Errorf("resumed: got %+v, %v", s, err)
	}
	if _, err := open(t, url).Control(ctx, "q", members, Watcher{}); err == nil || !strings.Contains(err.Error(), "another run id") {
		t.Errorf("another plan: got %v", err)
	}
}

// What does not belong is refused by its own exit code before it sends anything.
func TestWhoIsRefused(t *testing.T) {
	t.Parallel()
	url := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	me := func(i int) (fleet.Member, Ready) {
		return fleet.Member{Index: i, Of: 3}, Ready{PlanID: "p", Incarnation: fmt.Sprint(i)}
	}
	m := open(t, url)
	member, r := me(0)
	if _, err := m.Join(ctx, member, r, 300*time.Millisecond); code(err) != fleet.ExitBarrier {
		t.Errorf("without a controller: got %v", err)
	}
	if _, err := m.Join(ctx, member, r, 300*time.Millisecond); code(err) != fleet.ExitBarrier {
		t.Errorf("the same once more: got %v, want the index to be free: nothing was sent", err)
	}
	c, err := m.Control(ctx, "p", 3, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	member, r = me(1)
	r.PlanID = "other"
	if _, err := m.Join(ctx, member, r, time.Second); code(err) != fleet.ExitRefused || !strings.Contains(err.Error(), "plan") {
		t.Errorf("another plan: got %v", err)
	}
	r.PlanID = "p" // with the right flags it takes part
	if _, err := m.Join(ctx, member, r, time.Second); err != nil {
		t.Errorf("the right plan after another one: got %v", err)
	}
	if _, err := m.Join(ctx, member, r, time.Second); code(err) != fleet.ExitFenced {
		t.Errorf("a taken index: got %v", err)
	}
	member, r = me(2)
	seat, err := m.Join(ctx, member, r, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_, ready, err := c.Gather(ctx, 500*time.Millisecond, func(int) {})
	if err == nil || len(ready) != 2 || !strings.Contains(err.Error(), "missing [0]") {
		t.Errorf("got %d ready, %v, want member 0 missing", len(ready), err)
	}
	if _, err := seat.Start(ctx, time.Second); code(err) != fleet.ExitAborted || !strings.Contains(err.Error(), "missing [0]") {
		t.Errorf("after the abort: got %v", err)
	}
	if _, err := Open("redis://u:s3cret@[bad", "x"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a bad URL: got %v", err)
	}
}

// A member that falls silent ends the run; one that may be lost does not. Without
// a controller members stop by themselves.
func TestLossAndLease(t *testing.T) {
	t.Parallel()
	url := server(t)
	m := open(t, url)
	lead, leave := context.WithCancel(t.Context())
	defer leave()
	c, err := m.Control(lead, "p", 2, Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 2)
	seats := make([]*Seat, 2)
	watches := make([]context.CancelFunc, 2)
	for i := range seats {
		if seats[i], err = m.Join(t.Context(), fleet.Member{Index: i, Of: 2}, Ready{PlanID: "p", Incarnation: fmt.Sprint(i)}, time.Second); err != nil {
			t.Fatal(err)
		}
		var ctx context.Context
		ctx, watches[i] = context.WithCancel(t.Context())
		defer watches[i]()
		go seats[i].Watch(ctx, func(why error) { stopped <- why })
	}
	if _, _, err := c.Gather(lead, 10*time.Second, func(int) {}); err != nil {
		t.Fatal(err)
	}
	watches[1]() // as kill -9 would
	seen := make(chan Status, 100)
	go func() { _, _ = c.Follow(lead, 0, func(s Status) { seen <- s }) }()
	why := <-stopped
	if code(why) != fleet.ExitAborted || !strings.Contains(why.Error(), "lost members [1]") {
		t.Errorf("got %v, want member 0 stopped because member 1 was lost", why)
	}
	leave()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := m.rdb.Del(ctx, m.key("abort")).Err(); err != nil {
		t.Fatal(err)
	}
	go seats[0].Watch(ctx, func(why error) { stopped <- why })
	if why := <-stopped; code(why) != fleet.ExitAborted || !strings.Contains(why.Error(), "no controller") {
		t.Errorf("got %v, want the member to stop by itself", why)
	}
}
