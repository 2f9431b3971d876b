package wire

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
)

// TestTroubleIsNamed breaks every stage of an exchange in turn.
func TestTroubleIsNamed(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := &url.URL{Scheme: "http", Host: free.Addr().String()}
	_ = free.Close()
	forever := func() { <-t.Context().Done() } // so nothing but the timeout ends the exchange
	slowHead := serve(t, func(p *peer) { p.next(); forever() })
	slowBody := serve(t, func(p *peer) {
		p.next()
		p.say(ok + "Content-Length: 10\r\n\r\nhello")
		forever()
	})
	deaf := serve(t, func(p *peer) { forever() })
	for _, tt := range []struct {
		name string
		base *url.URL
		body int
		want measure.Class
	}{
		{"refused", nobody, 0, measure.Connect},
		{"no such name", &url.URL{Scheme: "http", Host: "no-such-host.invalid:80"}, 0, measure.DNS},
		{"reads nothing", deaf.url(), 16 << 20, measure.TimeoutWrite},
		{"answers nothing", slowHead.url(), 0, measure.TimeoutAnswer},
		{"stops in the body", slowBody.url(), 0, measure.TimeoutBody},
	} {
		for name, d := range doers(t, tt.base) {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				c := get("/")
				c.Timeout = 150 * time.Millisecond
				if tt.body > 0 {
					c.Method, c.Body = "POST", make([]byte, tt.body)
				}
				d.Do(t.Context(), c)
				if c.Class != tt.want {
					t.Errorf("got class %s (%v), want %s", c.Class, c.Err, tt.want)
				}
			})
		}
	}
}

func TestTLSTroubleIsNamed(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	base, _ := url.Parse(s.URL)
	strict := &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12}
	for name, d := range map[string]Doer{
		"raw": NewRaw(base.Host, strict), "std": NewStd(base, base.Host, strict, nil),
	} {
		t.Run(name, func(t *testing.T) {
			defer d.Close()
			c := get("/")
			d.Do(t.Context(), c)
			if c.Class != measure.TLS {
				t.Errorf("got class %s (%v), want tls", c.Class, c.Err)
			}
		})
	}
}

// A kept-alive connection that dies under a request is a class of its own, and
// the request is not sent again: the server may have acted on it.
func TestResetOnReuseIsNotRetried(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for client := range map[string]bool{"raw": true, "std": true} {
			t.Run(method+"/"+client, func(t *testing.T) {
				s := serve(t, func(p *peer) {
					p.next()
					p.say(ok + "Content-Length: 0\r\n\r\n")
					p.next()
					p.reset()
				})
				d := doers(t, s.url())[client]
				for i, want := range []measure.Class{measure.None, measure.ResetReused} {
					c := get("/")
					c.Method, c.Lines = method, []byte("Idempotency-Key: 1\r\n")
					d.Do(t.Context(), c)
					if c.Class != want {
						t.Fatalf("request %d: got class %s (%v), want %s", i, c.Class, c.Err, want)
					}
				}
				if got := s.seen(); got != 2 {
					t.Errorf("got %d requests at the server, want 2", got)
				}
			})
		}
	}
}

// A server that closed an idle connection long ago costs no request.
func TestStaleConnectionIsNotUsed(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.next()
		p.say(ok + "Content-Length: 0\r\n\r\n")
	})
	for name, d := range doers(t, s.url()) {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				c := get("/")
				d.Do(t.Context(), c)
				if c.Class != measure.None {
					t.Fatalf("got class %s (%v), want none", c.Class, c.Err)
				}
				time.Sleep(2 * stale)
			}
		})
	}
}

