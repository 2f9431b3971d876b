package audit_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// shop has orders whose owner is a number, and is told what it does with fields that it
// did not ask for.
type shop struct {
	probe  string // that is to be run; "" = AU11
	mu     sync.Mutex
	orders map[int]map[string]any
	next   int

	guarded map[string]bool        // fields that a client cannot set; the rest is stored
	plain   map[string]any         // fields that every order has by itself
	echo    bool                   // answers to changes repeat the body, whatever was stored
	terse   bool                   // answers to changes hold the id alone
	silent  bool                   // me tells no id
	private bool                   // no answer shows the owner
	limit   int                    // of orders made, beyond which it answers 429; 0 = none
	own     map[int]map[string]any // more that orders have by who makes them
	wrapped bool                   // orders stand under data
	signIn  map[string]any         // more of the answer to a sign-in
	refuses int                    // status for a body with a guarded field; 0 = the field is left out
	bodies  []map[string]any
}

var shoppers = map[string]int{"ann@shop.example": 2, "bea@shop.example": 3}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	say := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	if r.URL.Path == "/in" {
		out := map[string]any{"access_token": "token-of-" + fmt.Sprint(body["mail"])}
		if s.signIn != nil {
			maps.Copy(out, s.signIn)
			out["user_id"] = shoppers[fmt.Sprint(body["mail"])]
		}
		say(200, out)
		return
	}
	who := shoppers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")]
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/orders/"))
	one := s.orders[id]
	refused := false
	for name := range body {
		refused = refused || s.refuses != 0 && s.guarded[name]
	}
	switch {
	case who == 0:
		say(401, nil)
	case refused:
		say(s.refuses, nil)
	case r.URL.Path == "/me" && s.silent:
		say(200, map[string]any{"role": "user"})
	case r.URL.Path == "/me":
		say(200, map[string]any{"id": who, "role": "user"})
	case r.URL.Path == "/orders" && r.Method == http.MethodGet:
		items := []any{}
		for _, o := range s.orders {
			if o["owner"] == any(who) {
				items = append(items, o)
			}
		}
		say(200, map[string]any{"items": items})
	case r.Method == http.MethodPost:
		if s.next++; s.limit > 0 && s.next > s.limit {
			say(429, nil)
			return
		}
		one = maps.Clone(s.plain)
		if one == nil {
			one = map[string]any{}
		}
		one["id"], one["owner"], one["at"] = s.next, who, strconv.Itoa(s.next/3)
		maps.Copy(one, s.own[who])
		s.orders[s.next] = one
		s.store(one, body)
		s.show(w, 201, one, body)
	case one == nil || one["owner"] != any(who):
		say(404, nil)
	case r.Method == http.MethodPatch:
		s.store(one, body)
		s.show(w, 200, one, body)
	case r.Method == http.MethodDelete:
		delete(s.orders, id)
		w.WriteHeader(204)
	default:
		s.show(w, 200, one, nil)
	}
}

func (s *shop) store(one, body map[string]any) {
	s.bodies = append(s.bodies, body)
	for name, v := range body {
		if n, ok := v.(float64); ok {
			v = int(n)
		}
		if name != "id" && !s.guarded[name] {
			one[name] = v
		}
	}
}

