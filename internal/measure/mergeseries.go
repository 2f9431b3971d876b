package measure

import (
	"fmt"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// seriesSum adds slices up by their place in time. Members whose slices are narrower
// are folded to the widest; widths double, so one always fits into the other.
type seriesSum struct {
	every  time.Duration
	slices []*sliceSum
}

func (m *seriesSum) add(s Series) error {
	if s.Every <= 0 {
		return fmt.Errorf("its slices are %s wide", s.Every)
	}
	if m.every == 0 {
		m.every = s.Every
	}
	wide, narrow := max(m.every, s.Every), min(m.every, s.Every)
	if wide%narrow != 0 {
		return fmt.Errorf("its slices are %s wide, others' %s: the wider do not hold a whole number of the narrower", s.Every, m.every)
	}
	if m.every < wide {
		if err := m.fold(int(wide / m.every)); err != nil {
			return err
		}
		m.every = wide
	}
	for _, o := range s.Slices {
		at := int(o.At / m.every)
		for len(m.slices) <= at {
			m.slices = append(m.slices, &sliceSum{})
		}
		if err := m.slices[at].add(o); err != nil {
			return fmt.Errorf("its slice at %s: %w", o.At, err)
		}
	}
	return nil
}

// fold makes one slice of so many.
func (m *seriesSum) fold(n int) error {
	var wider []*sliceSum
	for i, s := range m.slices {
		if i%n == 0 {
			wider = append(wider, s)
		} else if err := wider[i/n].merge(s); err != nil {
			return err
		}
	}
	m.slices = wider
	return nil
}

func (m *seriesSum) series() (Series, error) {
	out := Series{Every: m.every}
	for i, s := range m.slices {
		slice, err := s.slice(time.Duration(i) * m.every)
		if err != nil {
			return out, fmt.Errorf("merge the slices at %s: %w", slice.At, err)
		}
		out.Slices = append(out.Slices, slice)
	}
	return out, nil
}

// sliceSum is one slice of all members together. Its histograms are packed: a slice
// holds few distinct durations, and there are hundreds of slices.
type sliceSum struct {
	counts Counts
	served map[string]*hdr.PackedHistogram
	sent   *hdr.PackedHistogram // nil when none
	gauges map[string][]float64
}

func (s *sliceSum) add(o Slice) error {
	in := sliceSum{counts: o.Counts, served: make(map[string]*hdr.PackedHistogram, len(o.Served)), gauges: make(map[string][]float64, len(o.Gauges))}
	var n int64
	for name, text := range o.Served {
		h, err := unpacked([]byte(text))
		if err != nil {
			return err
		}
		n += h.TotalCount()
		in.served[name] = h
	}
	if o.Service != "" {
		h, err := unpacked([]byte(o.Service))
		if err != nil {
			return err
		}
		in.sent = h
	}
	if n != o.Counts.Served {
		return fmt.Errorf("histograms hold %d responses, its counts say served = %d", n, o.Counts.Served)
	}
	for name, v := range o.Gauges {
		in.gauges[name] = []float64{v}
	}
	return s.merge(&in)
}

// merge adds o up, whose histograms it may keep.
func (s *sliceSum) merge(o *sliceSum) error {
	s.counts.Add(o.counts)
	if s.served == nil {
		s.served, s.gauges = map[string]*hdr.PackedHistogram{}, map[string][]float64{}
	}
	var err error
	for name, h := range o.served {
		if s.served[name], err = pack(s.served[name], h); err != nil {
			return err
		}
	}
	for name, vs := range o.gauges {
		s.gauges[name] = append(s.gauges[name], vs...)
	}
	s.sent, err = pack(s.sent, o.sent)
	return err
}

// pack adds o to h, either of which may be nil.
func pack(h, o *hdr.PackedHistogram) (*hdr.PackedHistogram, error) {
	switch {
	case o == nil:
		return h, nil
	case h == nil:
		return o, nil
	}
	return h, fits(h.Merge(o))
}

// fits is an error when counts were dropped: no run counts that many.
func fits(dropped int64) error {
	if dropped != 0 {
		return fmt.Errorf("%d of its counts do not fit a histogram", dropped)
	}
	return nil
}

// dense is the histogram that a packed one stands for.
func dense(p *hdr.PackedHistogram) (*Histogram, error) {
	h := NewHistogram()
	return h, fits(p.MergeInto(h.h))
}

func (s *sliceSum) slice(at time.Duration) (Slice, error) {
	out := Slice{At: at, Counts: s.counts}
	whole := NewHistogram()
	for name, p := range s.served {
		h, err := dense(p)
		if err != nil {
			return out, err
		}
		whole.Merge(h)
		p95, _ := h.Quantile(0.95)
		if out.StepP95 == nil {
			out.StepP95, out.Served = map[string]int64{}, map[string]string{}
		}
		out.StepP95[name] = p95.Microseconds()
		out.Served[name] = encoded(h)
	}
	out.P50, _ = whole.Quantile(0.50)
	out.P95, _ = whole.Quantile(0.95)
	out.P99, _ = whole.Quantile(0.99)
	out.Max, _ = whole.Max()
	if s.sent != nil {
		h, err := dense(s.sent)
		if err != nil {
			return out, err
		}
		out.SentP95, _ = h.Quantile(0.95)
		out.Service = encoded(h)
	}
	for name, vs := range s.gauges {
		if out.Gauges == nil {
			out.Gauges = map[string]float64{}
		}
		slices.Sort(vs) // floating point sums depend on the order
		var sum float64
		for _, v := range vs {
			sum += v
		}
		out.Gauges[name] = sum / float64(len(vs))
	}
	return out, nil
}

// encodeAll is nil when there is nothing to encode.
func encodeAll(hs map[string]*Histogram) map[string]string {
	if len(hs) == 0 {
		return nil
	}
	out := make(map[string]string, len(hs))
	for name, h := range hs {
		out[name] = encoded(h)
	}
	return out
}

func encoded(h *Histogram) string {
	text, err := h.MarshalText()
	if err != nil {
		panic(err) // of a histogram of our own geometry: only memory can fail
	}
	return string(text)
}
