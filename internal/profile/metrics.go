package profile

import (
	"maps"
	"regexp"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// MetricNames are the figures of a Prometheus page that a profile may name, sorted.
func MetricNames() []string { return slices.Sorted(maps.Keys(figures)) }

// figures are what --metrics reads, with what each is.
var figures = map[string]string{
	"cpu_seconds": "counter of processor time", "memory_bytes": "resident memory", "requests": "counter of answered requests",
	"request_time": "histogram or summary, in seconds, of requests inside the server", "in_flight": "requests inside the server now",
	"pool_in_use": "database connections in use", "pool_idle": "database connections idle",
	"pool_wait":  "histogram or summary, in seconds, of waits for a database connection",
	"redis_call": "histogram or summary, in seconds, of calls to Redis", "gc_pause": "histogram or summary, in seconds, of garbage collection pauses",
}

var isSeries = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

// metrics reads how the API's own Prometheus page calls what we show.
func (r *reader) metrics(n *yaml.Node) {
	r.p.Metrics = map[string]string{}
	r.Pairs(n, "metrics", func(k, v *yaml.Node) {
		if figures[k.Value] == "" {
			r.Fail(k, strict.Hint(k.Value, MetricNames()), "metrics: unknown figure %q", k.Value)
		}
		name := r.Word(v, "metrics."+k.Value)
		if name != "" && !isSeries.MatchString(name) {
			r.Fail(v, "as in process_cpu_seconds_total, without labels, _sum or _bucket", "metrics.%s: found %q, expected a metric's name", k.Value, name)
		}
		r.p.Metrics[k.Value] = name
		r.p.places["metrics."+k.Value] = Place{r.File, k.Line}
	})
}
