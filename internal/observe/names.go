package observe

import (
	"maps"
	"slices"
	"strings"
)

// Names are what a page of another make calls our figures: ours (cpu_seconds,
// request_time…) → the metric's name on that page.
type Names map[string]string

// ours is what each figure is called on the reference API's page.
var ours = map[string]string{
	"cpu_seconds": cpuSeconds, "memory_bytes": memoryBytes, "requests": requestsTotal,
	"request_time": requestTime, "in_flight": inFlightGauge,
	"pool_in_use": "db_pool_acquired", "pool_idle": "db_pool_idle", "pool_wait": "db_pool_acquire_seconds",
	"redis_call": "redis_call_seconds", "gc_pause": "go_gc_duration_seconds",
}

// Figures are the names that Names may have, sorted.
func Figures() []string { return slices.Sorted(maps.Keys(ours)) }

// apply gives the figures of a reading our names, beside their own.
func (ns Names) apply(m Metrics) {
	for figure, theirs := range ns {
		for _, end := range []string{"", "_sum", "_count"} {
			if v, ok := m[theirs+end]; ok {
				m[ours[figure]+end] = v
			}
		}
	}
}

// Missing are those of the named metrics that the page does not have, sorted, each
// with its figure: "pool_in_use: hikaricp_connections_active".
func (ns Names) Missing(m Metrics) (out []string) {
	for figure, theirs := range ns {
		_, plain := m[theirs]
		_, timed := m[theirs+"_count"]
		if !plain && !timed {
			out = append(out, strings.Join([]string{figure, theirs}, ": "))
		}
	}
	slices.Sort(out)
	return out
}
