package export_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"vitals/internal/export"
	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/targets"
)

func start(t *testing.T, o export.Options) *export.Exporter {
	t.Helper()
	e, err := export.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// at is the URL in the one address that an exporter names.
func at(t *testing.T, e *export.Exporter) string {
	t.Helper()
	_, url, ok := strings.Cut(e.Addresses()[0], " at ")
	if !ok {
		t.Fatalf("got %q", e.Addresses())
	}
	return url
}

func request(status int, took time.Duration) *wire.Seen {
	sent := time.Now()
	return &wire.Seen{Step: "list medications", Method: "GET", Route: "/api/v1/medications", Status: status, Sent: sent, Done: sent.Add(took)}
}

func state(seconds int) report.Now {
	return report.Now{
		Scenario: "peak", Phase: "hold", Elapsed: time.Duration(seconds) * time.Second, Total: time.Minute, Users: 50, Answers: 12,
		Snapshot: measure.Snapshot{
			Every: time.Second, Counts: measure.Counts{Sent: 100, Served: 97, Refused: 2, Failed: 1, Errors: 1, Late: 3},
			Last: []measure.Slice{{Counts: measure.Counts{Sent: 10, Served: 10}, P50: 5 * time.Millisecond, P95: 40 * time.Millisecond, P99: 80 * time.Millisecond}},
		},
		Losing: []targets.Verdict{{Target: targets.Target{Metric: "p95", Text: "p95 < 30ms"}, Status: targets.Fail, Got: 4e7}},
	}
}

func get(t *testing.T, url, accept string) (string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s, %v", url, resp.Status, err)
	}
	return string(text), resp.Header
}

