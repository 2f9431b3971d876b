package baseline

// metric is one figure of a run that two files are compared by
// .
type metric struct {
	name string
	unit Unit
	ln   bool // compared as a ratio; otherwise as a difference
	of   func(*Run) (float64, bool)
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

// metrics in the order of reports.
var metrics = []metric{
	{"p50", Micros, true, quantile(0.50)},
	{"p95", Micros, true, quantile(0.95)},
	{"p99", Micros, true, quantile(0.99)},
	{"rps", PerSecond, true, rps},
	{"errors", Share, false, errorRate},
	{"achieved", Share, true, func(r *Run) (float64, bool) { return r.Achieved, r.Offered > 0 }},
	{"cpu per request", CPUMicros, true, func(r *Run) (float64, bool) { return value(r.SUT.CPUPerReq) }},
	{"cpu", Share, true, func(r *Run) (float64, bool) { return value(r.SUT.CPU) }},
	{"memory", Bytes, true, func(r *Run) (float64, bool) { return value(r.SUT.RSSMax) }},
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
	var n int64
	for _, e := range r.Endpoints {
		n += e.N - e.Errors.Total()
	}
	return float64(n) / (float64(r.Window) / 1e6), r.Window > 0
}

func errorRate(r *Run) (float64, bool) {
	var bad, n int64
	for _, e := range r.Endpoints {
		bad, n = bad+e.Errors.Total(), n+e.N
	}
	return float64(bad) / float64(max(1, n)), n > 0
}

func value(v *float64) (float64, bool) {
	if v == nil {
		return 0, false
	}
	return *v, true
}
