package wire

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// awkward is a server that plays a script on every connection.
type awkward struct {
	listener net.Listener
	mu       sync.Mutex
	requests []string // request lines seen, in order
}

// peer is the server's end of one connection.
type peer struct {
	net.Conn
	r *bufio.Reader
	s *awkward
}

// next reads one request and returns its body length; false when the client is gone.
func (p *peer) next() (*http.Request, bool) {
	req, err := http.ReadRequest(p.r)
	if err != nil {
		return nil, false
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.requests = append(p.s.requests, req.Method+" "+req.RequestURI)
	return req, true
}

func (p *peer) say(parts ...string) {
	for i, part := range parts {
		if i > 0 {
			time.Sleep(3 * time.Millisecond) // so that the parts arrive apart
		}
		if _, err := p.Write([]byte(part)); err != nil {
			return
		}
	}
}

// reset closes with RST instead of FIN.
func (p *peer) reset() {
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	_ = p.Close()
}

func (s *awkward) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func serve(t testing.TB, script func(p *peer)) *awkward {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &awkward{listener: l}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				script(&peer{Conn: c, r: bufio.NewReader(c), s: s})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return s
}

func (s *awkward) url() *url.URL { return &url.URL{Scheme: "http", Host: s.listener.Addr().String()} }

// doers are both clients for the address.
func doers(t testing.TB, base *url.URL) map[string]Doer {
	t.Helper()
	m := map[string]Doer{"raw": NewRaw(base.Host, nil), "std": NewStd(base, base.Host, nil, nil)}
	for _, d := range m {
		t.Cleanup(d.Close)
	}
	return m
}

func get(path string) *Call {
	return &Call{Method: "GET", Path: []byte(path), Timeout: 2 * time.Second, Keep: 1 << 20}
}
