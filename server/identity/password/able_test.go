package password

import (
	"errors"
	"testing"
	"time"
)

// From half full on, one may come for each slot that has come free, however many
// ask.
func TestAbleLetsOneComeForEachFreePlace(t *testing.T) {
	h, err := NewHasher(Cost{MemoryKiB: 64, Time: 1, Parallelism: 1}, Limits{Concurrency: 1, Queue: 7, Wait: time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	able := func() (n int) {
		for range 100 {
			switch err := h.Able(); {
			case err == nil:
				n++
			case !errors.Is(err, ErrCapacity):
				t.Fatal(err)
			}
		}
		return n
	}
	var turns []Turn
	come := func() {
		turn, err := h.Queue()
		if err != nil {
			t.Fatal(err)
		}
		turns = append(turns, turn)
	}
	leave := func() { turns[0].Leave(); turns = turns[1:] }
	for range 4 { // of 8
		come()
	}
	if got := able(); got != 100 {
		t.Errorf("half full: got %d of 100, want all", got)
	}
	for want := range 4 { // whoever comes first finds every slot
		if err := h.Able(); err != nil {
			t.Errorf("slot %d of 8: got %v, want it free", 5+want, err)
		}
		come()
	}
	if _, err := h.Queue(); !errors.Is(err, ErrCapacity) {
		t.Errorf("one more than there are slots: got %v, want ErrCapacity", err)
	}
	if got := able(); got != 0 {
		t.Errorf("full: got %d of 100, want none", got)
	}
	leave()
	leave()
	if got := able(); got != 2 {
		t.Errorf("two slots came free: got %d of 100, want 2", got)
	}
	if got := able(); got != 0 {
		t.Errorf("nobody came, and none came free since: got %d of 100, want none", got)
	}
	leave()
	leave()
	if got := able(); got != 100 {
		t.Errorf("half full again: got %d of 100, want all", got)
	}
}
