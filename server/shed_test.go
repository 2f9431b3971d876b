package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func TestLoadIsShedNotQueued(t *testing.T) {
	release, inside := make(chan struct{}), make(chan struct{}, 2)
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/slow", OperationID: "slow"},
				func(context.Context, *struct{}) (*struct{}, error) {
					inside <- struct{}{}
					<-release
					return nil, nil
				})
		})
	}, "MAX_IN_FLIGHT=2")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { bed.ask(t, "GET", "/api/v1/slow", "") })
		<-inside
	}
	a := bed.ask(t, "GET", "/api/v1/slow", "")
	if a.StatusCode != 503 || a.problem.Code != "overloaded" || a.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d %q retry %q, want 503 overloaded 1", a.StatusCode, a.problem.Code, a.Header.Get("Retry-After"))
	}
	if got := metric(t, bed.reg, "http_in_flight"); got != 2 {
		t.Errorf("got http_in_flight %v, want 2", got)
	}
	close(release)
	wg.Wait()
	if got := metric(t, bed.reg, "http_shed_total"); got != 1 {
		t.Errorf("got http_shed_total %v, want 1", got)
	}
	if got := metric(t, bed.reg, "http_request_duration_seconds", "route", "/api/v1/slow", "outcome", "refused"); got != 1 {
		t.Errorf("got %v refused latencies, want 1 apart from the served (trap 26)", got)
	}
}

func TestRequestTimeout(t *testing.T) {
	bed := newTestbed(t, nil, "REQUEST_TIMEOUT=2", "DB_POOL_TIMEOUT=1")
	a := bed.ask(t, "GET", "/api/v1/fault/deadline", "")
	if a.StatusCode != 503 || a.problem.Code != "timeout" {
		t.Errorf("got %d %q, want 503 timeout", a.StatusCode, a.problem.Code)
	}
}

// A scanner's paths and methods must not grow the metrics or the log's routes.
func TestTrap25_ScannersMakeNoSeries(t *testing.T) {
	bed := newTestbed(t, nil)
	bed.ask(t, "GET", "/api/v1/items/1", "", "Authorization: Bearer patient")
	before := len(seriesOf(t, bed))
	for i := range 50 {
		bed.ask(t, "GET", fmt.Sprintf("/api/v1/items/%d", i), "", "Authorization: Bearer patient")
		bed.ask(t, "GET", fmt.Sprintf("/wp-admin/%d", i), "")
		bed.ask(t, fmt.Sprintf("M%d", i), "/x", "")
	}
	after := seriesOf(t, bed)
	if added := len(after) - before; added > 4 { // unmatched GET and OTHER, their two histograms
		t.Errorf("got %d new series, want at most 4: %v", added, after)
	}
	for _, s := range after {
		if strings.Contains(s, "wp-admin") || strings.Contains(s, "/items/1") {
			t.Errorf("series %s has a raw path", s)
		}
	}
}

func seriesOf(t *testing.T, bed *testbed) (out []string) {
	families, err := bed.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			out = append(out, f.GetName()+fmt.Sprint(m.GetLabel()))
		}
	}
	return out
}

func TestClientThatLeavesIsLogged499(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/wait", OperationID: "wait"},
				func(ctx context.Context, _ *struct{}) (*struct{}, error) {
					if once.CompareAndSwap(false, true) {
						close(arrived)
					}
					<-ctx.Done()
					close(left)
					return nil, ctx.Err()
				})
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	req, _ := http.NewRequestWithContext(ctx, "GET", bed.url+"/api/v1/wait", nil)
	if res, err := bed.http.Do(req); err == nil {
		res.Body.Close()
		t.Fatal("got an answer, want none")
	}
	<-left
	deadline := time.Now().Add(5 * time.Second)
	for metric(t, bed.reg, "http_requests_total", "route", "/api/v1/wait", "status", "499") != 1 {
		if time.Now().After(deadline) {
			t.Fatal("got no request counted as 499")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if strings.Contains(bed.log.String(), `"ERROR"`) {
		t.Errorf("a client that left is an ERROR in the log: %s", bed.log.String())
	}
}
