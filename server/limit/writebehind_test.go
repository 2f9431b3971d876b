package limit

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// What finds a full queue is dropped, and never in silence: each is counted, and the
// log says it once until the queue was written.
func TestAFullQueueIsCountedAndLogged(t *testing.T) {
	book, m := newLogbook(), newMetrics(prometheus.NewRegistry())
	w := writeBehind{dropped: m.droppedWrite, warn: slog.New(book)}
	lock := func(n int) Lock {
		return Lock{Policy: Login, Key: fmt.Sprint("192.0.2.", n), Until: time.Now().Add(time.Hour)}
	}
	for i := range queueMax {
		w.enqueueLock(lock(i))
		w.enqueueOutcome(settlement{id: fmt.Sprint(i)})
	}
	counts := func(lock, outcome float64, logged int) {
		t.Helper()
		for kind, want := range map[string]float64{kindLock: lock, kindOutcome: outcome} {
			if got := testutil.ToFloat64(m.dropped.WithLabelValues(kind)); got != want {
				t.Errorf("dropped %s: got %v, want %v", kind, got, want)
			}
		}
		if got := book.count(slog.LevelError); got != logged {
			t.Errorf("log: got %d errors, want %d", got, logged)
		}
	}
	counts(0, 0, 0)
	w.enqueueLock(lock(0)) // known already
	counts(0, 0, 0)
	for i := range 3 {
		w.enqueueLock(lock(queueMax + i))
		w.enqueueOutcome(settlement{id: "one more"})
	}
	counts(3, 3, 1)
	locks, outcomes := w.queued()
	if len(locks) != queueMax || len(outcomes) != queueMax || outcomes[0].id != "3" {
		t.Errorf("got %d locks and %d outcomes from %s on, want both full and the oldest outcomes dropped", len(locks), len(outcomes), outcomes[0].id)
	}
	w.emptied()
	w.enqueueLock(lock(1 << 20))
	counts(4, 3, 2)
}

// The same for locks that a database does not take.
func TestAFullMirrorIsCounted(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry())
	table := newTable()
	mirror := newMirror(table, slog.New(slog.DiscardHandler), m.droppedWrite)
	for i := range queueMax {
		mirror.unsaved[recordKey{Login, fmt.Sprint(i)}] = Lock{}
	}
	mirror.save(t.Context(), Lock{Policy: Login, Key: "192.0.2.1", Until: time.Now().Add(time.Hour)})
	if got := testutil.ToFloat64(m.dropped.WithLabelValues(kindSaved)); got != 1 {
		t.Errorf("got %v dropped, want 1", got)
	}
	if live, err := table.Live(t.Context()); err != nil || len(live) != 1 {
		t.Errorf("got %v, %v, want the lock saved all the same: the database answers", live, err)
	}
}
