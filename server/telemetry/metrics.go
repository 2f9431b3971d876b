package telemetry

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry is a registry with what every process says of itself: Go's and
// the kernel's counts (process_cpu_seconds_total among them) and build_info.
func NewRegistry(version string) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "build_info", Help: "Always 1; the labels say what runs.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// HTTP counts requests at the edge. Routes come from the route table and
// methods from a closed set, so a scanner cannot grow the series.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	shed     prometheus.Counter
	closed   *prometheus.CounterVec
}

// latencyBuckets, in seconds, have edges at the targets that a release is judged
// by (0.2, 0.3, 0.5 and 1 s).
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .3, .5, 1, 2.5, 5, 10, 30, 60}

// NewHTTP registers the metrics of the HTTP edge with reg.
func NewHTTP(reg prometheus.Registerer) *HTTP {
	m := &HTTP{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests answered, by method, route and status; 499 when the client left first.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Buckets: latencyBuckets,
			Help: "Time from the first byte of the request's headers being read to the answer, by route; refused (429, 503) apart from served.",
		}, []string{"route", "outcome"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_in_flight", Help: "Requests inside the load shedder now.",
		}),
		shed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_shed_total", Help: "Requests refused with 503 because MAX_IN_FLIGHT were already inside.",
		}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_connections_closed_total",
			Help: "Connections closed to make room: full, MAX_CONNS were open; address, MAX_CONNS_PER_ADDRESS of one address.",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.requests, m.duration, m.inFlight, m.shed, m.closed)
	return m
}

// Answered counts one answer. route is a path of the route table or another
// word of a closed set.
func (m *HTTP) Answered(method, route string, status int, took time.Duration) {
	outcome := "served"
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		outcome = "refused" // a fast refusal must not flatter the latency
	}
	m.requests.WithLabelValues(Method(method), route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route, outcome).Observe(took.Seconds())
}

// Entered counts a request into the load shedder; the returned func counts it out.
func (m *HTTP) Entered() func() {
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// Shed counts a request that the load shedder refused.
func (m *HTTP) Shed() { m.shed.Inc() }

// Closed counts a connection that was closed to make room for another.
func (m *HTTP) Closed(reason string) { m.closed.WithLabelValues(reason).Inc() }

// methods is the closed set of method labels.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

// Method is the method as a label: itself, or OTHER for a word no standard knows.
func Method(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "OTHER"
}
