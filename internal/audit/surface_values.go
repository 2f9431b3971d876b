package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/profile"
)

func surfaceValues() []Probe {
	return []Probe{
		{
			ID: "SH6", Title: "a field that comes twice, or in other letters, changes nothing", Guide: "–", Class: Intrusive, run: spelledTwice,
			Why: "Where a schema reads one spelling and the decoder takes another, every check is passed by a second key in capitals.",
			Fix: "Refuse keys that come twice or differ from the schema's in case only, before anything reads the body.",
		},
		{
			ID: "SH7", Title: "dates at the edge of what can be written break nothing", Guide: "–", Class: Intrusive, run: oddDates,
			Why: "One stored date that cannot be written back ends every list that holds it: one user takes the list from all who share it.",
			Fix: "Bound times at the door and in the database; an answer that cannot be encoded is an error with a body, never half an answer.",
		},
		{
			ID: "SH8", Title: "idle connections of a few addresses keep nobody out", Guide: "–", Class: Intrusive, Alone: true, run: idleConnections,
			Why: "Connections cost an attacker nothing; where they fill the server's bound, health checks fail and replicas are taken out one by one.",
			Fix: "Bound connections by address, well below the whole; close idle ones first when it is full.",
		},
	}
}

// ownBodies are the operations that take a body of somebody signed in and make or change
// what is theirs.
var ownBodies = []string{"create", "update", "write_log"}

// filled is one of ownBodies as a request, about the object of that id; false where the
// profile does not have it, or its values are not known.
func (t *T) filled(operation string, s session, id string) (Request, bool) {
	now := time.Now().UTC()
	v := values{"now": now.Format(time.RFC3339), "today": now.Format(time.DateOnly), "taken_at": now.Format(time.RFC3339), "id": id, "medication_id": id, "action": "taken"}
	m, err := t.run.message(t.target, operation, s.access, v)
	if err != nil || operation != "create" && (m.Body == nil || id == "") {
		return Request{}, false
	}
	if t.cookied != "" {
		t.Skip("%s", t.cookied)
	}
	return message(m, s, operation), true
}

// thing makes an object of somebody's; one without an id where the profile has no create
// that can be filled in.
func (t *T) thing(s session) *made {
	q, ok := t.filled("create", s, "")
	if !ok {
		return &made{}
	}
	a := t.again(q)
	if !t.Operation("create").Succeeded(a.Status) {
		t.Skip("making an object: got %s", a.got())
	}
	return t.remember(s, "create", a)
}

func message(m profile.Message, s session, label string) Request {
	return Request{Method: m.Method, Path: m.Path, Header: m.Header, Body: m.Body, Policy: m.Policy, From: s.from, User: strings.ToLower(s.Email), Label: label}
}

// object is a JSON body as an object; nil for anything else.
func object(body []byte) (m map[string]any) {
	_ = json.Unmarshal(body, &m)
	return m
}

// withKey adds a key at the end of a JSON object, whatever keys it has already.
func withKey(body []byte, key string, value any) []byte {
	b, _ := json.Marshal(map[string]any{key: value}) // texts and numbers
	body = bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(body), []byte("}")))
	if !bytes.HasSuffix(body, []byte("{")) {
		b[0] = ','
	} else {
		b = b[1:]
	}
	return slices.Concat(body, b) // a copy: the body is sent again with the next key
}

func spelledTwice(t *T) {
	s := t.Session()
	base := t.thing(s)
	var qs []Request
	for _, operation := range ownBodies {
		if q, ok := t.filled(operation, s, base.id); ok {
			qs = append(qs, q)
		}
	}
	if _, ok := t.target.Profile.Operations["login"]; ok {
		// Without a sign-in, and with what no store takes: an error here costs its sender
		// nothing, unless it is counted.
		q := t.Login(t.Address(), unknownAccount(), wrongPassword())
		q.Label = "sign-in"
		qs = append(qs, q)
	}
	tried := 0
	for _, q := range qs {
		for _, name := range slices.Sorted(maps.Keys(object(q.Body))) {
			for _, key := range []string{strings.ToUpper(name), name} {
				if tried++; tried > 40 {
					return
				}
				t.spelled(s, q, name, key, object(q.Body)[name])
			}
		}
	}
	if tried == 0 {
		t.Skip("profile %s has no operation with a JSON body that could be filled in", t.target.Profile.Name)
	}
}

// spelled sends a body whose field comes again under a key, with a value that no
// check would pass, and looks whether it took effect.
func (t *T) spelled(s session, q Request, name, key string, value any) {
	marker := "\u0000vitals-" + strings.ToLower(wrongPassword()[6:16])
	var odd any = marker
	if _, number := value.(float64); number {
		odd = -918273645
		marker = "-918273645"
	}
	label := q.Label
	q.Body, q.Label = withKey(q.Body, key, odd), fmt.Sprintf("%s with %s again as %s", label, name, key)
	a := t.again(q)
	t.remember(s, label, a)
	if !t.Check(a.Status > 0 && a.Status < http.StatusInternalServerError, "%v: got %s, want it refused or ignored", a, a.got()) {
		return
	}
	if a.Status/100 == 2 && label != "sign-in" {
		plain := strings.TrimPrefix(marker, "\u0000")
		t.Check(!effective(a, name, key, plain), "%v: got %s, and the value under the second key took effect: %s", a, a.got(), cut(string(a.Body)))
	}
}

// effective tells whether an answer shows a value that was sent under a second key, where
// it means something: not under that key alone, beside the first, as what is merely stored.
func effective(a Answer, name, key, value string) bool {
	shown := placed(a)
	if key == name || len(shown) == 0 {
		return bytes.Contains(a.Body, []byte(value))
	}
	for place, v := range shown {
		if last(place) != key && strings.Contains(fmt.Sprint(v), value) {
			return true
		}
	}
	return false
}

// idleMany is how many connections lie idle: more than a server with one bound for
// all of a few hundred has, fewer than a process may open.
const idleMany = 900

func idleConnections(t *T) {
	path := t.Operation("health").Path
	ask := func() Answer {
		return t.Send(Request{Path: path, From: t.plain(), Label: "health beside idle connections"})
	}
	if a := ask(); !t.Want(a, http.StatusOK) {
		return
	}
	from := []netip.Addr{t.plain(), t.plain(), t.plain()}
	var mu sync.Mutex
	var open []interface{ Close() error }
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	var all sync.WaitGroup
	slots := make(chan struct{}, 64)
	for n := range idleMany {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, _, err := t.client().Open(t.ctx, from[n%len(from)])
			if err != nil {
				return // refused: that is what a bound does
			}
			mu.Lock()
			defer mu.Unlock()
			open = append(open, c)
		})
	}
	all.Wait()
	t.Note("%d of %d idle connections were let in", len(open), idleMany)
	for range 5 {
		a := ask()
		if !t.Check(a.Status == http.StatusOK && a.Done.Sub(a.Sent) < 5*time.Second, "%v: got %s after %v from an address of its own while %d connections of %d others lie idle, want 200 at once",
			a, a.got(), a.Done.Sub(a.Sent).Round(time.Millisecond), len(open), len(from)) {
			return
		}
	}
}
