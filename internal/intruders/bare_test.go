package intruders_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vitals/internal/intruders"
	"vitals/scenarios"
)

// pipes is a listener whose connections are put into it.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// behind puts a server behind a door's bare connections; the returned func ends it.
func behind(d *door, s *http.Server) func() {
	l := make(pipes)
	d.serve = func(c net.Conn) { l <- c }
	go func() { _ = s.Serve(l) }()
	return func() { close(l); _ = s.Close() }
}

// sized answers a body as its limit says; 0 is none.
func sized(limit int64, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if limit > 0 {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(status)
	}
}

func TestBareConnections(t *testing.T) {
	trickle := scenarios.Intruder{Name: "slow", Kind: scenarios.Slowloris, Addresses: 2, Connections: 5, Every: time.Second}
	kept := trickle
	kept.During = "attacked" // opened anew as long as the phase lasts
	bodies := scenarios.Intruder{Name: "big", Kind: scenarios.OversizedBody, Addresses: 2, Bodies: 2, Every: time.Second}
	const head, body = 5 * time.Second, 15 * time.Second
	for _, c := range []struct {
		name string
		in   scenarios.Intruder
		http *http.Server
		raw  func(net.Conn) // instead
		want map[string]float64
		n    int64
	}{
		{name: "cut", in: trickle, http: &http.Server{ReadHeaderTimeout: head, ReadTimeout: body}, want: map[string]float64{"intruders.open": 0}, n: 5},
		{name: "cut again", in: kept, http: &http.Server{ReadHeaderTimeout: head, ReadTimeout: body}, want: map[string]float64{"intruders.open": 0}, n: 3*6 + 2*2},
		{name: "no bound on heads", in: trickle, http: &http.Server{ReadTimeout: body, ReadHeaderTimeout: time.Minute}, want: map[string]float64{"intruders.open": 3}, n: 5},
		{name: "no bound", in: trickle, http: &http.Server{}, want: map[string]float64{"intruders.open": 5}, n: 5},
		{name: "nobody there", in: trickle},

		{name: "413", in: bodies, http: &http.Server{Handler: sized(64<<10, 200)}, want: map[string]float64{"intruders.leaked": 0, "intruders.wrong": 0, "intruders.open": 0}, n: 4},
		{name: "taken", in: bodies, http: &http.Server{Handler: sized(0, 200)}, want: map[string]float64{"intruders.leaked": 4, "intruders.wrong": 0, "intruders.open": 4}, n: 4},
		{name: "judged", in: bodies, http: &http.Server{Handler: sized(0, 401)}, want: map[string]float64{"intruders.leaked": 0, "intruders.wrong": 4, "intruders.open": 4}, n: 4},
		{name: "broken", in: bodies, http: &http.Server{Handler: sized(0, 500)}, want: map[string]float64{"intruders.leaked": 0, "intruders.wrong": 4, "intruders.open": 4}, n: 4},
		{name: "shed", in: bodies, http: &http.Server{Handler: sized(0, 503)}},
		{name: "hung up", in: bodies, raw: func(c net.Conn) { _ = c.Close() }, want: map[string]float64{"intruders.leaked": 0, "intruders.wrong": 0, "intruders.open": 0}, n: 4},
		{name: "read on", in: bodies, raw: readsOn, want: map[string]float64{"intruders.leaked": 4, "intruders.wrong": 0, "intruders.open": 0}, n: 4},
	} {
		t.Run(c.in.Kind+"/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor("")
				switch {
				case c.raw != nil:
					d.serve = c.raw
				case c.http != nil:
					if c.http.Handler == nil {
						c.http.Handler = sized(0, 200)
					}
					defer behind(d, c.http)()
				}
				attacks, facts, samples := assault(t, d, c.in)
				for _, name := range []string{"intruders.leaked", "intruders.wrong", "intruders.open"} {
					f, ok := facts[name]
					want, due := c.want[name]
					if ok != due || f.Value != want || ok && f.N != c.n {
						t.Errorf("%s: got %g, n %d (there: %t), want %g, n %d (there: %t)", name, f.Value, f.N, ok, want, c.n, due)
					}
				}
				if note := facts["intruders.leaked"].Note; c.name == "taken" && note != "4 bodies that are too large were taken" {
					t.Errorf("got the note %q", note)
				}
				for _, s := range samples {
					if bad := c.want["intruders.leaked"]+c.want["intruders.wrong"]+c.want["intruders.open"] > 0; !s.OK && !bad && c.want != nil {
						t.Errorf("status %d after %s: not as expected", s.Code, s.Service())
					}
				}
				t.Log(strings.Join(intruders.Told(attacks), "\n"))
			})
		})
	}
}

// readsOn refuses a body by its length, and takes what follows for requests, as a
// server does that forgets what it has not read.
func readsOn(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for range 2 {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "POST ") {
				break
			}
		}
		if _, err := io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}
