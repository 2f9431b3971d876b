package server

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"vitals/server/config"
	"vitals/server/web"
)

// testConfig is a test environment's configuration on SQLite and free ports;
// vars are NAME=value and win.
func testConfig(t testing.TB, vars ...string) *config.Config {
	t.Helper()
	env := map[string]string{
		"ENV": "test", "HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "127.0.0.1:0",
		"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "clinic.db"),
		"SECRET_KEY":   "b64-9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu", "LOG_FORMAT": "json",
		"SHUTDOWN_DRAIN_DELAY": "0", "SHUTDOWN_TIMEOUT": "5",
	}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		if value == "" {
			delete(env, name)
			continue
		}
		env[name] = value
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatalf("load test configuration: %v", err)
	}
	return cfg
}

// logBuffer collects log lines from many goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines decodes every line; one that is not JSON fails the test.
func (l *logBuffer) lines(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		out = append(out, line)
	}
	return out
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body    string
	problem web.Problem
}

// ask sends one request; headers are "Name: value".
func (b *testbed) ask(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return ask(t, b.http, method, b.url+path, body, headers...)
}

func ask(t testing.TB, c *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Content-Type" {
			req.Header.Set(name, value)
			continue
		}
		req.Header.Add(name, value)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: res, body: string(text)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(text, &a.problem); err != nil {
			t.Errorf("%s %s: problem %q: %v", method, url, text, err)
		}
	}
	return a
}

// metric is the value of one counter or gauge, or a histogram's count; 0 if
// there is none. labels are names and values in turn.
func metric(t testing.TB, g prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return sample(families, name, labels...)
}

func sample(families []*dto.MetricFamily, name string, labels ...string) float64 {
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && have[labels[i]] == labels[i+1]
			}
			if match {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

func parseMetrics(t testing.TB, text string) []*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse metrics: %v", err)
	}
	return slices.Collect(maps.Values(families))
}
