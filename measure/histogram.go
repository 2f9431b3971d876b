package measure

import (
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// One geometry everywhere, so that every merge is exact: 1 µs to 60 s at three
// significant digits (product, baselines 3.2).
const (
	lowest  = 1
	highest = 60_000_000
	digits  = 3
)

// Histogram counts durations in microseconds, in constant memory (about 140 kB
// dense). A value past 60 s is clamped and counted as such. It is owned by one
// goroutine.
type Histogram struct {
	h       *hdr.Histogram
	sum     time.Duration
	clamped int64
}

// NewHistogram makes an empty histogram.
func NewHistogram() *Histogram { return &Histogram{h: hdr.New(lowest, highest, digits)} }

// Record counts one duration.
func (h *Histogram) Record(d time.Duration) {
	us := max(lowest, d.Microseconds())
	if us > highest {
		us, h.clamped = highest, h.clamped+1
	}
	_ = h.h.RecordValue(us) // cannot fail between lowest and highest
	h.sum += d
}

// N is how many durations were counted; 0 for a nil histogram.
func (h *Histogram) N() int64 {
	if h == nil {
		return 0
	}
	return h.h.TotalCount()
}

// Clamped is how many of them were above 60 s.
func (h *Histogram) Clamped() int64 {
	if h == nil {
		return 0
	}
	return h.clamped
}

// Quantile is the smallest duration that at least q·N (0 < q ≤ 1) were not
// above, and false when nothing was counted.
func (h *Histogram) Quantile(q float64) (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.h.ValueAtQuantile(q*100)) * time.Microsecond, true
}

// Max is the largest duration counted, within the geometry's precision.
func (h *Histogram) Max() (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.h.Max()) * time.Microsecond, true
}

// Merge adds o's counts; exact, because every histogram has the same geometry.
func (h *Histogram) Merge(o *Histogram) {
	if o.N() == 0 {
		return
	}
	if dropped := h.h.Merge(o.h); dropped != 0 {
		panic(fmt.Sprintf("measure: %d values dropped in a merge of equal geometries", dropped))
	}
	h.sum += o.sum
	h.clamped += o.clamped
}

// Reset empties the histogram for reuse.
func (h *Histogram) Reset() { h.h.Reset(); h.sum, h.clamped = 0, 0 }
