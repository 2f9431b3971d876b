package wire

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
)

func TestClientSendsFromAChosenAddress(t *testing.T) {
	base, log := handle(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		w.Header().Set("X-From", host+"/"+r.Header.Get("X-Forwarded-For"))
		w.WriteHeader(401)
		_, _ = fmt.Fprint(w, `{"code":"invalid_credentials"}`)
	})
	from := netip.MustParseAddr("127.0.3.9")
	for forward, want := range map[bool]string{false: "127.0.3.9/", true: "127.0.0.1/127.0.3.9"} {
		c := NewClient(base, forward, 0)
		a, err := c.Send(t.Context(), Request{Method: "POST", Path: "/login", Body: []byte("{}"), From: from, Header: http.Header{"Content-Type": {"application/json"}}})
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != 401 || a.Header.Get("X-From") != want || string(a.Body) != `{"code":"invalid_credentials"}` || a.Class != measure.None {
			t.Errorf("forward %v: got %+v, want 401 seen from %s", forward, a, want)
		}
		if !a.Done.After(a.Sent) || time.Since(a.Sent) > time.Minute {
			t.Errorf("got times %s and %s, want now", a.Sent, a.Done)
		}
	}
	if len(log()) != 2 {
		t.Errorf("got %d requests, want 2", len(log()))
	}
}

func TestBurst(t *testing.T) {
	var mu sync.Mutex
	from := map[string]int{}
	base, _ := handle(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		mu.Lock()
		defer mu.Unlock()
		if from[host]++; from[host] > 5 {
			w.WriteHeader(429)
		}
	})
	c := NewClient(base, false, 0)
	defer c.Close()
	var requests []Request
	for i := range 50 {
		requests = append(requests, Request{Method: "POST", Path: "/login", Body: []byte(`{}`), From: netip.AddrFrom4([4]byte{127, 0, 4, byte(1 + i%2)})})
	}
	answers, spread, err := c.Burst(t.Context(), requests)
	if err != nil && !errors.Is(err, ErrSpread) {
		t.Fatal(err)
	}
	t.Logf("50 requests released in %s (%v)", spread, err)
	if (spread > 2*time.Millisecond) != errors.Is(err, ErrSpread) {
		t.Errorf("got spread %s and error %v, want the error past 2ms", spread, err)
	}
	codes := map[int]int{}
	for i, a := range answers {
		if a.Err != nil {
			t.Errorf("request %d: %v", i, a.Err)
		}
		codes[a.Status]++
		if i > 0 && a.Sent.Before(answers[i-1].Sent) {
			t.Errorf("request %d: got it released before the one before it", i)
		}
	}
	if codes[200] != 10 || codes[429] != 40 {
		t.Errorf("got %v, want 10 times 200 and 40 times 429: five of each address", codes)
	}
}

func TestBurstNeedsEveryConnection(t *testing.T) {
	c := NewClient(nowhere(t), false, time.Second)
	defer c.Close()
	_, _, err := c.Burst(t.Context(), make([]Request, 3))
	if err == nil || !strings.Contains(err.Error(), "request 1 of a burst of 3") {
		t.Errorf("got error %v, want the request that could not be prepared", err)
	}
}

// watcher keeps what it is told.
type watcher struct {
	mu   sync.Mutex
	seen []Seen
}

func (w *watcher) see(x *Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := *x
	kept.ID = append([]byte(nil), x.ID...)
	w.seen = append(w.seen, kept)
}

func (w *watcher) of(step string) (out []Seen) {
	for _, x := range w.seen {
		if x.Step == step {
			out = append(out, x)
		}
	}
	return out
}

// handle serves with a handler and lists the requests.
func handle(t testing.TB, h http.HandlerFunc) (base *url.URL, log func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.RequestURI)
		mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return base, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(seen) }
}

// nowhere is an address that refuses connections.
func nowhere(t testing.TB) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

func TestClientIsSeen(t *testing.T) {
	base, _ := handle(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
		h := w.Header()
		h.Set("X-RateLimit-Limit", "5")
		h["x-ratelimit-remaining"] = []string{"4"}
		h.Set("X-RateLimit-Window", "300")
		h.Set("X-RateLimit-Policy", "login")
		h.Set("X-Request-ID", "id-1")
		h.Set("Retry-After", "soon")
		w.WriteHeader(401)
	})
	w := &watcher{}
	c := NewClient(base, false, time.Second)
	defer c.Close()
	c.Watch(w.see)
	from := netip.MustParseAddr("127.0.3.9")
	_, _ = c.Send(t.Context(), Request{Method: "POST", Path: "/login?x", From: from, Policy: "login", User: "a"})
	_, _ = c.Send(t.Context(), Request{Path: "/cut", Header: http.Header{"Authorization": {"Bearer x"}}})
	before := time.Now()
	if _, _, err := c.Burst(t.Context(), []Request{{Method: "POST", Path: "/login", Body: []byte("{}")}, {Path: "/login"}}); err != nil && len(w.seen) < 4 {
		t.Fatal(err)
	}
	if len(w.seen) != 4 {
		t.Fatalf("got %d, want 4", len(w.seen))
	}
	x := w.seen[0]
	if x.Step != "POST /login" || x.Route != "/login" || x.From != from || x.Policy != "login" || x.User != "a" || x.Signed || string(x.Counted) != "login" ||
		x.Status != 401 || x.Limit != 5 || x.Remaining != 4 || x.Window != 300 || x.RetryAfter != -1 || string(x.Unread) != "soon" || string(x.ID) != "id-1" {
		t.Errorf("got %+v", x)
	}
	if x := w.seen[1]; x.Status != 0 || x.Class == measure.None || !x.Signed || x.User != "" || x.ID != nil || x.Limit != -1 {
		t.Errorf("got %+v, want no answer", x)
	}
	// The head of a request with a body is with the server before the burst.
	if x := w.of("POST /login")[1]; x.Sent.Before(before) || x.Sent.After(w.of("GET /login")[0].Sent) {
		t.Errorf("got sent %s, want between %s and %s", x.Sent, before, w.seen[3].Sent)
	}
	dead := NewClient(nowhere(t), false, time.Second)
	defer dead.Close()
	dead.Watch(w.see)
	_, _, _ = dead.Burst(t.Context(), make([]Request, 3))
	if len(w.seen) != 7 || w.seen[6].Status != 0 || w.seen[6].Class == measure.None {
		t.Errorf("got %d, want the three of a burst that was not released", len(w.seen))
	}
}

// A server may close a connection at the very moment at which a request is written
// to it. Whoever waits between requests dials anew.
func TestClientDialsAnewAfterAWait(t *testing.T) {
	base, _ := handle(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-From", r.RemoteAddr) })
	c := NewClient(base, false, 0)
	defer c.Close()
	ask := func() string { a, _ := c.Send(t.Context(), Request{}); return a.Header.Get("X-From") }
	first, second := ask(), ask()
	time.Sleep(rest + 20*time.Millisecond)
	if third := ask(); first != second || third == second || third == "" {
		t.Errorf("got connections %q, %q, and %q after a wait, want the third another one", first, second, third)
	}
}
