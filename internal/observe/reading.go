package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Entry is what the books count by. Status 0 stands for requests that have no
// whole answer.
type Entry struct {
	Method, Route string
	Status        int
}

// Reading is what the pages of all processes of a server say at one moment of the
// requests they have answered.
type Reading struct {
	counts   map[Entry]int64
	inFlight int64
	each     []map[Entry]int64 // by page
	started  []float64         // of each page's process, unix seconds
	workers  float64           // restarts of workers that a supervisor has counted
}

// The names on the reference API's page.
const (
	requestsTotal  = "http_requests_total"
	inFlightGauge  = "http_in_flight"
	startTime      = "process_start_time_seconds"
	workerRestarts = "process_worker_restarts_total"
)

// drainTime bounds the wait for requests that the server still works on, and
// awakeTime that for a process which has just been started again.
const (
	drainTime = 2 * time.Second
	awakeTime = 4 * time.Second
)

// Read reads the pages once the server has nothing under way and its counts stand
// still, or after two seconds as they are. An error says why these books cannot be
// read: out of reach, or of another make.
func Read(ctx context.Context, c *http.Client, pages []*url.URL) (*Reading, error) {
	var last *Reading
	began := time.Now()
	for {
		now, err := readOnce(ctx, c, pages)
		var away *url.Error
		if err != nil && (!errors.As(err, &away) || time.Since(began) > awakeTime) {
			return nil, err
		}
		// An answer is counted a moment after its last byte has left, so one look
		// at a quiet server is not enough.
		still := now != nil && last != nil && now.inFlight == 0 && maps.Equal(now.counts, last.counts)
		if still || now != nil && time.Since(began) > drainTime {
			return now, nil
		}
		last = now
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func readOnce(ctx context.Context, c *http.Client, pages []*url.URL) (*Reading, error) {
	r := &Reading{counts: map[Entry]int64{}}
	for _, page := range pages {
		families, err := scrape(ctx, c, page)
		if err != nil {
			return nil, err
		}
		// A server that has answered nothing yet has no such series: the gauge tells
		// its make.
		if families[requestsTotal] == nil && families[inFlightGauge] == nil {
			return nil, fmt.Errorf("%s has no %s: it is a page of another make", page.Redacted(), requestsTotal)
		}
		own := map[Entry]int64{}
		r.each = append(r.each, own)
		for _, m := range families[requestsTotal].GetMetric() {
			e, err := entry(m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", page.Redacted(), err)
			}
			own[e] = int64(m.GetCounter().GetValue() + m.GetUntyped().GetValue())
			r.counts[e] += own[e]
		}
		r.inFlight += int64(first(families[inFlightGauge]).GetGauge().GetValue())
		r.started = append(r.started, first(families[startTime]).GetGauge().GetValue())
		r.workers += first(families[workerRestarts]).GetCounter().GetValue()
	}
	return r, nil
}

func entry(m *dto.Metric) (e Entry, err error) {
	for _, l := range m.GetLabel() {
		switch l.GetName() {
		case "method":
			e.Method = l.GetValue()
		case "route":
			e.Route = l.GetValue()
		case "status":
			e.Status, err = strconv.Atoi(l.GetValue())
		}
	}
	if err != nil || e.Method == "" || e.Route == "" || e.Status == 0 {
		return e, fmt.Errorf("%s does not count by method, route and status: it is a page of another make", requestsTotal)
	}
	return e, nil
}

// first is a family's one series, or an empty one.
func first(f *dto.MetricFamily) *dto.Metric {
	if len(f.GetMetric()) == 0 {
		return &dto.Metric{}
	}
	return f.GetMetric()[0]
}

// clockStep is how far a process' start time may move by itself: the kernel
// derives it from a clock that it keeps in whole seconds and sets now and then.
const clockStep = 1.1 // seconds

// restarted says what began anew between two readings; "" when nothing did.
func restarted(before, after *Reading) string {
	for i := range min(len(before.started), len(after.started)) {
		if after.started[i]-before.started[i] > clockStep {
			return "the system restarted mid-run"
		}
	}
	if after.workers > before.workers {
		return "a worker of the system restarted mid-run, and what it had counted is lost"
	}
	for i := range min(len(before.each), len(after.each)) {
		for e, n := range before.each[i] {
			if now := after.each[i][e]; now < n {
				return fmt.Sprintf("the system restarted mid-run: its count of %s %s %d fell from %d to %d", e.Method, e.Route, e.Status, n, now)
			}
		}
	}
	return ""
}
