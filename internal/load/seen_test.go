package load

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

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

// Whoever watches is told of every request that the server gets: sign-ins before
// the window, refreshes and sign-outs among them, with whose credential it was.
func TestEveryRequestIsSeen(t *testing.T) {
	c := newClinic(t, &clinic{limit: 30, expires: renewBefore + 300*time.Millisecond})
	l := constant(scenarios.Users, 4, 700*time.Millisecond)
	l.SignIn, l.Share = scenarios.Before, 2
	sc := patients(l, 5*time.Millisecond, 28)
	sc.Journeys[0].Tasks[0].Steps[0].Path += "?page=1"
	w := &watcher{}
	began := time.Now()
	carry(t, sc, Options{Base: c.base, Accounts: accounts(60), Seen: w.see,
		Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 7, byte(1 + n)}) }, Forward: true})
	if len(w.seen) != len(c.from) {
		t.Errorf("got %d requests seen, the server saw %d", len(w.seen), len(c.from))
	}
	for step, route := range map[string]string{"sign in": "/login", "sign out": "/logout", "refresh": "/refresh", "list": "/items", "use": "/items/{{id}}"} {
		seen := w.of(step)
		if len(seen) == 0 {
			t.Errorf("%s: never seen", step)
		}
		for _, x := range seen {
			if x.Route != route || strings.HasPrefix(x.User, "p0") != (step != "refresh") || !x.From.Is4() || x.Done.Before(x.Sent) || x.Sent.Before(began) || time.Since(x.Done) > time.Minute {
				t.Errorf("%s: got %+v, want route %s, a user, an address and times of now", step, x, route)
				break
			}
			if x.Unsure != (step == "sign out" || step == "refresh") || x.Remaining != -1 || x.Status/100 != 2 {
				t.Errorf("%s: got unsure %v, remaining %d, status %d", step, x.Unsure, x.Remaining, x.Status)
				break
			}
		}
	}
}

// A token that a journey saved itself is somebody's, nobody knows whose.
func TestWhoseTokenIsSeen(t *testing.T) {
	c := newClinic(t, &clinic{})
	own := map[string]string{"token": "json:access_token"}
	sc := single(turn(),
		scenarios.Step{Name: "open", Path: "/items", Anonymous: true},
		scenarios.Step{Name: "own sign in", Method: "POST", Path: "/login", Anonymous: true, Save: own, Body: `{"email":"x","password":"pass word"}`, Expect: scenarios.Expect{Status: []int{200}}},
		scenarios.Step{Name: "signed", Path: "/items"},
		scenarios.Step{Name: "by header", Path: "/items", Anonymous: true, Header: map[string]string{"authorization": "Bearer {{token}}"}},
	)
	sc.Journeys[0].Tasks[0].Steps[0].Expect = scenarios.Expect{Status: []int{401}}
	w := &watcher{}
	carry(t, sc, Options{Base: c.base, Seen: w.see})
	for step, signed := range map[string]bool{"open": false, "own sign in": false, "signed": true, "by header": true} {
		if seen := w.of(step); len(seen) != 1 || seen[0].Signed != signed || seen[0].User != "" {
			t.Errorf("%s: got %+v, want one with signed %v and no user", step, seen, signed)
		}
	}
}

// Steps in code may send several requests; each is told, the step is not.
func TestRequestsOfCodeAreSeen(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {})
	w := &watcher{}
	sc := single(turn(), scenarios.Step{Name: "twice", Path: "/none"})
	carry(t, sc, Options{Base: base, Seen: w.see, Code: map[string]Func{"twice": func(ctx context.Context, v *Visit) (int, error) {
		v.Send(ctx, Request{Path: "/one?x=1", Policy: "p"})
		return v.Send(ctx, Request{Method: "POST", Path: "/two", User: "u"}).Code, nil
	}}})
	if len(w.seen) != 2 || w.seen[0].Route != "/one" || w.seen[0].Policy != "p" || w.seen[1].Method != "POST" || w.seen[1].User != "u" {
		t.Errorf("got %+v, want both requests", w.seen)
	}
}

func TestClientIsSeen(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
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
	_, _ = c.Send(t.Context(), Request{Path: "/cut", Header: map[string]string{"Authorization": "Bearer x"}})
	before := time.Now()
	if _, _, err := c.Burst(t.Context(), []Request{{Method: "POST", Path: "/login", Body: []byte("{}")}, {Path: "/login"}}); err != nil && len(w.seen) < 4 {
		t.Fatal(err)
	}
	if len(w.seen) != 4 {
		t.Fatalf("got %d, want 4", len(w.seen))
	}
	x := w.seen[0]
	if x.Step != "POST /login" || x.Route != "/login" || x.From != from || x.Policy != "login" || x.User != "a" || x.Signed || string(x.Counted) != "login" ||
		x.Status != 401 || x.Limit != 5 || x.Remaining != 4 || x.Window != 300 || x.RetryAfter != -1 || string(x.ID) != "id-1" {
		t.Errorf("got %+v", x)
	}
	if x := w.seen[1]; x.Status != 0 || x.Class == measure.None || !x.Signed || x.User != "" || x.ID != nil || x.Limit != -1 {
		t.Errorf("got %+v, want no answer", x)
	}
	// The head of a request with a body is with the server before the burst.
	if x := w.seen[2]; x.Sent.Before(before) || x.Sent.After(w.seen[3].Sent) {
		t.Errorf("got sent %s, want between %s and %s", x.Sent, before, w.seen[3].Sent)
	}
	dead := NewClient(nowhereURL, false, time.Second)
	defer dead.Close()
	dead.Watch(w.see)
	_, _, _ = dead.Burst(t.Context(), make([]Request, 3))
	if len(w.seen) != 7 || w.seen[6].Status != 0 || w.seen[6].Class == measure.None {
		t.Errorf("got %d, want the three of a burst that was not released", len(w.seen))
	}
}
