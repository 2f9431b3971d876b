package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Clients that dribble are cut in time, and nobody else notices (probe SH4).
func TestSlowWritersAreCut(t *testing.T) {
	bed := newTestbed(t, nil, "READ_HEADER_TIMEOUT=1", "READ_TIMEOUT=2")
	addr := strings.TrimPrefix(bed.url, "http://")
	var wg sync.WaitGroup
	dribble := func(what, head, drop string, limit time.Duration) {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			began := time.Now()
			if _, err := io.WriteString(c, head); err != nil {
				t.Error(err)
				return
			}
			cut := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, c); close(cut) }()
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-cut:
					if took := time.Since(began); took > limit+2*time.Second {
						t.Errorf("%s: cut after %v, want within %v", what, took, limit+2*time.Second)
					}
					return
				case <-tick.C:
					if _, err := io.WriteString(c, drop); err != nil {
						_ = c.Close()
					}
					if time.Since(began) > limit+4*time.Second {
						t.Errorf("%s: still open after %v", what, time.Since(began))
						_ = c.Close()
						<-cut
						return
					}
				}
			}
		})
	}
	for i := range 100 {
		dribble("headers", fmt.Sprintf("GET / HTTP/1.1\r\nHost: x\r\nX-%d: ", i), "a", time.Second)
		dribble("body", "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", " ", 2*time.Second)
	}
	for range 20 {
		began := time.Now()
		if a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`); a.StatusCode != 200 {
			t.Errorf("an honest request: got %d", a.StatusCode)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("an honest request took %v beside the slow ones", took)
		}
		time.Sleep(50 * time.Millisecond)
	}
	wg.Wait()
}

// MAX_CONNS bounds what is open at once.
func TestConnectionsAreBounded(t *testing.T) {
	bed := newTestbed(t, nil, "MAX_CONNS=2", "READ_HEADER_TIMEOUT=5")
	addr := strings.TrimPrefix(bed.url, "http://")
	var held []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	time.Sleep(100 * time.Millisecond) // both are accepted
	if got := raw(t, addr, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500*time.Millisecond); got != "" {
		t.Errorf("got %q on a third connection, want it to wait", got)
	}
	for _, c := range held {
		_ = c.Close()
	}
	if got := raw(t, addr, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 5*time.Second); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("got %q once there is room, want 200", got)
	}
}

// Framing tricks are refused or have one meaning (probes RQ3, SH2).
func TestFramingHasOneMeaning(t *testing.T) {
	bed := newTestbed(t, nil)
	addr := strings.TrimPrefix(bed.url, "http://")
	const tail = "\r\nConnection: close\r\n\r\n"
	cases := []struct{ name, text, want string }{
		{"length and chunks", "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked" + tail + "c\r\n{\"name\":\"a\"}\r\n0\r\n\r\n", "HTTP/1.1 200"}, // chunks win, as RFC 9112 6.3 says, and the length is gone
		{"two lengths", "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6" + tail + "hello!", "HTTP/1.1 400"},
		{"40 kB header", "GET /live HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 40<<10) + tail, "HTTP/1.1 431"},
		{"escape in a header", "GET /live HTTP/1.1\r\nHost: x\r\nX-Request-ID: probe-\x1b[31m0123" + tail, "HTTP/1.1 400"},
		{"no host", "GET /live HTTP/1.1" + tail, "HTTP/1.1 400"},
		{"folded ID", "GET /nope HTTP/1.1\r\nHost: x\r\nX-Request-ID: probe-0123456789\r\n {\"level\":\"INFO\"}" + tail, "HTTP/1.1 404"},
	}
	for _, c := range cases {
		got := raw(t, addr, c.text, 5*time.Second)
		if !strings.HasPrefix(got, c.want) || strings.Count(got, "HTTP/1.1 ") != 1 {
			t.Errorf("%s: got %q, want one %s", c.name, got[:min(len(got), 200)], c.want)
		}
		if strings.Contains(got, "INFO") {
			t.Errorf("%s: the folded ID came back: %q", c.name, got)
		}
	}
	folded := 0
	for _, line := range bed.log.lines(t) { // each line parses, or this fails
		if line["request_id_replaced"] == true {
			folded++
		}
	}
	if folded != 1 {
		t.Errorf("got %d replaced IDs in the log, want the folded one", folded)
	}
}
