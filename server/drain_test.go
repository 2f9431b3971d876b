package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load asks for path at about rate per second with many clients, kept alive or
// not, until ctx ends; failed counts every answer but 200 and every error.
func load(ctx context.Context, url string, rate int) (asked, failed *atomic.Int64, wait func()) {
	asked, failed = new(atomic.Int64), new(atomic.Int64)
	tr := &http.Transport{MaxIdleConnsPerHost: 8}
	c := &http.Client{Transport: tr, Timeout: 10 * time.Second}
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	wg.Go(func() {
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			wg.Go(func() {
				asked.Add(1)
				// POST: a client does not send it a second time by itself.
				res, err := c.Post(url, "application/json", strings.NewReader(`{"name":"a"}`))
				if err != nil {
					failed.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					failed.Add(1)
				}
			})
		}
	})
	return asked, failed, func() { wg.Wait(); tr.CloseIdleConnections() }
}

// SIGTERM under load: /ready says 503 first, and until the drain ends nobody
// fails, in flight or new (probe HL8).
func TestDrainFailsNobody(t *testing.T) {
	bed := newTestbedStopped(t, nil, "SHUTDOWN_DRAIN_DELAY=2")
	ctx, stopLoad := context.WithCancel(t.Context())
	asked, failed, wait := load(ctx, bed.url+"/api/v1/echo", 100)
	time.Sleep(300 * time.Millisecond)

	bed.cancel() // SIGTERM
	deadline := time.Now().Add(time.Second)
	for bed.ask(t, "GET", "/ready", "").StatusCode != 503 {
		if time.Now().After(deadline) {
			t.Fatal("/ready does not say 503 while draining")
		}
	}
	if a := bed.ask(t, "GET", "/live", ""); a.StatusCode != 200 || !a.Close {
		t.Errorf("/live while draining: got %d close=%v, want 200 and Connection: close", a.StatusCode, a.Close)
	}
	time.Sleep(1200 * time.Millisecond)
	stopLoad() // before the drain's end: what comes after it may be refused
	wait()
	if err := <-bed.ended; err != nil {
		t.Errorf("serve: got %v, want nil", err)
	}
	if failed.Load() > 0 || asked.Load() < 100 {
		t.Errorf("got %d failures among %d requests, want none among 100 and more", failed.Load(), asked.Load())
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(bed.url, "http://"), time.Second); err == nil {
		t.Error("the port still answers after the end")
	}
}

// What is in flight when the listener closes may finish, within its time.
func TestShutdownWaitsForWhatIsInFlight(t *testing.T) {
	for _, c := range []struct {
		work    time.Duration
		timeout string
		ok      bool
	}{{700 * time.Millisecond, "5", true}, {5 * time.Second, "1", false}} {
		bed := newTestbedStopped(t, slow(c.work), "SHUTDOWN_TIMEOUT="+c.timeout)
		answered := make(chan error, 1)
		arrived := make(chan struct{})
		go func() {
			req, _ := http.NewRequest("GET", bed.url+"/api/v1/slow", nil)
			close(arrived)
			res, err := bed.http.Do(req)
			if err == nil {
				_ = res.Body.Close()
			}
			answered <- err
		}()
		<-arrived
		time.Sleep(200 * time.Millisecond)
		bed.cancel()
		err, served := <-answered, <-bed.ended
		if (err == nil) != c.ok || (served == nil) != c.ok {
			t.Errorf("work of %v with %s s to finish: got answer error %v, serve error %v, want ok=%v", c.work, c.timeout, err, served, c.ok)
		}
		bed.http.CloseIdleConnections()
	}
}
