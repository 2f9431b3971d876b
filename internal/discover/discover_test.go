package discover_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vitals/internal/discover"
	"vitals/internal/profile"
)

// planted is a server whose limit is known.
type planted struct {
	kind    string // fixed, aligned, sliding, bucket, lockout
	limit   int
	window  time.Duration // 0 = none
	lock    time.Duration
	counts  string
	by      string
	status  int
	headers profile.Form
	retry   bool

	mu   sync.Mutex
	keys map[string]*counted
}

type counted struct {
	at     []time.Time // what counts
	tokens float64
	filled time.Time
	until  time.Time // locked
}

// serve judges one sign-in.
func (p *planted) serve(host, email, password string) discover.Answer {
	right := password == "right"
	var keys []string
	switch p.by {
	case profile.ByAddress:
		keys = []string{host}
	case profile.ByAccount:
		keys = []string{email}
	case profile.ByPair:
		keys = []string{host + " " + email}
	case profile.ByBoth:
		keys = []string{host, email}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	a := discover.Answer{Sent: now, Done: now, Header: map[string]string{}, Status: http.StatusOK}
	wait := time.Duration(0)
	for _, k := range keys {
		wait = max(wait, p.wait(p.key(k), now))
	}
	switch p.headers {
	case profile.XRateLimit:
		a.Header["X-Ratelimit-Limit"] = fmt.Sprint(p.limit)
	case profile.IETF:
		a.Header["Ratelimit-Policy"] = fmt.Sprintf(`"login";q=%d;w=%d`, p.limit, int(p.window.Seconds()))
	}
	if wait > 0 {
		a.Status, a.Told = p.status, p.retry
		if p.retry {
			a.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
		}
		return a
	}
	if !right || p.counts == profile.Requests {
		for _, k := range keys {
			p.count(p.key(k), now)
		}
	}
	if !right {
		a.Status = http.StatusUnauthorized
	}
	return a
}

func (p *planted) key(k string) *counted {
	if p.keys[k] == nil {
		p.keys[k] = &counted{tokens: float64(p.limit), filled: time.Now()}
	}
	return p.keys[k]
}

// wait is how long one must wait; 0 = judged.
func (p *planted) wait(c *counted, now time.Time) time.Duration {
	switch p.kind {
	case "lockout":
		return max(0, c.until.Sub(now))
	case "bucket":
		c.tokens = min(float64(p.limit), c.tokens+now.Sub(c.filled).Seconds()*float64(p.limit)/p.window.Seconds())
		c.filled = now
		if c.tokens < 1 {
			return time.Duration((1 - c.tokens) * p.window.Seconds() / float64(p.limit) * float64(time.Second))
		}
		return 0
	case "fixed":
		if len(c.at) > 0 && now.Sub(c.at[0]) >= p.window {
			c.at = nil
		}
		if len(c.at) >= p.limit {
			return c.at[0].Add(p.window).Sub(now)
		}
	case "whole seconds": // as of a server whose clock has no others
		if len(c.at) > 0 && time.Duration(now.Unix()-c.at[0].Unix())*time.Second >= p.window {
			c.at = nil
		}
		if len(c.at) >= p.limit {
			return time.Second
		}
	case "aligned":
		start := now.Truncate(p.window)
		c.at = slices.DeleteFunc(c.at, func(t time.Time) bool { return t.Before(start) })
		if len(c.at) >= p.limit {
			return start.Add(p.window).Sub(now)
		}
	case "sliding":
		c.at = slices.DeleteFunc(c.at, func(t time.Time) bool { return now.Sub(t) >= p.window })
		if len(c.at) >= p.limit {
			return c.at[0].Add(p.window).Sub(now)
		}
	}
	return 0
}

func (p *planted) count(c *counted, now time.Time) {
	switch p.kind {
	case "bucket":
		c.tokens--
		return
	case "lockout":
		if p.window > 0 {
			c.at = slices.DeleteFunc(c.at, func(t time.Time) bool { return now.Sub(t) >= p.window })
		}
		if c.at = append(c.at, now); len(c.at) >= p.limit {
			c.until, c.at = now.Add(p.lock), nil
		}
		return
	}
	c.at = append(c.at, now)
}

// On servers whose limit is known, discovery says what it is, or that it cannot tell;
// never anything else.
func TestPlanted(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	var addresses atomic.Uint32
	kinds := map[string]string{"fixed": discover.FixedWindow, "aligned": discover.FixedWindow, "whole seconds": discover.FixedWindow, "sliding": discover.SlidingLog, "bucket": discover.TokenBucket, "lockout": discover.Lockout}
	right, told := atomic.Int32{}, atomic.Int32{}
	plants := []*planted{
		{kind: "fixed", limit: 5, window: 3 * s, counts: "requests", by: "address", status: 429, headers: "none"},
		{kind: "fixed", limit: 10, window: 2 * s, counts: "failures", by: "account", status: 429, headers: "x-ratelimit", retry: true},
		{kind: "fixed", limit: 3, window: 4 * s, counts: "failures", by: "pair", status: 403, headers: "none"},
		{kind: "fixed", limit: 20, window: 3 * s, counts: "requests", by: "both", status: 429, headers: "ietf", retry: true},
		{kind: "whole seconds", limit: 5, window: 20 * s, counts: "requests", by: "address", status: 429, headers: "none"},
		{kind: "whole seconds", limit: 5, window: 30 * s, counts: "requests", by: "address", status: 429, headers: "none"},
		{kind: "aligned", limit: 5, window: 4 * s, counts: "requests", by: "address", status: 429, headers: "none"},
		{kind: "aligned", limit: 8, window: 3 * s, counts: "failures", by: "account", status: 429, headers: "ietf", retry: true},
		{kind: "sliding", limit: 5, window: 3 * s, counts: "requests", by: "address", status: 429, headers: "x-ratelimit", retry: true},
		{kind: "sliding", limit: 4, window: 2 * s, counts: "failures", by: "account", status: 429, headers: "none"},
		{kind: "sliding", limit: 12, window: 3 * s, counts: "failures", by: "both", status: 429, headers: "none", retry: true},
		{kind: "sliding", limit: 6, window: 4 * s, counts: "failures", by: "pair", status: 423, headers: "ietf"},
		{kind: "bucket", limit: 5, window: 5 * s, counts: "requests", by: "address", status: 429, headers: "none", retry: true},
		{kind: "bucket", limit: 10, window: 10 * s, counts: "requests", by: "account", status: 429, headers: "x-ratelimit"},
		{kind: "bucket", limit: 4, window: 6 * s, counts: "failures", by: "both", status: 503, headers: "none"},
		{kind: "lockout", limit: 5, window: 4 * s, lock: 3 * s, counts: "failures", by: "address", status: 429, headers: "x-ratelimit", retry: true},
		{kind: "lockout", limit: 5, lock: 3 * s, counts: "failures", by: "account", status: 423, headers: "none"},
		{kind: "lockout", limit: 3, window: 2 * s, lock: 4 * s, counts: "failures", by: "both", status: 403, headers: "none"},
		{kind: "lockout", limit: 4, lock: 2 * s, counts: "failures", by: "pair", status: 429, headers: "ietf", retry: true},
		{kind: "lockout", limit: 10, window: 6 * s, lock: 2 * s, counts: "requests", by: "address", status: 429, headers: "none"},
		{kind: "lockout", limit: 6, window: 3 * s, lock: 3 * s, counts: "failures", by: "account", status: 423, headers: "none", retry: true},
		{kind: "none", limit: 1000, counts: "failures", by: "address", status: 429, headers: "none"},
	}
	for i, p := range plants {
		t.Run(fmt.Sprintf("%d %s %d %v %v by %s", i, p.kind, p.limit, p.window, p.lock, p.by), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p.keys = map[string]*counted{}
				f, err := discover.Run(t.Context(), discover.Options{
					Patience: time.Hour,
					Try: func(_ context.Context, from netip.Addr, account, password string) (discover.Answer, error) {
						return p.serve(from.String(), account, password), nil
					},
					Address: func() netip.Addr {
						n := addresses.Add(1)
						return netip.AddrFrom4([4]byte{127, 60 + byte(n>>16), byte(n >> 8), byte(n)})
					},
					Accounts: []discover.Account{{Email: "a@example.com", Password: "right"}},
				})
				if err != nil {
					t.Fatalf("%v (%+v)", err, f)
				}
				if p.kind == "none" {
					if f.Limited || f.Requests > 70 {
						t.Errorf("got %+v, want no limit", f)
					}
					return
				}
				l := f.Limit
				wrong := func(what string, got, want any) {
					t.Errorf("%s: got %v, want %v (unknown: %q, notes: %q)", what, got, want, f.Unknown, f.Notes)
				}
				cannot := func(what string) bool {
					return slices.ContainsFunc(f.Unknown, func(u string) bool { return strings.HasPrefix(u, what) })
				}
				if l.Limit != p.limit {
					wrong("limit", l.Limit, p.limit)
				}
				if l.By != p.by {
					wrong("by", l.By, p.by)
				}
				if l.Counts != p.counts {
					wrong("counts", l.Counts, p.counts)
				}
				if l.Status() != p.status {
					wrong("status", l.Status(), p.status)
				}
				if l.Headers != string(p.headers) || f.Retry != p.retry {
					wrong("headers", l.Headers, p.headers)
				}
				if f.Kind != kinds[p.kind] && !(f.Kind == "" && cannot("kind")) {
					wrong("kind", f.Kind, kinds[p.kind])
				}
				near := func(a, b time.Duration) bool { return a >= b*85/100 && a <= b*115/100 }
				if p.kind == "whole seconds" && l.Window != p.window {
					wrong("window", l.Window, p.window)
				}
				if !near(l.Window, p.window) && !cannot("window") && !cannot("kind") {
					wrong("window", l.Window, p.window)
				}
				if !near(l.Lock, p.lock) && !cannot("kind") {
					wrong("lock", l.Lock, p.lock)
				}
				if len(f.Unknown) > 0 {
					told.Add(1)
				} else {
					right.Add(1)
				}
				t.Logf("%d requests, %v: %s%s", f.Requests, f.Took.Round(100*ms), f.Lines(), f.Sentence())
			})
		})
	}
	if n := told.Load(); n > 4 {
		t.Errorf("%d of %d could not be told", n, len(plants))
	}
}

