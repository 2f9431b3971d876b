package baseline

import (
	"math"

	"vitals/internal/baseline/stats"
)

// metric is one figure of a run that two files are compared by.
type metric struct {
	name      string
	unit      Unit
	ln        bool    // compared as a ratio; otherwise as a difference
	sign      float64 // +1 where a larger value is worse, -1 where it is better
	tolerance float64 // relative; of a difference see errorTolerance
	floor     float64 // smallest difference that matters, in the unit; 0 = none
	gates     string  // which model of load it gates: "", "users", "arrivals", or "any"
	of        func(*Run) (float64, bool)
}

// Unit is how a figure is read.
type Unit string

// The units.
const (
	Micros    Unit = "us"
	Share     Unit = "share" // fraction
	PerSecond Unit = "per_second"
	CPUMicros Unit = "cpu_us" // CPU time per request
	Bytes     Unit = "bytes"
)

// Which model of load a metric gates.
const (
	gatesAny      = "any"
	gatesUsers    = "users"    // the closed model: a slower system answers fewer requests
	gatesArrivals = "arrivals" // the open one: it cannot take what is due
)

// The names that other parts refer to.
const (
	p95Name      = "p95"
	errorsName   = "errors"
	achievedName = "achieved"
)

// metrics in the order of reports. The tolerances are those that a change must
// reach to matter.
var metrics = []metric{
	{p95Name, Micros, true, +1, 0.10, 1000, gatesAny, quantile(0.95)},
	{errorsName, Share, false, +1, 0.25, 0, gatesAny, errorRate},
	{"rps", PerSecond, true, -1, 0.05, 0, gatesUsers, rps},
	{achievedName, Share, true, -1, 0.02, 0, gatesArrivals, func(r *Run) (float64, bool) { return r.Achieved, r.Offered > 0 }},
	{"cpu per request", CPUMicros, true, +1, 0.10, 0, gatesAny, func(r *Run) (float64, bool) { return value(r.SUT.CPUPerReq) }},
	{"p50", Micros, true, +1, 0.10, 1000, "", quantile(0.50)},
	{"p99", Micros, true, +1, 0.20, 1000, "", quantile(0.99)},
	{"cpu", Share, true, +1, 0.10, 0, "", func(r *Run) (float64, bool) { return value(r.SUT.CPU) }},
	{"memory", Bytes, true, +1, 0.10, 0, "", func(r *Run) (float64, bool) { return value(r.SUT.RSSMax) }},
}

// endpointMetric is the p95 of one endpoint: it explains and never gates.
func endpointMetric(name string) metric {
	return metric{p95Name, Micros, true, +1, 0.15, 1000, "", func(r *Run) (float64, bool) {
		for _, e := range r.Endpoints {
			if e.Name == name {
				return float64(e.P95), enough(e.Hist.N(), 0.95)
			}
		}
		return 0, false
	}}
}

// Metrics are the names that a tolerance may be given for.
func Metrics() []string {
	out := make([]string, len(metrics))
	for i, m := range metrics {
		out[i] = m.name
	}
	return out
}

// gating says whether the metric gates a scenario of a load model. Files of
// before the model was kept are gated by both rates.
func (m metric) gating(model string) bool {
	return m.gates == gatesAny || m.gates != "" && (model == "" || m.gates == model)
}

// limit is the tolerance on the scale of the estimate.
func (m metric) limit(relative, old float64) float64 {
	if m.ln {
		return math.Log1p(relative)
	}
	return max(leastErrors, relative*old)
}

// leastErrors is the smallest difference of error rates that matters: 0.1
// points.
const leastErrors = 0.001

// floorOf is the least spread that is believed between sessions.
func (m metric) floorOf() float64 {
	if m.ln {
		return stats.LogFloor
	}
	return 0
}

// scale is a value as the statistics take it.
func (m metric) scale(v float64) float64 {
	if m.ln {
		return math.Log(v)
	}
	return v
}

// quantile needs n(1-q) ≥ 50 requests to say anything.
func quantile(q float64) func(*Run) (float64, bool) {
	return func(r *Run) (float64, bool) {
		h := r.whole()
		v, _ := h.Quantile(q)
		return float64(v.Microseconds()), enough(h.N(), q)
	}
}

func enough(n int64, q float64) bool { return float64(n)*(1-q) >= 50-1e-6 }

func rps(r *Run) (float64, bool) {
	failed, n := r.failed()
	return float64(n-failed) / (float64(r.Window) / 1e6), r.Window > 0
}

func errorRate(r *Run) (float64, bool) {
	failed, n := r.failed()
	return float64(failed) / float64(max(1, n)), n > 0
}

// failed are the requests of a run that did not go as expected, and all of them.
func (r *Run) failed() (failed, n int64) {
	for _, e := range r.Endpoints {
		failed, n = failed+e.Errors.Total(), n+e.N
	}
	return failed, n
}

func value(v *float64) (float64, bool) {
	if v == nil {
		return 0, false
	}
	return *v, true
}
