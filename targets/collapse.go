package targets

import (
	"time"

	"vitals/internal/measure"
)

// goodput is the rate served in the last quarter of the judged window, of the
// best rate of any span as long: 1 for a system that keeps its best rate to the
// end, near 0 for one that collapses past its knee.
func goodput(r *measure.Result) figure {
	var served []int64
	var n int64
	for _, s := range r.Series.Slices {
		if judged(r, s.At, s.At+r.Series.Every) {
			served = append(served, s.Counts.Served)
			n += s.Counts.Served
		}
	}
	span := len(served) / 4
	if span == 0 {
		return none("the judged window has %d slices, at least 4 are needed", len(served))
	}
	var sum, best int64
	for i, s := range served {
		sum += s
		if i >= span {
			sum -= served[i-span]
		}
		if i >= span-1 {
			best = max(best, sum)
		}
	}
	if best == 0 {
		return none("nothing was served in the judged window (n = 0)")
	}
	seconds := r.Series.Every.Seconds() * float64(span)
	return figure{got: float64(sum) / float64(best), n: n,
		note: PerRate.Format(float64(sum)/seconds) + " served at the end, " + PerRate.Format(float64(best)/seconds) + " at best"}
}

// knee is the highest rate served in any slice of the judged window whose p95 was
// inside the p95 target. That is the first sentence on p95 over all steps, be it
// asked of this scenario or not: where an ordinary day's figure breaks is what
// stress is for.
func knee(all []Target, r *measure.Result) figure {
	var limit *Target
	for i, t := range all {
		if t.Metric == "p95" && t.Step == "" && t.During == "" && t.For == 0 {
			limit = &all[i]
			break
		}
	}
	if limit == nil {
		return none("no target on p95 says where the knee is")
	}
	var best, n int64
	outside := false
	for _, s := range r.Series.Slices {
		if !judged(r, s.At, s.At+r.Series.Every) || s.Counts.Served == 0 {
			continue
		}
		n += s.Counts.Served
		if limit.holds(float64(s.P95)) {
			best = max(best, s.Counts.Served)
		} else {
			outside = true
		}
	}
	if n == 0 {
		return none("nothing was served in the judged window (n = 0)")
	}
	f := figure{got: float64(best) / r.Series.Every.Seconds(), n: n, note: "with " + limit.Text}
	if !outside {
		f.note = "never outside " + limit.Text + ": the knee lies higher"
	}
	return f
}

// judged tells whether the whole slice lies in judged phases that ran.
func judged(r *measure.Result, from, to time.Duration) bool {
	if r.Took > 0 && to > r.Took {
		return false
	}
	for _, p := range r.Phases {
		if p.Judged && p.From <= from && from < p.To {
			if to <= p.To {
				return true
			}
			from = p.To // the next phase may hold the rest
		}
	}
	return false
}
