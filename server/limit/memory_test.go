package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// However many addresses attack, memory stays within its bound, count-all
// policies included; and locks outlast what is merely counted.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 1 << 20
	m := NewMemory(time.Hour, bound)
	table := Policies(Published())
	login, api := asker{t, m, table[Login]}, asker{t, m, table[API]}
	for i := range 300 {
		m.Hold(login.p, fmt.Sprint("locked", i), time.Hour)
	}
	for i := range 50_000 {
		key := fmt.Sprint("192.0.2.", i)
		login.try(key, "mallory", Failed)
		for range rand.IntN(5) {
			api.take(key, fmt.Sprint(i))
		}
		if _, bytes := m.Size(); i%5000 == 0 && bytes > bound+shardCount*(recordBytes+eventBytes*logMax) {
			t.Fatalf("after %d addresses: got %d bytes, want at most %d", i, bytes, bound)
		}
	}
	if got := len(m.Held()); got != 300 {
		t.Errorf("locks left: got %d, want 300", got)
	}
}

// One key that takes all it may is bounded too.
func TestMemoryOfABusyKey(t *testing.T) {
	m := NewMemory(time.Hour, 0)
	a := asker{t, m, Policy{Name: API, Limit: 1_000_000, Window: time.Hour}}
	for i := range 100_000 {
		a.take("user:7", fmt.Sprint(i))
	}
	if records, bytes := m.Size(); records != 1 || bytes > 2*recordBytes {
		t.Errorf("got %d records and %d bytes, want 1 of at most %d", records, bytes, 2*recordBytes)
	}
}

func TestHoldKeepsTheLaterEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(time.Hour, 0)
		a := asker{t, m, Policies(Published())[Login]}
		m.Hold(a.p, "192.0.2.1", time.Minute)
		m.Hold(a.p, "192.0.2.1", time.Second)
		within(t, "rest", a.wants("192.0.2.1", Locked).Retry, time.Minute, 0)
		held := m.Held()
		if len(held) != 1 || !held[0].Until.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("held: got %v, want one until in a minute", held)
		}
		time.Sleep(time.Minute)
		a.wants("192.0.2.1", Allowed)
	})
}

// A slot whose check never ended comes back with its lease.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := asker{t, NewMemory(time.Minute, 0), Policies(Published())[Login]}
		for i := range 5 {
			a.begin("192.0.2.1", fmt.Sprint(i))
		}
		a.wants("192.0.2.1", Busy)
		time.Sleep(time.Minute)
		a.wants("192.0.2.1", Allowed)
		// The check ended after all: its failure counts without a slot.
		if d := a.commit("192.0.2.1", "3", Failed, "mallory"); d.Remaining != 4 {
			t.Errorf("late failure: got remaining %d, want 4", d.Remaining)
		}
	})
}
