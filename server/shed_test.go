package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/web"
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
	if a.StatusCode != 503 || a.Problem.Code != "overloaded" || a.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d %q retry %q, want 503 overloaded 1", a.StatusCode, a.Problem.Code, a.Header.Get("Retry-After"))
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
		t.Errorf("got %v refused latencies, want 1 apart from the served", got)
	}
}

// LK28: checks of credentials leave slots to others, however many come.
func TestSignInsLeaveSlots(t *testing.T) {
	release, inside := make(chan struct{}), make(chan struct{}, 8)
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/check", OperationID: "check"},
				func(ctx context.Context, _ *struct{}) (*struct{}, error) {
					defer web.ReleaseSlot(ctx)() // takes both kinds of slots again
					inside <- struct{}{}
					<-release
					return nil, nil
				})
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/slow", OperationID: "slow"},
				func(context.Context, *struct{}) (*struct{}, error) {
					inside <- struct{}{}
					<-release
					return nil, nil
				})
		})
		calm := func(context.Context) error { return nil }
		d.Early = map[string]func(context.Context) error{
			"GET /api/v1/check": calm,
			"GET /api/v1/fault/{kind}": func(context.Context) error {
				inside <- struct{}{}
				<-release
				return web.Fail(http.StatusTooManyRequests, "locked_out", "Wait.").WithRetry(time.Second)
			},
		}
	}, "MAX_IN_FLIGHT=3")
	var wg sync.WaitGroup
	ask := func(path string, want int) {
		wg.Go(func() {
			if a := bed.ask(t, "GET", path, ""); a.StatusCode != want {
				t.Errorf("%s: got %d, want %d", path, a.StatusCode, want)
			}
		})
		<-inside
	}
	ask("/api/v1/fault/x", 429)
	ask("/api/v1/fault/x", 429)
	if a := bed.ask(t, "GET", "/api/v1/check", ""); a.StatusCode != 503 || a.Problem.Code != "overloaded" {
		t.Errorf("a third check with 3 slots: got %d %q, want 503 overloaded", a.StatusCode, a.Problem.Code)
	}
	ask("/api/v1/slow", 204)
	if a := bed.ask(t, "GET", "/api/v1/slow", ""); a.StatusCode != 503 {
		t.Errorf("a fourth request: got %d, want 503", a.StatusCode)
	}
	close(release)
	wg.Wait()
	for range 3 { // every slot came back
		for range 2 {
			ask("/api/v1/check", 204)
		}
		wg.Wait()
	}
}

// SH4: clients that send their bodies slowly hold no slot, and one whose body is
// complete when every slot is taken is shed like any other.
func TestSlowBodiesHoldNoSlot(t *testing.T) {
	type input struct {
		Body struct {
			Name string `json:"name"`
		}
	}
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "POST", Path: "/api/v1/slow-body", OperationID: "slow-body"},
				func(context.Context, *input) (*struct{}, error) { return nil, nil })
		})
	}, "MAX_IN_FLIGHT=2")
	u, err := url.Parse(bed.url)
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"name":"dribbled"}`
	var conns []net.Conn
	for range 6 {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /api/v1/slow-body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:5])
		conns = append(conns, c)
	}
	for end := time.Now().Add(10 * time.Second); metric(t, bed.reg, "http_in_flight") < 6; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %v requests inside, want 6 with 2 slots", metric(t, bed.reg, "http_in_flight"))
		}
	}
	if a := bed.ask(t, "GET", "/api/v1/items/1", "", "Authorization: Bearer patient"); a.StatusCode != 200 {
		t.Errorf("beside six slow bodies: got %d %q, want 200", a.StatusCode, a.Problem.Code)
	}
	for _, c := range conns {
		fmt.Fprint(c, body[5:])
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode >= 300 {
			t.Errorf("a body that came slowly: got %d, want it taken", res.StatusCode)
		}
	}
}

// LK28: sign-ins that wait for their turn hold no slot.
func TestWaitingForATurnHoldsNoPlace(t *testing.T) {
	turn := make(chan struct{})
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/queue", OperationID: "queue"},
				func(ctx context.Context, _ *struct{}) (*struct{}, error) {
					back := web.ReleaseSlot(ctx)
					<-turn
					back()
					return nil, nil
				})
		})
	}, "MAX_IN_FLIGHT=2")
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if a := bed.ask(t, "GET", "/api/v1/queue", ""); a.StatusCode >= 300 {
				t.Errorf("who waited: got %d, want an answer", a.StatusCode)
			}
		})
	}
	for end := time.Now().Add(10 * time.Second); metric(t, bed.reg, "http_in_flight") < 5; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the five never came inside")
		}
	}
	if a := bed.ask(t, "GET", "/api/v1/items/1", "", "Authorization: Bearer patient"); a.StatusCode != 200 {
		t.Errorf("beside five who wait: got %d %q, want 200", a.StatusCode, a.Problem.Code)
	}
	close(turn)
	wg.Wait()
}

// SH2: nothing more is read from a connection whose framing may be ambiguous.
func TestAChunkedBodyEndsItsConnection(t *testing.T) {
	bed := newTestbed(t, nil)
	u, err := url.Parse(bed.url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /api/v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer patient\r\nContent-Type: application/json\r\n"+
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n\r\n")
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			if n != 1 {
				t.Errorf("got %d answers, want one and the end", n)
			}
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

func TestRequestTimeout(t *testing.T) {
	bed := newTestbed(t, nil, "REQUEST_TIMEOUT=2", "DB_POOL_TIMEOUT=1")
	a := bed.ask(t, "GET", "/api/v1/fault/deadline", "")
	if a.StatusCode != 503 || a.Problem.Code != "timeout" {
		t.Errorf("got %d %q, want 503 timeout", a.StatusCode, a.Problem.Code)
	}
}

// A scanner's paths and methods must not grow the metrics or the log's routes.
func TestScannersMakeNoSeries(t *testing.T) {
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
