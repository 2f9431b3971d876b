package export

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vitals/internal/wire"
	"vitals/report"
)

// metrics is the Prometheus page. Names of requests follow OpenTelemetry's semantic
// conventions for HTTP clients, as Prometheus writes them.
type metrics struct {
	reg      *prometheus.Registry
	duration *prometheus.HistogramVec
	losing   *prometheus.GaugeVec
	phase    *prometheus.GaugeVec
	passed   prometheus.Gauge

	mu      sync.Mutex
	now     report.Now
	scrapes int
	last    time.Time     // of the last scrape
	every   time.Duration // between the last two
	scraped chan struct{} // closed at the next scrape
}

// buckets of the classic histogram, in seconds; the native one needs none.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .2, .3, .5, .75, 1, 2, 5, 10, 30}

func newMetrics(o Options) *metrics {
	m := &metrics{reg: prometheus.NewRegistry(), scraped: make(chan struct{})}
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_client_request_duration_seconds", Help: "Time from the send of a request to the end of its answer. Status 0 is no whole answer.",
		Buckets: buckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, []string{"scenario", "step", "http_request_method", "http_response_status_code"})
	m.losing = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "vitals_target_losing", Help: "1 while the last seconds miss the target."}, []string{"scenario", "target"})
	m.phase = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "vitals_phase", Help: "1 for the phase that the scenario is in."}, []string{"scenario", "phase"})
	m.passed = prometheus.NewGauge(prometheus.GaugeOpts{Name: "vitals_passed", Help: "1 when the run has ended with PASS, 0 until then and otherwise."})
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "vitals_run_info", Help: "1, with what the run is.", ConstLabels: prometheus.Labels{"run_id": o.RunID, "version": o.Version}})
	info.Set(1)
	m.reg.MustRegister(m.duration, m.losing, m.phase, m.passed, info, state{m}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) see(scenario string, x *wire.Seen) {
	m.duration.WithLabelValues(scenario, x.Step, x.Method, strconv.Itoa(x.Status)).Observe(x.Done.Sub(x.Sent).Seconds())
}

func (m *metrics) show(n report.Now) {
	m.mu.Lock()
	m.now = n
	m.mu.Unlock()
	m.losing.Reset()
	for _, v := range n.Losing {
		m.losing.WithLabelValues(n.Scenario, v.Target.Text).Set(1)
	}
	m.phase.Reset()
	m.phase.WithLabelValues(n.Scenario, n.Phase).Set(1)
}

func (m *metrics) handler() http.Handler {
	page := promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{EnableOpenMetrics: true})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		page.ServeHTTP(w, r)
		m.mu.Lock()
		defer m.mu.Unlock()
		at := time.Now()
		if m.scrapes++; m.scrapes > 1 {
			m.every = at.Sub(m.last)
		}
		m.last = at
		close(m.scraped)
		m.scraped = make(chan struct{})
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("vitals: see /metrics\n"))
	})
	return mux
}

// lastWait bounds how long the page stays up for its last two scrapes.
const lastWait = time.Minute

// end stays for two more scrapes, so that the last figures are seen, as long as they
// may be expected. A page that nobody read is not waited for.
func (m *metrics) end(ctx context.Context, d *report.Document) {
	if d != nil && d.Verdict == report.Pass {
		m.passed.Set(1)
	}
	m.mu.Lock()
	begun, every := m.scrapes, m.every
	m.mu.Unlock()
	if begun == 0 {
		return
	}
	if every == 0 {
		every = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, min(lastWait, 2*every+every/2+time.Second))
	defer cancel()
	for {
		m.mu.Lock()
		n, next := m.scrapes, m.scraped
		m.mu.Unlock()
		if n >= begun+2 {
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

// state collects the figures of the run as it stands.
type state struct{ m *metrics }

// The figures that are taken from the run's state, all by scenario.
var (
	labels    = []string{"scenario"}
	elapsed   = prometheus.NewDesc("vitals_elapsed_seconds", "How long the scenario has run.", labels, nil)
	total     = prometheus.NewDesc("vitals_planned_seconds", "How long the scenario will run.", labels, nil)
	users     = prometheus.NewDesc("vitals_users", "Active users (closed model).", labels, nil)
	planned   = prometheus.NewDesc("vitals_planned_starts_per_second", "Journeys to start per second (open model).", labels, nil)
	inflight  = prometheus.NewDesc("vitals_requests_in_flight", "Requests under way.", labels, nil)
	sent      = prometheus.NewDesc("vitals_requests_total", "Requests of honest users by outcome.", []string{"scenario", "outcome"}, nil)
	errored   = prometheus.NewDesc("vitals_errors_total", "Requests of honest users that did not go as expected.", labels, nil)
	late      = prometheus.NewDesc("vitals_late_total", "Requests sent later than their due time allows.", labels, nil)
	dropped   = prometheus.NewDesc("vitals_dropped_total", "Requests given up before they were sent.", labels, nil)
	p50       = prometheus.NewDesc("vitals_response_p50_seconds", "Median response time from the due time, of the last slice.", labels, nil)
	p95       = prometheus.NewDesc("vitals_response_p95_seconds", "95th percentile of the response time from the due time, of the last slice.", labels, nil)
	p99       = prometheus.NewDesc("vitals_response_p99_seconds", "99th percentile of the response time from the due time, of the last slice.", labels, nil)
	answers   = prometheus.NewDesc("vitals_limited_answers_total", "Answers of limited operations, held to the rate limits' invariants.", labels, nil)
	violation = prometheus.NewDesc("vitals_invariant_violations_total", "Violations of the rate limits' invariants.", labels, nil)
)

// Describe sends nothing: a collector without descriptions is unchecked, as suits
// figures that there are only while a scenario runs.
func (state) Describe(chan<- *prometheus.Desc) {}

// Collect sends the figures that there are.
func (s state) Collect(ch chan<- prometheus.Metric) {
	s.m.mu.Lock()
	n := s.m.now
	s.m.mu.Unlock()
	if n.Scenario == "" {
		return
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, n.Scenario)
	}
	counter := func(d *prometheus.Desc, v int64, more ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{n.Scenario}, more...)...)
	}
	gauge(elapsed, n.Elapsed.Seconds())
	gauge(total, n.Total.Seconds())
	gauge(users, float64(n.Users))
	gauge(planned, n.Rate)
	c := n.Snapshot.Counts
	gauge(inflight, float64(c.Inflight))
	counter(sent, c.Served, "served")
	counter(sent, c.Refused, "refused")
	counter(sent, c.Failed, "failed")
	counter(errored, c.Errors)
	counter(late, c.Late)
	counter(dropped, c.Dropped)
	counter(answers, n.Answers)
	counter(violation, n.Violations)
	if last := n.Snapshot.Last; len(last) > 0 && last[len(last)-1].Counts.Served > 0 {
		slice := last[len(last)-1]
		gauge(p50, slice.P50.Seconds())
		gauge(p95, slice.P95.Seconds())
		gauge(p99, slice.P99.Seconds())
	}
}
