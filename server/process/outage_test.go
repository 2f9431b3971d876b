package process

import (
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/server/store/storetest"
)

// breaker passes connections on to a database until it is cut, which closes
// them all and refuses new ones, as a stopped server does.
type breaker struct {
	net.Listener
	dial func() (net.Conn, error)

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	wg    sync.WaitGroup
}

func newBreaker(t *testing.T, dial func() (net.Conn, error)) *breaker {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaker{Listener: l, dial: dial}
	b.wg.Go(b.accept)
	t.Cleanup(func() { _ = l.Close(); b.set(true); b.wg.Wait() })
	return b
}

func (b *breaker) accept() {
	for {
		in, err := b.Accept()
		if err != nil {
			return
		}
		out, err := b.dial()
		b.mu.Lock()
		if err != nil || b.cut {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			b.mu.Unlock()
			continue
		}
		b.conns = append(b.conns, in, out)
		b.mu.Unlock()
		b.wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		b.wg.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	}
}

func (b *breaker) set(cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = cut
	if cut {
		for _, c := range b.conns {
			_ = c.Close()
		}
		b.conns = nil
	}
}

// A stopped database makes the service not ready, within the probe's time and
// without a word about why; liveness, health and locks do not change, and it
// comes back by itself (probes HL4, HL5, LK26).
func TestDatabaseOutage(t *testing.T) {
	u, err := url.Parse(storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	network, addr := "tcp", u.Host
	if dir := u.Query().Get("host"); dir != "" {
		network, addr = "unix", dir+"/.s.PGSQL."+cmp.Or(u.Query().Get("port"), "5432")
	}
	b := newBreaker(t, func() (net.Conn, error) { return net.Dial(network, addr) })
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = b.Addr().String(), q.Encode()
	cfg := testConfig(t, "DATABASE_URL="+u.String(), "DB_CONNECT_TIMEOUT=2")
	seed(t, cfg, 2)
	s := startLive(t, cfg)
	c := from(t, "127.0.0.66")
	access := accessToken(t, c, s.url(), 1)

	b.set(true)
	eventually(t, "not ready", func() bool { return ask(t, c, "GET", s.url()+"/ready", "").StatusCode == 503 })
	began := time.Now()
	a := ask(t, c, "GET", s.url()+"/ready", "")
	var ready struct {
		Checks struct{ Database, Config bool }
	}
	if err := json.Unmarshal([]byte(a.Text), &ready); err != nil || ready.Checks.Database || !ready.Checks.Config {
		t.Errorf("got %s, want the database false and the configuration true", a.Text)
	}
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("/ready took %v, want at most 1.5 s", took)
	}
	for _, path := range []string{"/live", "/health"} {
		if a := ask(t, c, "GET", s.url()+path, ""); a.StatusCode != 200 {
			t.Errorf("%s: got %d, want 200", path, a.StatusCode)
		}
	}
	for range 10 {
		a := login(t, c, s.url(), patient(1), seedSecret)
		if a.StatusCode != 503 && a.StatusCode != 500 {
			t.Errorf("sign-in without a database: got %d %s, want our failure", a.StatusCode, a.Text)
		}
		for _, leak := range []string{"127.0.0.1", "postgres", "SQL", "dial", "refused", u.Host} {
			if strings.Contains(a.Text, leak) {
				t.Errorf("the answer shows %q: %s", leak, a.Text)
			}
		}
	}
	if a := ask(t, c, "GET", s.url()+"/api/v1/auth/me", "", "Authorization: Bearer "+access); a.StatusCode < 500 {
		t.Errorf("API without a database: got %d", a.StatusCode)
	}
	b.set(false)
	began = time.Now()
	eventually(t, "ready again", func() bool { return ask(t, c, "GET", s.url()+"/ready", "").StatusCode == 200 })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("back after %v, want at most 5 s", took)
	}
	if a := login(t, c, s.url(), patient(1), seedSecret); a.StatusCode != 200 {
		t.Errorf("sign-in after the outage: got %d, want 200: our failures lock nobody out", a.StatusCode)
	}
}