// A refusal that comes before the request is whole is the answer.
func TestEarlyRefusalOfALargeBody(t *testing.T) {
	s := serve(t, func(p *peer) {
		_, _ = p.r.ReadString('\n')
		p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
		<-t.Context().Done() // a close before all is read would be a reset, which may lose the answer
	})
	for name, d := range doers(t, s.url()) {
		t.Run(name, func(t *testing.T) {
			c := get("/")
			c.Method, c.Body, c.Timeout = "POST", make([]byte, 16<<20), 20*time.Second
			d.Do(t.Context(), c)
			if c.Code != 413 || string(c.Answer) != "large" {
				t.Errorf("got %d %q (%s, %v), want 413", c.Code, c.Answer, c.Class, c.Err)
			}
		})
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	s := serve(t, func(p *peer) { p.next(); time.Sleep(time.Second) })
	for name, d := range doers(t, s.url()) {
		t.Run(name, func(t *testing.T) {
			go func() {
				time.Sleep(30 * time.Millisecond)
				d.Close()
			}()
			c := get("/")
			began := time.Now()
			d.Do(t.Context(), c)
			if c.Class != measure.Cancelled || time.Since(began) > 500*time.Millisecond {
				t.Errorf("got class %s after %s, want cancelled at once", c.Class, time.Since(began))
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if d.Do(ctx, c); c.Class != measure.Cancelled {
				t.Errorf("after its end: got class %s, want cancelled", c.Class)
			}
		})
	}
}

func TestSourceAddress(t *testing.T) {
	from := make(chan string, 2)
	s := serve(t, func(p *peer) {
		host, _, _ := net.SplitHostPort(p.RemoteAddr().String())
		from <- host
		once(ok + "Content-Length: 0\r\n\r\n")(p)
	})
	for name, d := range doers(t, s.url()) {
		t.Run(name, func(t *testing.T) {
			c := get("/")
			c.From = netip.MustParseAddr("127.0.9.7")
			d.Do(t.Context(), c)
			if c.Err != nil && strings.Contains(c.Err.Error(), "assign requested address") {
				t.Skip("this system has one loopback address only; add an alias for 127.0.9.7 to run this")
			}
			if got := <-from; got != "127.0.9.7" {
				t.Errorf("got a request from %s, want 127.0.9.7", got)
			}
		})
	}
}

// What was promised for the hot path: no garbage at all.
func TestWarmCallAllocatesNothing(t *testing.T) {
	s := serve(t, func(p *peer) {
		buf, answer := make([]byte, 4096), []byte(ok+"Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}")
		for {
			if _, err := p.Read(buf); err != nil {
				return
			}
			if _, err := p.Write(answer); err != nil {
				return
			}
		}
	})
	d := NewRaw(s.url().Host, nil)
	defer d.Close()
	c := get("/")
	c.Lines = []byte("User-Agent: vitals\r\n")
	ctx := t.Context()
	got := testing.AllocsPerRun(500, func() { d.Do(ctx, c) })
	if c.Class != measure.None {
		t.Fatal(c.Err)
	}
	if got != 0 {
		t.Errorf("got %v allocations per call, want 0", got)
	}
}

// A new origin moves no deadline: one that was set before it would end requests
// early, and the server would be blamed for their silence.
func TestANewOriginMovesNoDeadline(t *testing.T) {
	s := serve(t, func(p *peer) {
		for {
			if _, ok := p.next(); !ok {
				return
			}
			time.Sleep(300 * time.Millisecond)
			p.say("HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	raw := NewRaw(s.listener.Addr().String(), nil)
	defer raw.Close()
	call := func() *Call {
		c := &Call{Method: "GET", Path: []byte("/"), Timeout: 500 * time.Millisecond}
		raw.Do(t.Context(), c)
		return c
	}
	raw.Start(time.Now())
	if c := call(); c.Err != nil {
		t.Fatal(c.Err)
	}
	time.Sleep(50 * time.Millisecond)
	raw.Start(time.Now()) // both requests begin at the same offset
	if c := call(); c.Err != nil || !c.Reused {
		t.Errorf("got %v, reused %v; want an answer in time on the same connection", c.Err, c.Reused)
	}
}

// Resets of two connections, from two ports of ours, read alike.
func TestResetsAreToldAlike(t *testing.T) {
	s := serve(t, func(p *peer) { p.next(); p.reset() })
	for name, d := range doers(t, s.url()) {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				c := get("/")
				d.Do(t.Context(), c)
				if c.Err == nil || Plain(c.Err) != "read: connection reset by peer" {
					t.Errorf("got %v, in words %q", c.Err, Plain(c.Err))
				}
			}
		})
	}
}
