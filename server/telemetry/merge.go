package telemetry

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// combine says how one gauge of several processes becomes one of the service.
type combine func(a, b float64) float64

func add(a, b float64) float64 { return a + b }

// gauges that are not amounts: one fact about all processes, or the worst of
// them. Every other gauge is an amount, and the service has the sum.
var gauges = map[string]combine{
	"build_info":                           math.Max,
	"go_info":                              math.Max,
	"rate_limit_degraded":                  math.Max, // one degraded process is a degraded service
	"go_gc_gogc_percent":                   math.Max,
	"go_gc_gomemlimit_bytes":               math.Max,
	"go_memstats_last_gc_time_seconds":     math.Max,
	"process_max_fds":                      math.Max, // a limit of each
	"process_virtual_memory_max_bytes":     math.Max,
	"process_start_time_seconds":           math.Min, // the service's
	"process_network_receive_bytes_total":  math.Max, // of the namespace, not of a process
	"process_network_transmit_bytes_total": math.Max,
}

// Merge makes one exposition of several processes of one service: counters,
// histograms and amounts add up; gauges that are facts take the maximum or
// minimum; summaries keep count and sum and lose their quantiles, which cannot
// be merged. A family whose type differs between sources is an error.
func Merge(sources ...[]*dto.MetricFamily) ([]*dto.MetricFamily, error) {
	merged := map[string]*dto.MetricFamily{}
	series := map[string]*dto.Metric{}
	for _, source := range sources {
		for _, family := range source {
			name := family.GetName()
			out, known := merged[name]
			if !known {
				out = &dto.MetricFamily{Name: new(name), Help: new(family.GetHelp()), Type: new(family.GetType())}
				merged[name] = out
			}
			if out.GetType() != family.GetType() {
				return nil, fmt.Errorf("merge metrics: %s is a %v in one process and a %v in another", name, out.GetType(), family.GetType())
			}
			for _, m := range family.GetMetric() {
				key := name + "\xff" + labelKey(m.GetLabel())
				if into, ok := series[key]; ok {
					fold(name, into, m)
					continue
				}
				first := copyOf(m) // sources are read again with the next scrape
				series[key] = first
				out.Metric = append(out.Metric, first)
			}
		}
	}
	return slices.SortedFunc(maps.Values(merged), func(a, b *dto.MetricFamily) int {
		return cmp.Compare(a.GetName(), b.GetName())
	}), nil
}

// Counts keeps of an exposition what must outlive its process: a restarted
// worker would otherwise make the service's counters fall.
func Counts(families []*dto.MetricFamily) []*dto.MetricFamily {
	return slices.DeleteFunc(slices.Clone(families), func(f *dto.MetricFamily) bool {
		t := f.GetType()
		return t != dto.MetricType_COUNTER && t != dto.MetricType_HISTOGRAM && t != dto.MetricType_SUMMARY
	})
}

func labelKey(labels []*dto.LabelPair) string {
	pairs := make([]string, len(labels))
	for i, l := range labels {
		pairs[i] = l.GetName() + "\xff" + l.GetValue()
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\xff")
}

// copyOf is m without what cannot be merged: quantiles, exemplars, native buckets.
func copyOf(m *dto.Metric) *dto.Metric {
	out := &dto.Metric{Label: m.GetLabel()}
	switch {
	case m.Counter != nil:
		out.Counter = &dto.Counter{Value: new(m.Counter.GetValue())}
	case m.Gauge != nil:
		out.Gauge = &dto.Gauge{Value: new(m.Gauge.GetValue())}
	case m.Untyped != nil:
		out.Untyped = &dto.Untyped{Value: new(m.Untyped.GetValue())}
	case m.Summary != nil:
		out.Summary = &dto.Summary{SampleCount: new(m.Summary.GetSampleCount()), SampleSum: new(m.Summary.GetSampleSum())}
	case m.Histogram != nil:
		out.Histogram = &dto.Histogram{SampleCount: new(m.Histogram.GetSampleCount()), SampleSum: new(m.Histogram.GetSampleSum())}
		for _, b := range m.Histogram.GetBucket() {
			out.Histogram.Bucket = append(out.Histogram.Bucket, &dto.Bucket{
				UpperBound: new(b.GetUpperBound()), CumulativeCount: new(b.GetCumulativeCount()),
			})
		}
	}
	return out
}

// fold adds m of family name into into.
func fold(name string, into, m *dto.Metric) {
	with := add
	if c, ok := gauges[name]; ok {
		with = c
	}
	switch {
	case into.Counter != nil:
		into.Counter.Value = new(with(into.Counter.GetValue(), m.GetCounter().GetValue()))
	case into.Gauge != nil:
		into.Gauge.Value = new(with(into.Gauge.GetValue(), m.GetGauge().GetValue()))
	case into.Untyped != nil:
		into.Untyped.Value = new(with(into.Untyped.GetValue(), m.GetUntyped().GetValue()))
	case into.Summary != nil:
		into.Summary.SampleCount = new(into.Summary.GetSampleCount() + m.GetSummary().GetSampleCount())
		into.Summary.SampleSum = new(into.Summary.GetSampleSum() + m.GetSummary().GetSampleSum())
	case into.Histogram != nil:
		foldHistogram(into.Histogram, m.GetHistogram())
	}
}

// foldHistogram adds classic buckets, which one program gives the same edges in
// every process.
func foldHistogram(into, m *dto.Histogram) {
	into.SampleCount = new(into.GetSampleCount() + m.GetSampleCount())
	into.SampleSum = new(into.GetSampleSum() + m.GetSampleSum())
	counts := map[float64]uint64{}
	for _, b := range m.GetBucket() {
		counts[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	for _, b := range into.GetBucket() {
		b.CumulativeCount = new(b.GetCumulativeCount() + counts[b.GetUpperBound()])
	}
}
