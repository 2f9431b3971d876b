package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
)

// encrypted serves over TLS, and gives a client that trusts it.
func encrypted(t *testing.T, h http.HandlerFunc) (*Client, *url.URL) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(base, false, 5*time.Second)
	t.Cleanup(c.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	p := c.to(base)
	p.raw.dial.secure.RootCAs = roots
	p.doer.(*Std).secure.RootCAs = roots
	return c, base
}

// A burst over TLS names its server, without which no handshake is begun.
func TestBurstOverTLS(t *testing.T) {
	c, _ := encrypted(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	as, _, err := c.Burst(t.Context(), []Request{{Path: "/"}, {Method: "POST", Path: "/", Body: []byte("{}")}, {Path: "/"}})
	if err != nil && !errors.Is(err, ErrSpread) {
		t.Fatal(err)
	}
	for i, a := range as {
		if a.Status != 204 || a.Err != nil {
			t.Errorf("request %d: got %d, %v, want 204", i, a.Status, a.Err)
		}
	}
	conn, lines, err := c.Open(t.Context(), netip.Addr{})
	if err != nil || !strings.HasPrefix(lines, "Host: ") {
		t.Fatalf("got lines %q, %v", lines, err)
	}
	defer conn.Close()
	if _, ok := conn.(*tls.Conn); !ok {
		t.Errorf("got %T, want a connection over TLS", conn)
	}
}

// Requests to two replicas are released at one barrier, not at one each, and those
// who watch are told of them in the order in which they ended.
func TestBurstToReplicas(t *testing.T) {
	slow := func(d time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { time.Sleep(d); w.WriteHeader(204) }
	}
	one, log1 := handle(t, slow(30*time.Millisecond))
	two, log2 := handle(t, slow(0))
	c := NewClient(one, false, 0)
	defer c.Close()
	w := &watcher{}
	c.Watch(w.see)
	var qs []Request
	for i := range 8 {
		qs = append(qs, Request{Path: fmt.Sprintf("/%d", i), Base: []*url.URL{one, two}[i%2]})
	}
	as, spread, err := c.Burst(t.Context(), qs)
	if err != nil && !errors.Is(err, ErrSpread) {
		t.Fatal(err)
	}
	first, last := as[0].Sent, as[0].Sent
	for i, a := range as {
		if a.Status != 204 {
			t.Errorf("request %d: got %d, %v", i, a.Status, a.Err)
		}
		if i > 0 && a.Sent.Before(as[i-1].Sent) {
			t.Errorf("request %d was released before the one before it: two barriers", i)
		}
		last = a.Sent
	}
	if last.Sub(first) > spread {
		t.Errorf("got a spread of %v, released within %v", spread, last.Sub(first))
	}
	if len(log1()) != 4 || len(log2()) != 4 {
		t.Errorf("got %d and %d requests, want 4 each", len(log1()), len(log2()))
	}
	for i := 1; i < len(w.seen); i++ {
		if w.seen[i].Done.Before(w.seen[i-1].Done) {
			t.Errorf("%s ended before %s and was told after it", w.seen[i].Step, w.seen[i-1].Step)
		}
	}
}

// What is written is what is sent: an escaped base path, a Host, a path that
// net/http cannot take apart; over HTTP and over TLS.
func TestSentAsWritten(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s %v", r.Host, r.RequestURI, r.Header["X-Twice"])
	}
	secure, base := encrypted(t, echo)
	plainBase, _ := handle(t, echo)
	plain := NewClient(plainBase, false, 0)
	defer plain.Close()
	for name, c := range map[string]*Client{"http": plain, "https": secure} {
		for _, k := range []struct {
			q    Request
			want string
		}{
			{Request{Path: "/x", Header: http.Header{"Host": {"api.example.org"}}}, "api.example.org /x []"},
			{Request{Path: "/x?a=%20b", Header: http.Header{"host": {"other.example.org"}, "X-Twice": {"1", "2"}}}, "other.example.org /x?a=%20b [1 2]"},
		} {
			a, err := c.Send(t.Context(), k.q)
			if err != nil || string(a.Body) != k.want {
				t.Errorf("%s %s: got %q, %v, want %q", name, k.q.Path, a.Body, err, k.want)
			}
		}
		// No server of Go's takes it, but it was sent: an answer, not a dead server.
		if a, _ := c.Send(t.Context(), Request{Path: "/a%zz"}); a.Class == measure.Connect || name == "http" && a.Status != 400 {
			t.Errorf("%s /a%%zz: got status %d, class %v, %v; want it sent", name, a.Status, a.Class, a.Err)
		}
		for _, framing := range []string{"Content-Length", "transfer-encoding"} {
			if a, err := c.Send(t.Context(), Request{Path: "/", Header: http.Header{framing: {"3"}}}); err == nil || a.Status != 0 {
				t.Errorf("%s %s: got %d, %v, want it refused", name, framing, a.Status, err)
			}
		}
	}
	escaped := *plainBase
	escaped.Path, escaped.RawPath = "/my app/", "/my%20app/"
	_ = base
	c := NewClient(&escaped, false, 0)
	defer c.Close()
	if a, err := c.Send(t.Context(), Request{Path: "/login"}); err != nil || !strings.Contains(string(a.Body), " /my%20app/login ") {
		t.Errorf("got %q, %v, want the base path as it was escaped", a.Body, err)
	}
}

// Reports of the transport that come after an exchange was given up touch neither
// its figures nor those of the call's next use. The race detector says whether.
func TestLateReportsAreNotOurs(t *testing.T) {
	base, _ := handle(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(len(r.URL.RawQuery)%5) * 300 * time.Microsecond)
	})
	d := NewStd(base, base.Host, nil, nil)
	defer d.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 60 {
				c := get("/?" + strings.Repeat("x", i))
				c.Timeout = time.Duration(1+i%6) * 200 * time.Microsecond
				d.Do(context.Background(), c)
				c.Reused = !c.Reused
				_ = c.Class
			}
		})
	}
	all.Wait()
}
