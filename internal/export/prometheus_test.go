package export_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/export"
)

// A real Prometheus scrapes the page and answers for the run's figures: a gauge, a
// counter, and a quantile of the classic histogram.
func TestARealPrometheusScrapes(t *testing.T) {
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("not tried with a Prometheus: install Debian's prometheus")
	}
	e := start(t, export.Options{Metrics: ":0", RunID: "r1"})
	defer func() { _ = e.End(canceled(t), nil) }()
	page, err := url.Parse(at(t, e))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		e.See("peak", request(200, time.Duration(1+i)*time.Millisecond))
	}
	e.Show(state(10))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // Prometheus takes no listener
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 200ms}\nscrape_configs:\n  - {job_name: run, static_configs: [{targets: [%q]}]}\n", page.Host)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()

	for query, want := range map[string]string{
		`vitals_users{scenario="peak"}`:                                                                           "50",
		`sum(vitals_requests_total{scenario="peak",outcome="served"})`:                                            "97",
		`sum(http_client_request_duration_seconds_count{scenario="peak"})`:                                        "200",
		`histogram_quantile(0.5, sum by (le) (http_client_request_duration_seconds_bucket{scenario="peak"})) > 0`: "0.1",
	} {
		got := ""
		for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline) && got == ""; time.Sleep(200 * time.Millisecond) {
			got = ask(t, "http://"+address, query)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %s", query, got, want)
		}
	}
	if t.Failed() {
		cancel()
		_ = cmd.Wait()
		t.Log(log.String())
	}
}

// ask is the value of an instant query, "" while there is none.
func ask(t *testing.T, prometheus, query string) string {
	t.Helper()
	resp, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return "" // it is not up yet
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if json.NewDecoder(resp.Body).Decode(&answer) != nil || len(answer.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}
