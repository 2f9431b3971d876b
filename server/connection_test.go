package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Clients that send slowly are cut in time, and nobody else notices (probe SH4).
func TestSlowWritersAreCut(t *testing.T) {
	bed := newTestbed(t, nil, "READ_HEADER_TIMEOUT=1", "READ_TIMEOUT=2")
	addr := strings.TrimPrefix(bed.url, "http://")
	var wg sync.WaitGroup
	slowly := func(what, head, drop string, limit time.Duration) {
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
		slowly("headers", fmt.Sprintf("GET / HTTP/1.1\r\nHost: x\r\nX-%d: ", i), "a", time.Second)
		slowly("body", "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", " ", 2*time.Second)
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

const askLive = "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// MAX_CONNS bounds what is at work at once: one more waits.
func TestConnectionsAreBounded(t *testing.T) {
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
	}, "MAX_CONNS=2", "READ_HEADER_TIMEOUT=5")
	addr := strings.TrimPrefix(bed.url, "http://")
	var at sync.WaitGroup
	for range 2 {
		at.Go(func() {
			raw(t, addr, "GET /api/v1/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 20*time.Second)
		})
		<-inside
	}
	if got := raw(t, addr, askLive, 500*time.Millisecond); got != "" {
		t.Errorf("got %q on a third connection, want it to wait", got)
	}
	close(release)
	at.Wait()
	if got := raw(t, addr, askLive, 5*time.Second); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("got %q once there is room, want 200", got)
	}
}

// idle opens n connections from an address and says nothing on them.
func idle(t *testing.T, from, addr string, n int) (held []net.Conn) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	for range n {
		c, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		held = append(held, c)
	}
	return held
}

// As many idle connections as MAX_CONNS, from four addresses, shut out neither probes
// nor requests: the idle ones are closed for those that ask.
func TestIdleConnectionsShutOutNobody(t *testing.T) {
	bed := newTestbed(t, nil, "MAX_CONNS=1000", "MAX_CONNS_PER_ADDRESS=250")
	addr := strings.TrimPrefix(bed.url, "http://")
	for i := range 4 {
		idle(t, fmt.Sprintf("127.0.3.%d", i+1), addr, 250)
	}
	for _, path := range []string{"/live", "/ready", "/health", "/api/v1/nope"} {
		began := time.Now()
		a := bed.ask(t, "GET", path, "")
		if want := map[bool]int{true: 404, false: 200}[path == "/api/v1/nope"]; a.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, a.StatusCode, want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", path, took)
		}
	}
	if got := metric(t, bed.reg, "http_connections_closed_total", "reason", "full"); got < 1 {
		t.Errorf("got %v connections closed for room, want at least one", got)
	}
}

// One address has its own bound: it closes its own connections, and nobody else's.
func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	bed := newTestbed(t, nil, "MAX_CONNS_PER_ADDRESS=3")
	addr := strings.TrimPrefix(bed.url, "http://")
	other := idle(t, "127.0.3.2", addr, 3)
	held := idle(t, "127.0.3.1", addr, 10)
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		_, err := c.Read(make([]byte, 1))
		return !errors.Is(err, os.ErrDeadlineExceeded)
	}
	for i, c := range held[:7] {
		if !closed(c) {
			t.Errorf("connection %d of 10 from one address is open, want the last three alone", i+1)
		}
	}
	for i, c := range append(held[7:], other...) {
		if _, err := io.WriteString(c, askLive); err != nil {
			t.Errorf("open connection %d: %v", i, err)
		}
		if text, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200") {
			t.Errorf("open connection %d: got %q, %v, want 200", i, text, err)
		}
	}
	if got := metric(t, bed.reg, "http_connections_closed_total", "reason", "address"); got != 7 {
		t.Errorf("got %v closed, want 7", got)
	}
}

// The connections of a trusted proxy are many clients', and have no bound of their own.
func TestTrustedProxiesHaveNoBoundOfTheirOwn(t *testing.T) {
	bed := newTestbed(t, nil, "MAX_CONNS_PER_ADDRESS=2", "TRUSTED_PROXIES=127.0.3.0/24")
	for _, c := range idle(t, "127.0.3.1", strings.TrimPrefix(bed.url, "http://"), 10) {
		if _, err := io.WriteString(c, askLive); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200") {
			t.Errorf("got %q, %v, want 200", text, err)
		}
	}
}

// OPTIONS * passes the chain: net/http's own answer would have none of our headers.
func TestOptionsStarPassesTheChain(t *testing.T) {
	bed := newTestbed(t, nil)
	got := raw(t, strings.TrimPrefix(bed.url, "http://"), "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 5*time.Second)
	if !strings.HasPrefix(got, "HTTP/1.1 404") || !strings.Contains(got, "X-Request-Id: ") || !strings.Contains(got, "X-Content-Type-Options: nosniff") {
		t.Errorf("got %q, want 404 with an id and the security headers", got)
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
	for _, line := range bed.log.Lines(t) { // each line parses, or this fails
		if line["request_id_replaced"] == true {
			folded++
		}
	}
	if folded != 1 {
		t.Errorf("got %d replaced IDs in the log, want the folded one", folded)
	}
}
