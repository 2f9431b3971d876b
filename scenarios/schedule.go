package scenarios

import (
	"math"
	"math/bits"
	"sort"
	"time"
)

// The bounds within which the arithmetic is exact. Rates are kept in
// millionths per second.
const (
	MaxRate  = 1e6                 // arrivals per second, and users
	MaxStage = 30 * 24 * time.Hour // length of one stage
	micro    = 1e6                 // parts of one per second
	// one is a single arrival in the unit that areas are kept in: twice
	// (millionths per second) × nanoseconds, so that a trapezoid has no half.
	one = 2 * 1_000_000 * 1_000_000_000
)

// Schedule says when arrival n of an open load is due. It is a pure function of
// the load, safe for concurrent use; a shard asks for its own n only.
type Schedule struct {
	segments []segment
	area     wide // under the whole curve
	grid     time.Duration
	poisson  *poisson // nil = even gaps
	total    uint64
}

// segment is one stage: rates in millionths per second, and what lies before it.
type segment struct {
	from, to uint64
	length   uint64 // ns
	begins   time.Duration
	before   wide // area
}

// Arrivals is the schedule of an open load: arrival n is due when the integral
// of the rate reaches n, the first at the start of the first stage that has a
// rate; a gap belongs to the stage after it. Totals are exact, and so are due
// times, to the nanosecond, rounded up. With Poisson the gaps are
// drawn from the seed; without, the seed is not used.
func (l Load) Arrivals(seed uint64) Schedule {
	s := Schedule{grid: l.Grid}
	var at time.Duration
	for _, stage := range l.Stages {
		g := segment{from: millionths(stage.From), to: millionths(stage.To), length: uint64(max(0, stage.For)), begins: at, before: s.area}
		s.area = s.area.add(mul(g.from+g.to, g.length))
		at += max(0, stage.For)
		if g.length > 0 && g.from+g.to > 0 {
			s.segments = append(s.segments, g)
		}
	}
	switch {
	case s.area == wide{}:
	case l.Poisson:
		s.poisson = newPoisson(seed, s.area)
		s.total = s.poisson.total
	default:
		s.total, _ = bits.Div64(s.area.hi, s.area.lo, one)
		if mul(s.total, one) != s.area {
			s.total++ // n = total-1 is still reached
		}
	}
	return s
}

func millionths(rate float64) uint64 {
	return uint64(math.Round(min(max(0, rate), MaxRate) * micro))
}

// Total is how many arrivals there are.
func (s Schedule) Total() uint64 { return s.total }

// Due is the offset of arrival n from the start, false past the last one. It
// never decreases with n.
func (s Schedule) Due(n uint64) (time.Duration, bool) {
	if n >= s.total {
		return 0, false
	}
	at := mul(n, one)
	if s.poisson != nil {
		at = s.poisson.at(n)
	}
	i := sort.Search(len(s.segments), func(i int) bool { return at.less(s.segments[i].before) }) - 1
	g := s.segments[i]
	due := g.begins + time.Duration(g.reach(at.sub(g.before)))
	if s.grid > 0 {
		due = (due + s.grid - 1) / s.grid * s.grid
	}
	return due, true
}

// Before is how many arrivals are due before the offset: those of a phase are
// Before(To) - Before(From).
func (s Schedule) Before(at time.Duration) uint64 {
	return uint64(sort.Search(int(s.total), func(n int) bool {
		due, _ := s.Due(uint64(n))
		return due >= at
	}))
}

// reach is the first nanosecond of the segment at which the area is reached.
func (g segment) reach(area wide) uint64 {
	if area == (wide{}) {
		return 0
	}
	if g.from == g.to {
		return area.div(2 * g.from)
	}
	// A float finds the place within a few nanoseconds; whole numbers decide.
	t := g.estimate(area)
	lo, hi := uint64(0), g.length // not reached at lo, reached at hi
	for step := uint64(1); ; step *= 2 {
		if g.reached(t, area) {
			hi = t
			if t <= lo+step {
				break
			}
			t -= step
			if !g.reached(t, area) {
				lo = t
				break
			}
		} else {
			lo = t
			if t+step >= hi {
				break
			}
			t += step
			if g.reached(t, area) {
				hi = t
				break
			}
		}
	}
	for lo+1 < hi {
		mid := lo + (hi-lo)/2
		if g.reached(mid, area) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// reached compares t·(2·from·length + (to-from)·t) with area·length: both are
// the area times the length, without a division.
func (g segment) reached(t uint64, area wide) bool {
	slope := mul(2*g.from, g.length)
	if g.to >= g.from {
		slope = slope.add(mul(g.to-g.from, t))
	} else {
		slope = slope.sub(mul(g.from-g.to, t))
	}
	return atLeast(slope.times(t), area.times(g.length))
}

// estimate solves the quadratic in the form that is stable for a ramp from 0.
func (g segment) estimate(area wide) uint64 {
	from, length := float64(g.from), float64(g.length)
	rise := (float64(g.to) - from) / length
	root := math.Sqrt(max(0, from*from+rise*area.float()))
	t := area.float() / (from + root)
	return uint64(min(max(1, t), length))
}