func (s *shop) show(w http.ResponseWriter, status int, one, body map[string]any) {
	out := maps.Clone(one)
	switch {
	case s.terse && body != nil:
		out = map[string]any{"id": one["id"]}
	case s.echo:
		maps.Copy(out, body)
	}
	if s.private {
		delete(out, "owner")
	}
	if s.wrapped {
		out = map[string]any{"data": out}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

// sold audits a shop by AU11; without are operations that its profile has not.
func sold(t *testing.T, s *shop, create string, lacks ...string) audit.Finding {
	t.Helper()
	s.orders = map[int]map[string]any{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	at, fields := "id", "{id: id}"
	if s.wrapped {
		at, fields = "data.id", "{id: data.id}"
	}
	u, _ := url.Parse(srv.URL)
	p, err := profile.Read(strings.NewReader(`profile: shop
promises: {objects: {private: true}}
operations:
  login: {method: POST, path: /in, body: {mail: "{{email}}", word: "{{password}}"}}
  me: {path: /me}
  list: {path: /orders}
  create: {method: POST, path: /orders, body: `+create+`, fields: {id: `+at+`}}
  get: {path: "/orders/{{id}}", fields: `+fields+`}
  update: {method: PATCH, path: "/orders/{{id}}", body: {note: "{{notes}}"}}
  delete: {method: DELETE, path: "/orders/{{id}}"}
`), "shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	without(lacks...)(p)
	g := &audit.Target{
		URL: u, Profile: p, Own: true,
		Accounts: []audit.Account{{Email: "ann@shop.example", Password: "Ann-0123456"}, {Email: "bea@shop.example", Password: "Bea-0123456"}},
		Source:   func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 41, byte(n >> 8), byte(n)}) },
	}
	return audit.Run(t.Context(), probes(t, audit.Intrusive, cmp.Or(s.probe, "AU11")), g, audit.Options{Patience: time.Minute}).Findings[0]
}

// A field that an object merely stores means nothing, and a field that it has by itself
// does; whose an object is may be said under any name, in texts and in numbers.
func TestFieldsThatMeanSomething(t *testing.T) {
	t.Parallel()
	set := func(names ...string) map[string]bool {
		out := map[string]bool{}
		for _, name := range names {
			out[name] = true
		}
		return out
	}
	const note = `{note: "{{notes}}"}`
	user := map[string]any{"role": "user"}
	const given = "owner is now another's (3)"
	for name, c := range map[string]struct {
		shop   *shop
		lacks  []string
		want   []string // in the reason; none = PASS
		never  string
		create string
	}{
		"what is stored":                        {shop: &shop{guarded: set("owner")}},
		"what is stored, no get":                {shop: &shop{guarded: set("owner")}, lacks: []string{"get"}},
		"what is stored, wrapped":               {shop: &shop{guarded: set("owner"), wrapped: true}},
		"what is stored is not the users'":      {shop: &shop{guarded: set("owner"), plain: map[string]any{"buyer": map[string]any{"role": "user"}}}},
		"what is echoed":                        {shop: &shop{guarded: set("owner", "role", "is_active"), plain: user, echo: true}},
		"what is so by itself":                  {shop: &shop{guarded: set("owner"), plain: map[string]any{"is_active": false}}},
		"what is refused as a conflict":         {shop: &shop{guarded: set("owner", "role", "is_active"), plain: user, refuses: 409}},
		"users with roles":                      {shop: &shop{guarded: set("owner"), plain: user}, want: []string{"create with role: got 201 and role is now admin", "update with role: got 200 and role is now admin"}},
		"users with roles, no get":              {shop: &shop{guarded: set("owner"), plain: user}, lacks: []string{"get"}, want: []string{"create with role: got 201 and role is now admin"}},
		"users with flags, wrapped":             {shop: &shop{guarded: set("owner"), plain: map[string]any{"is_active": true}, wrapped: true}, want: []string{"update with is_active: got 200 and is_active is now false"}},
		"an owner":                              {shop: &shop{}, want: []string{"create with owner: got 201 and " + given, "update with owner: got 200 and " + given}, never: "at is now"},
		"an owner, no get":                      {shop: &shop{}, lacks: []string{"get", "list"}, want: []string{"create with owner: got 201 and " + given}},
		"an owner, wrapped":                     {shop: &shop{wrapped: true}, want: []string{"create with owner: got 201 and " + given}},
		"an owner by get alone":                 {shop: &shop{terse: true}, want: []string{"create with owner: got 201 and " + given}},
		"an owner that me tells not":            {shop: &shop{silent: true}, want: []string{"create with owner: got 201 and " + given}},
		"an owner that the sign-in tells":       {shop: &shop{silent: true, signIn: map[string]any{}}, want: []string{"create with owner: got 201 and " + given}},
		"an owner that update cannot change":    {shop: &shop{}, lacks: []string{"update"}, want: []string{"create with owner: got 201 and " + given}, never: "update with"},
		"what else orders have of their makers": {shop: &shop{guarded: set("owner"), own: map[int]map[string]any{2: {"currency": "EUR", "level": 2}, 3: {"currency": "CHF", "level": 5}}}},
		"an owner that no answer shows":         {shop: &shop{private: true, signIn: map[string]any{}}, create: `{owner: "{{user_id}}"}`, want: []string{"create with owner: got 201 and " + given + ", who finds the object by get"}},
		"one more who finds it by the list":     {shop: &shop{private: true, signIn: map[string]any{}}, create: `{owner: "{{user_id}}"}`, lacks: []string{"get"}, want: []string{"create with owner: got 201 and " + given + ", who finds the object by list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := sold(t, c.shop, cmp.Or(c.create, note), c.lacks...)
			if (f.Status == audit.Pass) != (c.want == nil) || f.Status == audit.Skip {
				t.Errorf("got %v %q, want %q", f.Status, f.Reason, c.want)
			}
			for _, words := range c.want {
				if f.Status != audit.Fail || !strings.Contains(f.Reason, words) {
					t.Errorf("got %v %q, want FAIL with %q", f.Status, f.Reason, words)
				}
			}
			if c.never != "" && strings.Contains(f.Reason, c.never) {
				t.Errorf("got %q, want it without %q", f.Reason, c.never)
			}
			if n := len(c.shop.orders); n > 0 {
				t.Errorf("%d orders are left, notes %q", n, f.Notes)
			}
		})
	}
}

// What a limit refuses was not tried, and is no failure.
func TestFieldsThatALimitRefuses(t *testing.T) {
	t.Parallel()
	s := &shop{guarded: map[string]bool{"owner": true}, limit: 5}
	if f := sold(t, s, `{note: a}`); f.Status != audit.Skip || !strings.Contains(f.Reason, "got 429: a limit refused it") || len(s.orders) > 0 {
		t.Errorf("got %v %q, left %v, want a skip that says so and nothing left", f.Status, f.Reason, s.orders)
	}
}

// A session that is over says nothing about fields.
func TestFieldsOfASessionThatIsOver(t *testing.T) {
	t.Parallel()
	s := &shop{guarded: map[string]bool{"owner": true}, refuses: 401}
	if f := sold(t, s, `{note: a}`); f.Status != audit.Skip || !strings.Contains(f.Reason, "got 401: the session is over") {
		t.Errorf("got %v %q, want a skip that says so", f.Status, f.Reason)
	}
}

// A field that the sign-in's answer has under a name of the table needs no place in the
// profile.
func TestTheSignInFillsInItsFields(t *testing.T) {
	t.Parallel()
	s := &shop{guarded: map[string]bool{"owner": true}, signIn: map[string]any{"role": "buyer"}}
	f := sold(t, s, `{buyer: "{{user_id}}", as: "{{role}}"}`)
	if f.Status == audit.Skip || len(s.bodies) == 0 || s.bodies[0]["buyer"] != 2.0 || s.bodies[0]["as"] != "buyer" {
		t.Errorf("got %v %q, sent %v, want the id and the role that the sign-in gave", f.Status, f.Reason, s.bodies)
	}
}

// What is merely stored under another key beside a field has not taken its place.
func TestAStoredKeyTakesNoEffect(t *testing.T) {
	t.Parallel()
	f := sold(t, &shop{guarded: map[string]bool{"owner": true}, probe: "SH6"}, `{note: "{{notes}}"}`)
	if f.Status == audit.Skip || strings.Contains(f.Reason, "again as NOTE") {
		t.Errorf("got %v %q", f.Status, f.Reason)
	}
}
