package load

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// signedInBefore is a load of three users who are signed in before it.
func signedInBefore(t *testing.T) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Read(strings.NewReader(`
name: a
users: 3
run_for: 300ms
sign_in: before
accounts:
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:token}}
journeys: [{name: j, think: 50ms, steps: [{name: s, get: /x}]}]
`), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// An answer that is lost while accounts sign in before the load is asked for again, a
// few times and not for ever.
func TestALostSignInBeforeTheLoadIsTriedAgain(t *testing.T) {
	sc := signedInBefore(t)
	for _, lost := range []int64{1, 1000} {
		var asked atomic.Int64
		base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" && asked.Add(1) <= lost {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, `{"token":"abc-123-def"}`)
		})
		o, err := Run(t.Context(), sc, record(sc), Options{Base: base, Accounts: accounts(3)})
		notes := strings.Join(o.Notes, "\n")
		switch {
		case err != nil:
			t.Errorf("%d lost: %v", lost, err)
		case lost == 1 && (o.EndedEarly != "" || !strings.Contains(notes, "asked again")):
			t.Errorf("one lost: got %q, notes %q, want a load that began and a note of it", o.EndedEarly, notes)
		case lost > 1 && (o.EndedBy != measure.NoSignIn || asked.Load() > 30):
			t.Errorf("all lost: ended by %v after %d tries, want an end within few", o.EndedBy, asked.Load())
		}
	}
}

// A sign-in before the load that is shed, by a 503 with a short time to come back, is asked
// again after it; one that is refused otherwise is not.
func TestAShedSignInIsAskedAgain(t *testing.T) {
	sc := signedInBefore(t)
	for name, c := range map[string]struct {
		status int
		after  string
		shed   int64
		begins bool
		most   int64 // sign-ins that are sent
	}{
		"twice": {503, "0", 2, true, 10}, "a date": {503, "Mon, 02 Jan 2006 15:04:05 GMT", 1, false, 4}, "a lock": {503, "900", 1, false, 4},
		"always": {503, "0", 1000, false, 30}, "no time": {503, "", 1, false, 4}, "a limit": {429, "0", 1, false, 4},
	} {
		var asked atomic.Int64
		base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" && asked.Add(1) <= c.shed {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
				return
			}
			_, _ = io.WriteString(w, `{"token":"abc-123-def"}`)
		})
		o, err := Run(t.Context(), sc, record(sc), Options{Base: base, Accounts: accounts(3)})
		if err != nil || (o.EndedBy == measure.NoSignIn) == c.begins || asked.Load() > c.most {
			t.Errorf("%s: %v, ended by %v (%s) after %d sign-ins, want it begun: %v", name, err, o.EndedBy, o.EndedEarly, asked.Load(), c.begins)
		}
	}
}

// Tasks of users whom no sign-in lets in are counted apart from what the generator
// gives up.
func TestLiveTellsUsersWithoutSessionApart(t *testing.T) {
	sc, err := scenarios.Read(strings.NewReader(`
name: a
users: 2
run_for: 1400ms
accounts:
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:token}}
journeys: [{name: j, think: 50ms, steps: [{name: s, get: /x}]}]
`), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	var last measure.Snapshot
	if _, err := Run(t.Context(), sc, record(sc), Options{Base: base, Accounts: accounts(2), Live: func(s measure.Snapshot) { last = s }}); err != nil {
		t.Fatal(err)
	}
	if last.Counts.Dropped == 0 || last.Away < last.Counts.Dropped {
		t.Errorf("got %d dropped, %d of them without a session, want all of some", last.Counts.Dropped, last.Away)
	}
}

// A body that is no text arrives to the byte, and is called nothing that it is not.
func TestBinaryBodiesAndOptions(t *testing.T) {
	sc, err := scenarios.Read(strings.NewReader(`
name: a
users: 1
run_for: 150ms
journeys: [{name: j, think: 20ms, steps: [{name: ask, options: /x}, {name: s, put: /x, body: "base64:AP97ew=="}]}]
`), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const body = "\x00\xff{{"
	sc.Journeys[0].Tasks[0].Steps[1].Binary = []byte(body)
	base, log := listen(t, func(_ http.ResponseWriter, r *http.Request) {
		if kind := r.Header.Get("Content-Type"); kind != "" {
			t.Errorf("%s: got the content type %q, want none", r.Method, kind)
		}
	})
	if _, err := Run(t.Context(), sc, record(sc), Options{Base: base}); err != nil {
		t.Fatal(err)
	}
	got := log()
	if !slices.Contains(got, "OPTIONS /x ") || !slices.Contains(got, "PUT /x "+body) {
		t.Errorf("got %q, want OPTIONS, and PUT with the bytes", got)
	}
}
