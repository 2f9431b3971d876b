package observe

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// levels are series of the metrics page that are shown as they are. A page that
// lacks one simply has no such line.
var levels = []string{
	"http_in_flight", "db_pool_acquired", "db_pool_idle", "password_hash_queue_depth",
	"rate_limit_degraded", "go_goroutines",
}

// requestTime is the pair of sum and count of what requests took inside the server.
const requestTime = "http_request_duration_seconds"

// requestGauge is the mean time of a request inside the server, in ms.
const requestGauge = "request_ms"

// timed are pairs of sum and count: call is the gauge of their own mean, in ms, and
// part the gauge of what they took of one request on average, in ms.
var timed = []struct{ name, call, part string }{
	{requestTime, requestGauge, ""},
	{"db_pool_acquire_seconds", "db_pool_acquire_ms", "request_db_wait_ms"},
	{"redis_call_seconds", "redis_call_ms", "request_redis_ms"},
	{"password_hash_wait_seconds", "password_hash_wait_ms", "request_hash_wait_ms"},
	{"password_hash_seconds", "password_hash_ms", "request_hash_ms"},
	{"go_gc_duration_seconds", "gc_pause_ms", ""},
}

// Felt are the gauges of two readings of a system's pages: levels of now, and means of
// the time between them, among these what each request spent where. before is nil at
// the first reading, which has no means.
func Felt(before, now Metrics, between time.Duration) (level, mean map[string]float64) {
	level, mean = map[string]float64{}, map[string]float64{}
	for _, name := range levels {
		if v, ok := now[name]; ok {
			level[name] = v
		}
	}
	if before == nil {
		return level, mean
	}
	if n, was := before[requestsTotal]; was && now[requestsTotal] >= n && between > 0 {
		mean["requests_per_second"] = (now[requestsTotal] - n) / between.Seconds()
	}
	requests := now[requestTime+"_count"] - before[requestTime+"_count"]
	for _, t := range timed {
		n := now[t.name+"_count"] - before[t.name+"_count"]
		ms := 1000 * (now[t.name+"_sum"] - before[t.name+"_sum"])
		if n > 0 && ms >= 0 { // fewer than before: the system began anew
			mean[t.call] = ms / n
		}
		if _, there := now[t.name+"_count"]; there && t.part != "" && requests > 0 && n >= 0 && ms >= 0 {
			mean[t.part] = ms / requests
		}
	}
	return level, mean
}

// ScrapeAll reads several pages as one system's: equal series are added up.
func ScrapeAll(ctx context.Context, c *http.Client, pages []*url.URL, names Names) (Metrics, error) {
	sum := Metrics{}
	for _, page := range pages {
		m, err := Scrape(ctx, c, page, names)
		if err != nil {
			return nil, err
		}
		for name, v := range m {
			sum[name] += v
		}
	}
	return sum, nil
}
