package load

import (
	"sync"
	"time"

	"vitals/internal/measure"
)

// lag is how late we were ourselves: from the due time to the moment a free
// worker had the request in hand. What waited because the server held every
// worker is not in it.
type lag struct {
	mu      sync.Mutex
	all     *measure.Histogram
	bound   time.Duration
	seconds []second
}

// second is one second of due times.
type second struct{ n, late uint32 }

func (l *lag) record(due, late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = measure.NewHistogram()
	}
	l.all.Record(max(0, late))
	i := int(due / time.Second)
	for len(l.seconds) <= i {
		l.seconds = append(l.seconds, second{})
	}
	l.seconds[i].n++
	if late > l.bound {
		l.seconds[i].late++
	}
}

// bad counts the seconds in which anything was due, and those of them whose 99th
// percentile was above the bound.
func (l *lag) bad() (n, bad int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.seconds {
		if s.n > 0 {
			n++
		}
		if float64(s.late) > float64(s.n)/100 {
			bad++
		}
	}
	return n, bad
}
