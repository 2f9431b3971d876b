package measure

import (
	"maps"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// series is the run in slices of one width, all of them open: a slice is kept
// sparse (a few bytes for each distinct duration), so an answer that comes
// minutes after its due time still lands where it was due.
type series struct {
	every  time.Duration
	max    int
	steps  []Step
	slices []*slice

	mergeable bool // documents carry the histograms
}

// slice is one interval while the run goes on.
type slice struct {
	counts   Counts
	response []*hdr.PackedHistogram // by step: served responses; nil when none
	service  *hdr.PackedHistogram   // the same from the send, all steps together
	gauges   map[string]reading
	until    time.Duration // when the last answer had come, in whole microseconds
	stale    bool          // view does not hold everything
	view     Slice         // as documents carry it
}

// reading is the sum of n gauge readings.
type reading struct {
	sum float64
	n   int
}

// at is the slice that holds an offset, nil before the run's start. Slices are
// folded pairwise until the offset fits, which keeps memory bounded.
func (s *series) at(due time.Duration) *slice {
	if due < 0 {
		return nil
	}
	for due/s.every >= time.Duration(s.max) {
		s.fold()
	}
	i := int(due / s.every)
	for len(s.slices) <= i {
		s.slices = append(s.slices, &slice{response: make([]*hdr.PackedHistogram, len(s.steps))})
	}
	return s.slices[i]
}

// fold makes the slices twice as wide.
func (s *series) fold() {
	s.every *= 2
	for i := 0; i < len(s.slices); i += 2 {
		if i+1 < len(s.slices) {
			s.slices[i].merge(s.slices[i+1])
		}
		s.slices[i].stale = true
		s.slices[i/2] = s.slices[i]
	}
	n := (len(s.slices) + 1) / 2
	clear(s.slices[n:])
	s.slices = s.slices[:n]
}

// all is every slice.
func (s *series) all() Series {
	out := Series{Every: s.every, Slices: make([]Slice, len(s.slices))}
	for i := range s.slices {
		out.Slices[i] = s.show(i)
		out.Slices[i].Until = 0 // nothing is waited for any more
	}
	return out
}

// last is up to n slices that end at or before a time, oldest first.
func (s *series) last(n int, before time.Duration) []Slice {
	end := min(len(s.slices), int(before/s.every))
	var out []Slice
	for i := max(0, end-n); i < end; i++ {
		out = append(out, s.show(i))
	}
	return out
}

// show is a slice as documents carry it.
func (s *series) show(i int) Slice {
	sl := s.slices[i]
	if sl.stale {
		sl.view = sl.sum(s.steps)
		sl.stale = false
	}
	out := sl.view
	out.At = time.Duration(i) * s.every
	out.StepP95 = maps.Clone(out.StepP95)
	if s.mergeable {
		out.Served, out.Service = sl.encoded(s.steps), sl.encodedService()
	}
	for name, g := range sl.gauges {
		if out.Gauges == nil {
			out.Gauges = make(map[string]float64, len(sl.gauges))
		}
		out.Gauges[name] = g.sum / float64(g.n)
	}
	return out
}

func (sl *slice) add(s *Sample, late bool) {
	sl.stale = true
	sl.until = max(sl.until, s.Done.Truncate(time.Microsecond))
	sl.counts.sample(s, late)
	if s.Outcome != Served {
		return
	}
	h := sl.response[s.Step]
	if h == nil {
		h = hdr.NewPacked(lowest, highest, digits)
		sl.response[s.Step] = h
	}
	_ = h.RecordValue(clamp(s.Response())) // cannot fail between lowest and highest
	if sl.service == nil {
		sl.service = hdr.NewPacked(lowest, highest, digits)
	}
	_ = sl.service.RecordValue(clamp(s.Service()))
}

func (sl *slice) gauge(name string, v float64) {
	if sl.gauges == nil {
		sl.gauges = map[string]reading{}
	}
	g := sl.gauges[name]
	sl.gauges[name] = reading{g.sum + v, g.n + 1}
}

func (sl *slice) merge(o *slice) {
	sl.counts.Add(o.counts)
	sl.until = max(sl.until, o.until)
	for step, h := range o.response {
		switch mine := sl.response[step]; {
		case mine == nil:
			sl.response[step] = h
		case h != nil:
			mustFit(mine.Merge(h))
		}
	}
	switch {
	case sl.service == nil:
		sl.service = o.service
	case o.service != nil:
		mustFit(sl.service.Merge(o.service))
	}
	for name, g := range o.gauges {
		if sl.gauges == nil {
			sl.gauges = map[string]reading{}
		}
		sum := sl.gauges[name]
		sl.gauges[name] = reading{sum.sum + g.sum, sum.n + g.n}
	}
}

// sum computes the figures of a slice.
func (sl *slice) sum(steps []Step) Slice {
	out := Slice{Counts: sl.counts, Until: sl.until}
	whole := hdr.NewPacked(lowest, highest, digits)
	for step, h := range sl.response {
		if h == nil {
			continue
		}
		// A slice that is summed is mostly past: give back what growing left over.
		h.Compact()
		mustFit(whole.Merge(h))
		if out.StepP95 == nil {
			out.StepP95 = map[string]int64{}
		}
		out.StepP95[steps[step].Name] = h.ValueAtPercentile(percentile(0.95, h.TotalCount()))
	}
	if n := whole.TotalCount(); n > 0 {
		at := func(q float64) time.Duration {
			return time.Duration(whole.ValueAtPercentile(percentile(q, n))) * time.Microsecond
		}
		out.P50, out.P95, out.P99, out.Max = at(0.50), at(0.95), at(0.99), at(1)
	}
	if h := sl.service; h != nil {
		h.Compact()
		out.SentP95 = time.Duration(h.ValueAtPercentile(percentile(0.95, h.TotalCount()))) * time.Microsecond
	}
	return out
}

// encoded are the histograms by step name, as documents carry them.
func (sl *slice) encoded(steps []Step) map[string]string {
	sums := map[string]*Histogram{}
	for step, h := range sl.response {
		if h == nil {
			continue
		}
		name := steps[step].Name
		if sums[name] == nil {
			sums[name] = NewHistogram()
		}
		mustFit(h.MergeInto(sums[name].h))
	}
	return encodeAll(sums)
}

// encodedService is the histogram from the send, as documents carry it.
func (sl *slice) encodedService() string {
	if sl.service == nil {
		return ""
	}
	sum := NewHistogram()
	mustFit(sl.service.MergeInto(sum.h))
	return encodeAll(map[string]*Histogram{"": sum})[""]
}
