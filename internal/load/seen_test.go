package load

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/wire"
	"vitals/scenarios"
)

// watcher keeps what it is told.
type watcher struct {
	mu   sync.Mutex
	seen []wire.Seen
}

func (w *watcher) see(x *wire.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := *x
	kept.ID = append([]byte(nil), x.ID...)
	w.seen = append(w.seen, kept)
}

func (w *watcher) of(step string) (out []wire.Seen) {
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
