package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// A run sends numbered requests, so many each second: the n-th is due n/rate s after
// the start.
const rate = 40

func scenario(seconds int) string {
	return fmt.Sprintf(`name: numbered
about: numbered requests
arrivals: {rate: %d/s, run_for: %ds}
journeys:
  - name: j
    tasks:
      - {name: number, get: "/live?n={{seq}}", anonymous: true}
targets:
  - errors < 1%%
`, rate, seconds)
}

// due is when request n is, from the start of the run.
func due(n int) time.Duration { return time.Duration(n) * time.Second / rate }

// counting is the reference API behind a proxy that remembers each numbered request,
// at the address at which the pods see this machine.
type counting struct {
	api *stack.Stack
	url string

	mu   sync.Mutex
	seen map[int]int
	last time.Time
}

func serve(t *testing.T, m *machine) *counting {
	t.Helper()
	st, err := local.Embedded{Binary: m.vitals, Accounts: 16, LogFile: m.dir + "/api.log"}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &counting{api: st, seen: map[int]int{}}
	l, err := net.Listen("tcp", net.JoinHostPort(bridge, "0"))
	if err != nil {
		t.Fatal(err)
	}
	c.url = "http://" + l.Addr().String()
	proxy := httputil.NewSingleHostReverseProxy(st.URL)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil {
			c.mu.Lock()
			c.seen[n]++
			c.last = time.Now()
			c.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); _ = st.Close(t.Context()) })
	return c
}

// accounts is the file that the members' secret holds.
func (c *counting) accounts() string {
	var text strings.Builder
	text.WriteString("email,password\n")
	for _, a := range c.api.Accounts {
		fmt.Fprintf(&text, "%s,%s\n", a.Email, a.Password)
	}
	return text.String()
}

// forget begins anew, for the next run.
func (c *counting) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.seen)
}

// requests are how many came, and how many of them were distinct.
func (c *counting) requests() (all, distinct int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.seen {
		all += n
	}
	return all, len(c.seen)
}

// within is how many distinct requests came that were due in a time.
func (c *counting) within(from, to time.Duration) (n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.seen {
		if at := due(i); at >= from && at < to {
			n++
		}
	}
	return n
}
