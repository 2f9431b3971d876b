package telemetry_test

import (
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"vitals/server/telemetry"
)

func parse(t testing.TB, text string) []*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []*dto.MetricFamily
	for _, f := range families {
		out = append(out, f)
	}
	return out
}

func print(t testing.TB, families []*dto.MetricFamily) string {
	t.Helper()
	var b strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

const one1 = `# TYPE http_requests_total counter
http_requests_total{route="/a",status="200"} 3
http_requests_total{route="/b",status="200"} 1
# TYPE db_pool_max gauge
db_pool_max 15
# TYPE process_start_time_seconds gauge
process_start_time_seconds 100
# TYPE rate_limit_degraded gauge
rate_limit_degraded 0
# TYPE d histogram
d_bucket{le="0.1"} 2
d_bucket{le="+Inf"} 3
d_sum 4
d_count 3
# TYPE gc summary
gc{quantile="0.5"} 1
gc_sum 2
gc_count 4
`

const two2 = `# TYPE http_requests_total counter
http_requests_total{status="200",route="/a"} 4
# TYPE db_pool_max gauge
db_pool_max 15
# TYPE process_start_time_seconds gauge
process_start_time_seconds 90
# TYPE rate_limit_degraded gauge
rate_limit_degraded 1
# TYPE d histogram
d_bucket{le="0.1"} 1
d_bucket{le="+Inf"} 1
d_sum 0.05
d_count 1
# TYPE gc summary
gc{quantile="0.5"} 9
gc_sum 3
gc_count 1
`

func TestMergeAddsProcessesUp(t *testing.T) {
	a, b := parse(t, one1), parse(t, two2)
	merged, err := telemetry.Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	text := print(t, merged)
	for _, want := range []string{
		`http_requests_total{route="/a",status="200"} 7`, `http_requests_total{route="/b",status="200"} 1`,
		`db_pool_max 30`, `process_start_time_seconds 90`, `rate_limit_degraded 1`,
		`d_bucket{le="0.1"} 3`, `d_bucket{le="+Inf"} 4`, `d_sum 4.05`, `d_count 4`, `gc_sum 5`, `gc_count 5`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("got\n%s\nwant the line %q", text, want)
		}
	}
	if strings.Contains(text, "quantile") {
		t.Error("got quantiles, want none: they cannot be merged")
	}
	if again, _ := telemetry.Merge(a, b); print(t, again) != text {
		t.Error("a second merge differs: the sources were changed")
	}
}

func TestMergeRefusesUnequalTypes(t *testing.T) {
	if _, err := telemetry.Merge(parse(t, "# TYPE x counter\nx 1\n"), parse(t, "# TYPE x gauge\nx 1\n")); err == nil {
		t.Error("got no error, want one")
	}
}

func TestCountsDropGauges(t *testing.T) {
	text := print(t, telemetry.Counts(parse(t, one1)))
	if strings.Contains(text, "db_pool_max") || !strings.Contains(text, "http_requests_total") || !strings.Contains(text, "d_count") {
		t.Errorf("got\n%s\nwant counters and histograms alone", text)
	}
}
