package load

import (
	"sync"
	"time"

	"vitals/internal/measure"
)

// lag is how late we were ourselves: from the due time to the moment a free
// worker had the request in hand. What waited because every worker was busy is not
// in it, and counted apart.
type lag struct {
	mu      sync.Mutex
	all     *measure.Histogram
	bound   time.Duration
	width   time.Duration // of a window
	windows []window
	first   window        // what was held first, before the load could slow the system down
	least   time.Duration // that anything was held: the least that an answer needs; 0 = nothing was
}

// firstFew is how many are in the first.
const firstFew = 16

// window is a span of due times: what was due in it, sent late by ourselves, or
// waited for a worker, and how long workers were held by what they carried out.
type window struct {
	n, late, waited uint32
	paused          bool // we were so late that what should have been sent in it was still waiting
	held            time.Duration
	done            uint32
}

// widthOf is the window's width for a load of that length: a second, and shorter
// for a short load, so that three in a row can be told from one blip.
func widthOf(total time.Duration) time.Duration {
	return min(max(total/10, 100*time.Millisecond), time.Second)
}

// at is the window that holds an offset. The caller holds the lock.
func (l *lag) at(due time.Duration) *window {
	i := int(max(0, due) / l.width)
	for len(l.windows) <= i {
		l.windows = append(l.windows, window{})
	}
	return &l.windows[i]
}

// record counts a request that a free worker took.
func (l *lag) record(due, late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = measure.NewHistogram()
	}
	l.all.Record(max(0, late))
	w := l.at(due)
	w.n++
	if late > l.bound {
		w.late++
		for past := due + l.width; past+l.width <= due+late; past += l.width {
			l.at(past).paused = true
		}
	}
}

// p99 is the 99th percentile of the lateness so far; 0 when nothing was sent.
func (l *lag) p99() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	p99, _ := l.all.Quantile(0.99)
	return p99
}

// wait counts a request that waited until a worker was free.
func (l *lag) wait(due time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.at(due)
	w.n++
	w.waited++
}

// held counts how long a worker was busy with what was due then.
func (l *lag) held(due, long time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.at(due)
	w.held += long
	w.done++
	if l.least == 0 || long < l.least {
		l.least = long
	}
	if l.first.done < firstFew {
		l.first.held += long
		l.first.done++
	}
}

// runOf is how many windows in a row, at the most, are of a kind, how many are in
// all, and of how many. Those in which nothing was due are neither here nor there,
// unless nothing could be, for we had stopped.
func (l *lag) runOf(kind func(window) bool) (inRow, all, of int) {
	row := 0
	for _, w := range l.windows {
		switch {
		case w.n == 0 && !kind(w):
			continue
		case kind(w):
			row++
			all++
		default:
			row = 0
		}
		of++
		inRow = max(inRow, row)
	}
	return inRow, all, of
}

// lateWindow is one whose 99th percentile of lateness is above the bound, and
// starved one of whose requests more than a tenth waited for a worker.
func lateWindow(w window) bool { return float64(w.late) > float64(w.n)/100 || w.n == 0 && w.paused }
func starved(w window) bool    { return float64(w.waited) > float64(w.n)/10 }
