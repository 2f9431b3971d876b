package load

import (
	"testing"
	"time"
)

// While we are stopped nothing is due: a user whose request waits for us asks for no other.
// Those seconds are late as well.
func TestAStopOfOursIsLateThroughout(t *testing.T) {
	of := func(stops ...time.Duration) *lag {
		l := &lag{bound: 30 * time.Millisecond, width: time.Second}
		for _, stop := range stops {
			for due := time.Duration(0); due < 3*time.Second; due += 100 * time.Millisecond {
				l.record(due, 0)
			}
			l.record(3100*time.Millisecond, stop)
			for due := 3100*time.Millisecond + stop; due < 20*time.Second; due += 100 * time.Millisecond {
				l.record(due, 0)
			}
		}
		return l
	}
	for stop, want := range map[time.Duration]bool{20 * time.Millisecond: false, 500 * time.Millisecond: false, 4 * time.Second: true} {
		if got := of(stop).late(); got != want {
			t.Errorf("stopped for %s: got doubtful %t", stop, got)
		}
	}
	inRow, all, of20 := of(4 * time.Second).runOf(lateWindow)
	if inRow != 4 || all != 4 || of20 != 20 {
		t.Errorf("got %d in a row, %d of %d windows", inRow, all, of20)
	}
	if inRow, _, _ := of(4 * time.Second).runOf(starved); inRow != 0 {
		t.Errorf("%d windows wait for a worker, want none", inRow)
	}
}
