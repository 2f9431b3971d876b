package measure

import (
	"fmt"
	"sync"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Live adds up the deltas of the members of one run while it goes on: the same
// figures as a recorder's that had seen every sample. Its memory depends on the
// steps and not on the members or the run's length. It is safe for concurrent use.
type Live struct {
	mu     sync.Mutex
	steps  int
	series series
	total  Counts
}

// NewLive makes an empty sum for a run of these honest steps, in the order of the
// members' recorders.
func NewLive(steps []Step) *Live {
	return &Live{steps: len(steps), series: series{every: deltaEvery, max: 400, steps: steps}}
}

// Add adds one delta. A delta with a step that the run has not is an error, and
// nothing of it is added.
func (l *Live) Add(d *Delta) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, sl := range d.slices {
		if len(sl.response) > l.steps {
			for step, h := range sl.response[l.steps:] {
				if h != nil {
					return fmt.Errorf("slice at %d s: step %d, the run has %d", at, l.steps+step, l.steps)
				}
			}
			sl.response = sl.response[:l.steps]
		}
	}
	for at, sl := range d.slices {
		l.total.Add(sl.counts)
		sum := l.series.at(time.Duration(at) * deltaEvery)
		sum.merge(&slice{counts: sl.counts, response: padded(sl.response, l.steps), service: sl.service, gauges: sl.gauges, until: sl.until})
		sum.stale = true
	}
	return nil
}

// padded is a list of histograms, one for each step.
func padded(hs []*hdr.PackedHistogram, steps int) []*hdr.PackedHistogram {
	return append(hs[:len(hs):len(hs)], make([]*hdr.PackedHistogram, steps-len(hs))...)
}

// Snapshot is the run as far as every member has told: the slices that end at or
// before complete. Its Counts are all that was added.
func (l *Live) Snapshot(complete time.Duration) Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Snapshot{At: complete, Every: l.series.every, Counts: l.total, Last: l.series.last(60, complete)}
}
