package process

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// Names, helps and units of all metrics follow the conventions.
func TestMetricsAreWellNamed(t *testing.T) {
	cfg := testConfig(t)
	seed(t, cfg, 1)
	s := startLive(t, cfg)
	accessToken(t, from(t, "127.0.0.66"), s.url(), 1)
	a := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/metrics", "")
	http.DefaultClient.CloseIdleConnections()
	problems, err := promlint.New(strings.NewReader(a.Text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if p.Metric == "db_pool_total" {
			continue // the published name: connections in all, not a count
		}
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, name := range []string{
		"http_requests_total", "http_request_duration_seconds_bucket", "http_in_flight", "http_shed_total",
		"ratelimit_decisions_total", "ratelimit_backend_errors_total", "rate_limit_degraded", "auth_attempts_total",
		"password_hash_seconds_bucket", "password_hash_wait_seconds_bucket", "password_hash_queue_depth", "password_hash_shed_total",
		"db_pool_max", "db_pool_total", "db_pool_acquired", "db_pool_idle", "db_pool_acquire_seconds_bucket", "db_pool_timeouts_total", "db_pool_new_conns_total",
		"process_cpu_seconds_total", "process_workers", "build_info",
	} {
		if !strings.Contains(a.Text, "\n"+name) {
			t.Errorf("no metric %s", name)
		}
	}
}
