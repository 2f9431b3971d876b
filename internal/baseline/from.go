package baseline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"vitals/internal/measure"
)

// About is what a session knows beside its results. Session.ID may be empty;
// then it is made of the results.
type About struct {
	Subject Subject
	Hashes  Hashes
	Env     Env // Class may be empty; then it is made of Hard
	Session Session
}

// From makes a baseline of results, in their order. Several results of one
// scenario are its runs.
func From(about About, results []*measure.Result) *File {
	f := &File{Schema: Schema, Subject: about.Subject, Hashes: about.Hashes, Env: about.Env, Session: about.Session}
	f.Env.Class = cmp.Or(f.Env.Class, Class(f.Env.Hard))
	f.Design = Design{Mode: ModeSolo}
	index := map[string]int{}
	for _, r := range results {
		i, ok := index[r.Scenario]
		if !ok {
			i = len(f.Scenarios)
			index[r.Scenario] = i
			f.Scenarios = append(f.Scenarios, Scenario{Name: r.Scenario, Named: r.Named, Model: r.Model, Config: r.Hash, LoadModel: loadModel(r)})
		}
		sc := &f.Scenarios[i]
		sc.Runs = append(sc.Runs, run(r, len(sc.Runs)))
		f.Design.Planned = max(f.Design.Planned, len(sc.Runs))
		f.Design.Slice, f.Design.Seed = r.Series.Every.Microseconds(), r.Seed
		f.Design.Measure = max(f.Design.Measure, r.Window.Microseconds())
	}
	if f.Session.Started.IsZero() && len(results) > 0 {
		f.Session.Started = results[0].Began
	}
	if f.Session.ID == "" {
		f.Session.ID = digest([]any{f.Session.Started, f.Scenarios})[:16]
	}
	f.Summarise()
	return f
}

// Summarise derives the summary again from the runs. A file whose summary does
// not follow from them is refused when it is read.
func (f *File) Summarise() { f.Summary = summarise(f) }

// Class is the name of an environment: the first 12 hex digits of the sha256
// of its hard fields in canonical JSON.
func Class(hard map[string]any) string { return digest(hard)[:12] }

// digest is the sha256 of the canonical JSON: sorted keys, no spaces.
func digest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		// Only values that no document holds (NaN, channels) get here.
		b = fmt.Appendf(nil, "%v", v)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// loadModel hashes what decides how requests come: two results compare only
// when they were loaded alike. Seeds may differ.
func loadModel(r *measure.Result) string {
	phases := make([]measure.Phase, len(r.Phases))
	for i, p := range r.Phases {
		phases[i] = p.Phase
	}
	return digest([]any{r.Model, r.Pace, phases})
}

// run is one result as the file keeps it: the judged window of its honest
// steps.
func run(r *measure.Result, slot int) Run {
	whole := r.Total(true, true)
	total := whole.Counts
	var answered int64 // with any status
	for _, n := range whole.Codes {
		answered += n
	}
	out := Run{
		ID:  digest([]any{r.Scenario, r.Began, r.Seed, slot})[:16],
		Arm: "A", Pair: slot, Slot: slot, Started: r.Began, Window: r.Window.Microseconds(),
		Offered: total.Planned, Sent: total.Sent, Completed: answered, Dropped: total.Dropped,
		LagP99: at(r.Health.Lag, 0.99), GenCPU: r.Health.CPU, Steal: r.Health.Steal, Endpoints: []Endpoint{},
	}
	if total.Planned > 0 {
		out.Achieved = float64(total.Sent) / float64(total.Planned)
	}
	for _, s := range r.Steps(true) {
		if s.Step.Intruder {
			continue
		}
		out.Clamped += s.Response.Clamped()
		out.Endpoints = append(out.Endpoints, endpoint(s))
	}
	for _, s := range r.Series.Slices {
		slice := Slice{T: s.At.Microseconds(), N: s.Counts.Sent, Errors: s.Counts.Errors, P50: s.P50.Microseconds(), P95: s.P95.Microseconds()}
		if cpu, ok := s.Gauges["cpu"]; ok {
			slice.CPU = &cpu
		}
		out.Slices = append(out.Slices, slice)
	}
	out.SUT = SUT{
		CPUPerReq: fact(r, "cpu.per_request"), CPU: fact(r, "cpu"), RSSMax: fact(r, "memory.max"),
		GCCPU: fact(r, "gc.cpu"), Restarts: fact(r, "restarts"),
	}
	if p := r.CPUProfile; p != nil && p.None == "" {
		out.Profile = p
	}
	out.Invalid, out.Unsteady = invalid(r, &out), unsteady(window(r))
	out.Valid = out.Invalid == ""
	return out
}

// fact is a figure that may not have been measured.
func fact(r *measure.Result, name string) *float64 {
	f, ok := r.Fact(name)
	if !ok {
		return nil
	}
	return &f.Value
}

// whole is the scenario histogram of a run: the merge of its endpoints, never
// an average of their percentiles.
func (r *Run) whole() *measure.Histogram {
	h := measure.NewHistogram()
	for _, e := range r.Endpoints {
		h.Merge(e.Hist)
	}
	return h
}

// summarise is the derived part of the file.
func summarise(f *File) map[string]Summary {
	out := map[string]Summary{}
	for _, sc := range f.Scenarios {
		for _, m := range metrics {
			if !m.ln {
				continue
			}
			var xs []float64
			for i := range sc.Runs {
				if v, ok := m.of(&sc.Runs[i]); ok && sc.Runs[i].Valid && v > 0 {
					xs = append(xs, math.Log(v))
				}
			}
			if len(xs) > 0 {
				out[sc.Name+" "+m.name] = summary(xs)
			}
		}
	}
	return out
}