func TestMetricsPage(t *testing.T) {
	e := start(t, export.Options{Metrics: ":0", Version: "vitals 1", RunID: "r1"})
	url := at(t, e)
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("got %s, want loopback where nobody asked for more", url)
	}
	for i := range 200 {
		e.See("peak", request(200, time.Duration(i)*time.Millisecond))
	}
	e.See("peak", request(0, time.Second))
	e.Show(state(10))
	text, _ := get(t, url+"metrics", "text/plain")
	for _, want := range []string{
		`http_client_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",scenario="peak",step="list medications"} 200`,
		`http_client_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",scenario="peak",step="list medications",le="0.1"} 101`,
		`http_response_status_code="0"`, `vitals_requests_total{outcome="served",scenario="peak"} 97`, `vitals_users{scenario="peak"} 50`,
		`vitals_response_p95_seconds{scenario="peak"} 0.04`, `vitals_target_losing{scenario="peak",target="p95 < 30ms"} 1`,
		`vitals_phase{phase="hold",scenario="peak"} 1`, `vitals_late_total{scenario="peak"} 3`, `vitals_limited_answers_total{scenario="peak"} 12`,
		`vitals_run_info{run_id="r1",version="vitals 1"} 1`, "process_cpu_seconds_total", "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	next := state(1)
	next.Losing, next.Phase = nil, "ramp"
	e.Show(next)
	text, _ = get(t, url+"metrics", "text/plain")
	if strings.Contains(text, "vitals_target_losing{") || strings.Contains(text, `phase="hold"`) {
		t.Error("what is past is still shown")
	}
	if err := e.End(canceled(t), nil); err != nil {
		t.Error(err)
	}
	if promtool, err := exec.LookPath("promtool"); err != nil {
		t.Log("not checked by promtool: install Debian's prometheus")
	} else {
		cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A Prometheus that asks for protobuf gets the native histogram beside the classic.
func TestNativeHistogram(t *testing.T) {
	e := start(t, export.Options{Metrics: ":0"})
	for i := range 100 {
		e.See("peak", request(200, time.Duration(1+i)*time.Millisecond))
	}
	text, header := get(t, at(t, e)+"metrics", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	dec := expfmt.NewDecoder(strings.NewReader(text), expfmt.ResponseFormat(header))
	for {
		var f dto.MetricFamily
		if err := dec.Decode(&f); err != nil {
			t.Fatalf("no such family: %v", err)
		}
		if f.GetName() != "http_client_request_duration_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		if len(h.GetPositiveSpan()) == 0 || h.GetSchema() == 0 || len(h.GetBucket()) == 0 || h.GetSampleCount() != 100 {
			t.Errorf("got %d spans at schema %d and %d buckets of %d", len(h.GetPositiveSpan()), h.GetSchema(), len(h.GetBucket()), h.GetSampleCount())
		}
		break
	}
	_ = e.End(canceled(t), nil)
}

// The page stays for two more scrapes where somebody scrapes, and for nobody else.
func TestStaysForTheLastScrapes(t *testing.T) {
	e := start(t, export.Options{Metrics: ":0"})
	url := at(t, e)
	e.Show(state(10))
	get(t, url+"metrics", "")
	ended := make(chan error)
	go func() { ended <- e.End(t.Context(), &report.Document{Verdict: report.Pass}) }()
	get(t, url+"metrics", "")
	select {
	case <-ended:
		t.Fatal("it left after one scrape")
	case <-time.After(50 * time.Millisecond):
	}
	text, _ := get(t, url+"metrics", "")
	if !strings.Contains(text, "vitals_passed 1") {
		t.Error("the last scrape does not have the verdict")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	unread := start(t, export.Options{Metrics: ":0"})
	began := time.Now()
	if err := unread.End(t.Context(), nil); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %v, want it to leave at once", err, time.Since(began))
	}
}

func TestAddressInUse(t *testing.T) {
	first := start(t, export.Options{Live: ":0"})
	addr := strings.Trim(strings.TrimPrefix(at(t, first), "http://"), "/")
	if _, err := export.Start(t.Context(), export.Options{Metrics: addr}); err == nil || !strings.Contains(err.Error(), "metrics page") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	if _, err := export.Start(t.Context(), export.Options{Live: "8080"}); err == nil || !strings.Contains(err.Error(), ":PORT") {
		t.Errorf("got %v, want to be told the form", err)
	}
	_ = first.End(t.Context(), nil)
}

// A page from elsewhere whose name points at this machine is not served.
func TestForeignNamesAreRefused(t *testing.T) {
	e := start(t, export.Options{Live: ":0"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at(t, e), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example:80"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %d, want 403", resp.StatusCode)
	}
	_ = e.End(t.Context(), nil)
}

// A reader that comes late is given all that was, then each state, then the end.
func TestLiveEvents(t *testing.T) {
	e := start(t, export.Options{Live: ":0"})
	e.Show(state(1))
	e.Show(state(2))
	resp, err := http.Get(at(t, e) + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	event := func() (name, data string) {
		for lines.Scan() && lines.Text() != "" {
			if v, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				data = v
			}
		}
		return name, data
	}
	if name, data := event(); name != "history" || strings.Count(data, `"scenario":"peak"`) != 2 {
		t.Errorf("got %s %s", name, data)
	}
	e.Show(state(3))
	if name, data := event(); name != "now" || !strings.Contains(data, `"elapsed":3`) || !strings.Contains(data, `"p95":40`) {
		t.Errorf("got %s %s", name, data)
	}
	go func() { _ = e.End(context.WithoutCancel(t.Context()), &report.Document{Verdict: report.Fail}) }()
	if name, data := event(); name != "end" || !strings.Contains(data, `"verdict":"FAIL"`) {
		t.Errorf("got %s %s", name, data)
	}
}

// A collector gets the histogram by its standard name, with the standard attributes.
func TestOTLP(t *testing.T) {
	var mu sync.Mutex
	var got []*collector.ExportMetricsServiceRequest
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil || r.URL.Path != "/v1/metrics" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		got = append(got, &m)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer s.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=ci")
	e := start(t, export.Options{OTLP: true, Version: "1", RunID: "r1"})
	e.See("peak", request(200, 40*time.Millisecond))
	e.See("peak", request(503, 40*time.Millisecond))
	if err := e.End(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) == 0 {
		t.Fatal("nothing was sent")
	}
	text := fmt.Sprint(got[len(got)-1])
	for _, want := range []string{
		"http.client.request.duration", `unit:"s"`, "http.request.method", "http.response.status_code", "test.suite.name", "test.case.name",
		"error.type", "service.name", "vitals", "deployment.environment.name", "service.instance.id",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("what was sent lacks %s", want)
		}
	}
}

// Who asks for nothing gets nothing, and at no cost.
func TestNothingAsked(t *testing.T) {
	e := start(t, export.Options{})
	if len(e.Addresses()) != 0 {
		t.Errorf("got %v", e.Addresses())
	}
	x := request(200, time.Millisecond)
	if n := testing.AllocsPerRun(100, func() { e.See("peak", x) }); n != 0 {
		t.Errorf("got %g allocations", n)
	}
	if err := e.End(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
