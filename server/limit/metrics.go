package limit

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the limiter's numbers. Labels are policy names and
// verdicts: a closed set, whatever clients send.
type metrics struct {
	decisions *prometheus.CounterVec
	lockouts  *prometheus.CounterVec
	errors    prometheus.Counter
	degraded  prometheus.Gauge
	dropped   *prometheus.CounterVec
	calls     *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		decisions: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ratelimit_decisions_total", Help: "Requests that a limit policy decided on.",
		}, []string{"policy", "decision"}),
		lockouts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ratelimit_lockouts_total", Help: "Locks started.",
		}, []string{"policy"}),
		errors: f.NewCounter(prometheus.CounterOpts{
			Name: "ratelimit_backend_errors_total", Help: "Calls to Redis that failed or were cut off.",
		}),
		degraded: f.NewGauge(prometheus.GaugeOpts{
			Name: "rate_limit_degraded", Help: "1 while limits are kept per process because Redis does not answer.",
		}),
		dropped: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ratelimit_write_behind_dropped_total",
			Help: "Locks and outcomes for Redis, and locks to be saved in the database, that found their queue full and were dropped.",
		}, []string{"kind"}),
		calls: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "redis_call_seconds", Help: "Duration of calls to Redis, failed ones included.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5},
		}, []string{"call"}),
	}
}

// decided counts the answer to one request, however often it had to ask.
func (m *metrics) decided(p Policy, d Decision) {
	m.decisions.WithLabelValues(p.Name, d.Verdict.String()).Inc()
	if d.Verdict == LockedNow {
		m.lockouts.WithLabelValues(p.Name).Inc()
	}
}

// called records one call to Redis that began at start.
func (m *metrics) called(call string, start time.Time, err error) {
	m.calls.WithLabelValues(call).Observe(time.Since(start).Seconds())
	if err != nil {
		m.errors.Inc()
	}
}

// droppedWrite counts an entry of the write-behind queue that was dropped.
func (m *metrics) droppedWrite(kind string) { m.dropped.WithLabelValues(kind).Inc() }