// What was found before an interruption is kept, and how long it takes is said.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &planted{kind: "fixed", limit: 5, window: 5 * time.Minute, counts: "failures", by: "address", status: 429, headers: "none", retry: true, keys: map[string]*counted{}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var n byte
		var said []string
		f, err := discover.Run(ctx, discover.Options{
			Try: func(_ context.Context, from netip.Addr, account, password string) (discover.Answer, error) {
				return p.serve(from.String(), account, password), nil
			},
			Address: func() netip.Addr { n++; return netip.AddrFrom4([4]byte{127, 60, 0, n}) },
			Say:     func(words string) { said = append(said, words) },
		})
		if err == nil || !f.Limited || f.Limit.Limit != 5 || f.Limit.By != "address" || !strings.Contains(f.Lines(), "# cannot tell the rest: interrupted after 1m0s") {
			t.Errorf("got %v and\n%s", err, f.Lines())
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, "all of it takes about 20m0s") {
			t.Errorf("got %q, want how long it takes", all)
		}
	})
}

// Sign-ins travel as the profile has them, from the address that was asked for.
func TestOver(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what was read is compared below
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		got = r.Method + " " + r.URL.Path + " " + string(body) + " " + host + " " + r.Header.Get("X-Region")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusLocked)
	}))
	defer srv.Close()
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	pr, err := profile.Read(strings.NewReader(`{profile: p, operations: {login: {method: PUT, path: /in, form: true, header: {X-Region: north}, body: {mail: "{{email}}", word: "{{password}}"}}}}`), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	try, err := discover.Over(base, pr, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := try(t.Context(), netip.MustParseAddr("127.60.1.2"), "a@b.example", "w")
	if err != nil || a.Status != http.StatusLocked || !a.Told || a.RetryAfter != 7*time.Second {
		t.Errorf("got %+v, %v", a, err)
	}
	if want := "PUT /in mail=a%40b.example&word=w 127.60.1.2 north"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What was found can be pasted: the lines are a profile's.
func TestLinesAreAProfile(t *testing.T) {
	f := discover.Found{Limited: true, Retry: true, Limit: profile.Limit{Limit: 5, Window: 300 * time.Second, Lock: 900 * time.Second, Counts: "failures", By: "address", Statuses: []int{423, 429}, Headers: "none"}}
	p, err := profile.Read(strings.NewReader("profile: p\noperations: {}\nlimits:\n"+f.Lines()), "p.yaml")
	if err != nil || !slices.Equal(p.Limits["login"].Statuses, f.Limit.Statuses) || p.Limits["login"].Lock != f.Limit.Lock {
		t.Errorf("got %+v, %v of\n%s", p, err, f.Lines())
	}
	want := "After 5 failed sign-ins from one client address within 5 minutes, further ones are refused with 423 for 15 minutes; Retry-After tells how long to wait."
	if got := f.Sentence(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
