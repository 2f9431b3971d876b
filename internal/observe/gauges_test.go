package observe_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/observe"
)

func TestFelt(t *testing.T) {
	before := observe.Metrics{
		"http_request_duration_seconds_count": 100, "http_request_duration_seconds_sum": 1, "redis_call_seconds_count": 10, "redis_call_seconds_sum": 1,
		"password_hash_seconds_count": 3, "password_hash_seconds_sum": 1, "http_requests_total": 100,
	}
	now := observe.Metrics{
		"http_request_duration_seconds_count": 200, "http_request_duration_seconds_sum": 3, "redis_call_seconds_count": 210, "redis_call_seconds_sum": 2,
		"password_hash_seconds_count": 3, "password_hash_seconds_sum": 1, "db_pool_acquired": 4, "unknown": 7, "http_requests_total": 200,
	}
	want := map[string]float64{
		"request_ms": 20, "redis_call_ms": 5, "request_redis_ms": 10, // two calls in each request
		"request_hash_ms": 0, "db_pool_acquired": 4, "requests_per_second": 50,
	}
	if diff := cmp.Diff(want, joined(observe.Felt(before, now, 2*time.Second))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"db_pool_acquired": 4}, joined(observe.Felt(nil, now, 0))); diff != "" {
		t.Errorf("the first reading has levels alone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{}, joined(observe.Felt(now, before, time.Second))); diff != "" {
		t.Errorf("a system that began anew has no means (-want +got):\n%s", diff)
	}
}

func TestFeltBehind(t *testing.T) {
	before := observe.Metrics{observe.PostgresCommits: 10, observe.PostgresHits: 100, observe.PostgresReads: 50, observe.RedisCommands: 90, observe.RedisEvictions: 1}
	now := observe.Metrics{
		observe.PostgresCommits: 110, observe.PostgresHits: 400, observe.PostgresReads: 150, observe.PostgresLockWaits: 2,
		observe.RedisCommands: 5, observe.RedisEvictions: 1, observe.RedisMemory: 3 << 20,
	}
	want := map[string]float64{
		"pg_commits_per_second": 50, "pg_cache_hit": 0.75, "pg_lock_waits": 2, "redis_evictions_per_second": 0, "redis_memory_mib": 3, // its commands began anew
	}
	if diff := cmp.Diff(want, joined(observe.FeltBehind(before, now, 2*time.Second))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func joined(a, b map[string]float64) map[string]float64 {
	maps.Copy(a, b)
	return a
}

// A page of another make, as Spring's Micrometer writes it: named figures are read as
// ours, and what it lacks is told.
func TestForeignPage(t *testing.T) {
	text := `# TYPE process_cpu_time_seconds counter
process_cpu_time_seconds_total 12.5
# TYPE jvm_memory_used_bytes gauge
jvm_memory_used_bytes{area="heap"} 1000
jvm_memory_used_bytes{area="nonheap"} 500
# TYPE hikaricp_connections_active gauge
hikaricp_connections_active{pool="main"} 3
# TYPE http_server_requests_seconds summary
http_server_requests_seconds_count{uri="/a"} 10
http_server_requests_seconds_sum{uri="/a"} 0.5
`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(srv.Close)
	page, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	names := observe.Names{
		"cpu_seconds": "process_cpu_time_seconds_total", "memory_bytes": "jvm_memory_used_bytes", "pool_in_use": "hikaricp_connections_active",
		"requests": "http_server_requests_seconds_count", "request_time": "http_server_requests_seconds", "pool_idle": "hikaricp_connections_idel",
	}
	u, err := observe.Scraped(srv.Client(), page, names)(t.Context())
	if err != nil || u.CPU != 12500*time.Millisecond || u.RSS != 1500 {
		t.Errorf("got %+v and %v, want 12.5 s and 1500 bytes", u, err)
	}
	before, err := observe.Scrape(t.Context(), srv.Client(), page, names)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer(" 10\n", " 30\n", " 0.5\n", " 1.5\n").Replace(text)
	now, err := observe.Scrape(t.Context(), srv.Client(), page, names)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"db_pool_acquired": 3, "request_ms": 50, "requests_per_second": 10}
	if diff := cmp.Diff(want, joined(observe.Felt(before, now, 2*time.Second))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := names.Missing(now); !slices.Equal(got, []string{"pool_idle: hikaricp_connections_idel"}) {
		t.Errorf("missing: got %q", got)
	}
	_, err = observe.Scraped(srv.Client(), page, nil)(t.Context())
	if err == nil || !strings.Contains(err.Error(), "metrics.cpu_seconds") {
		t.Errorf("a page without our names, and no profile: got %v, want what to do", err)
	}
}
