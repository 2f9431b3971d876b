package measure

import "time"

// cell is one step in one phase while the run goes on.
type cell struct {
	counts  Counts
	codes   map[int]int64
	classes [classes]int64

	response, service, refusal, failure *Histogram
}

// add counts a sample; one that was served past end counts in no rate, 0 = there is none.
func (c *cell) add(s *Sample, late bool, end time.Duration) {
	c.counts.sample(s, late)
	if s.Outcome == Served && end > 0 && s.Done > end {
		c.counts.Tardy++
	}
	if s.Code != 0 {
		if c.codes == nil {
			c.codes = map[int]int64{}
		}
		c.codes[s.Code]++
	}
	if s.Class != None {
		c.classes[s.Class]++
	}
	switch s.Outcome {
	case Served:
		record(&c.response, s)
		if c.service == nil {
			c.service = NewHistogram()
		}
		c.service.Record(s.Service())
	case Refused:
		record(&c.refusal, s)
	default:
		record(&c.failure, s)
	}
}

// record counts the response time in a histogram that is made when it is first
// needed: most steps never see most outcomes.
func record(h **Histogram, s *Sample) {
	if *h == nil {
		*h = NewHistogram()
	}
	(*h).Record(s.Response())
}

// result is the cell as documents carry it; that of a nil cell counts nothing.
func (c *cell) result(step Step) StepResult {
	if c == nil {
		return StepResult{Step: step}
	}
	r := StepResult{
		Step: step, Counts: c.counts, Codes: c.codes,
		Response: used(c.response), Service: used(c.service), Refusal: c.refusal, Failure: c.failure,
	}
	for class, n := range c.classes {
		if n > 0 {
			if r.Classes == nil {
				r.Classes = map[string]int64{}
			}
			r.Classes[Class(class).String()] = n
		}
	}
	return r
}

// used is h, or nil when nothing was counted in it.
func used(h *Histogram) *Histogram {
	if h.N() == 0 {
		return nil
	}
	return h
}

// sample counts one request.
func (c *Counts) sample(s *Sample, late bool) {
	c.Sent++
	if s.Planned {
		c.Planned++
	}
	c.Bytes += s.Bytes
	if late {
		c.Late++
	}
	switch s.Outcome {
	case Served:
		c.Served++
	case Refused:
		c.Refused++
	default:
		c.Failed++
	}
	switch {
	case s.Class.Ours():
		c.Ours++
	case !s.OK:
		c.Errors++
	}
}

// Add adds o, field by field.
func (c *Counts) Add(o Counts) {
	c.Planned += o.Planned
	c.Sent += o.Sent
	c.Late += o.Late
	c.Dropped += o.Dropped
	c.Unsent += o.Unsent
	c.Served += o.Served
	c.Tardy += o.Tardy
	c.Refused += o.Refused
	c.Failed += o.Failed
	c.Errors += o.Errors
	c.Ours += o.Ours
	c.Bytes += o.Bytes
	c.Inflight += o.Inflight
}
