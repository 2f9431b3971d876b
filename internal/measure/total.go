package measure

// Merge adds what o saw of the same or another step; histograms are merged
// exactly. o is left as it is.
func (s *StepResult) Merge(o StepResult) {
	s.Counts.Add(o.Counts)
	s.Codes = addCounts(s.Codes, o.Codes)
	s.Classes = addCounts(s.Classes, o.Classes)
	s.Response = merged(s.Response, o.Response)
	s.Service = merged(s.Service, o.Service)
	s.Refusal = merged(s.Refusal, o.Refusal)
	s.Failure = merged(s.Failure, o.Failure)
}

// merged never writes to o, and makes a histogram only when there is something
// to count.
func merged(h, o *Histogram) *Histogram {
	if o.N() == 0 {
		return h
	}
	if h == nil {
		return o.Clone()
	}
	h.Merge(o)
	return h
}

func addCounts[K comparable](sum, o map[K]int64) map[K]int64 {
	for k, n := range o {
		if sum == nil {
			sum = make(map[K]int64, len(o))
		}
		sum[k] += n
	}
	return sum
}

// Steps are the steps of the run in their order, each over all phases, or over
// the judged ones only. Histograms are copies.
func (r *Result) Steps(judged bool) []StepResult {
	var out []StepResult
	index := map[Step]int{}
	for _, p := range r.Phases {
		if judged && !p.Judged {
			continue
		}
		for _, s := range p.Steps {
			i, ok := index[s.Step]
			if !ok {
				i = len(out)
				index[s.Step] = i
				out = append(out, StepResult{Step: s.Step})
			}
			out[i].Merge(s)
		}
	}
	return out
}

// Total is all steps together: without the intruders' when honest is true, and
// over the judged phases only when judged is. Its Step is empty.
func (r *Result) Total(honest, judged bool) StepResult {
	var out StepResult
	for _, p := range r.Phases {
		if judged && !p.Judged {
			continue
		}
		for _, s := range p.Steps {
			if !honest || !s.Step.Intruder {
				out.Merge(s)
			}
		}
	}
	return out
}

// Step is the step of that name over all phases, or over the judged ones only;
// false when the run has none of that name. A name that several journeys share
// is their sum.
func (r *Result) Step(name string, judged bool) (StepResult, bool) {
	out, found := StepResult{}, false
	for _, s := range r.Steps(judged) {
		if s.Step.Name == name {
			if !found {
				out.Step, found = s.Step, true
			}
			out.Merge(s)
		}
	}
	return out, found
}

// Fact is the figure of that name; false when it was not measured.
func (r *Result) Fact(name string) (Fact, bool) {
	for _, f := range r.Facts {
		if f.Name == name {
			return f, true
		}
	}
	return Fact{}, false
}
