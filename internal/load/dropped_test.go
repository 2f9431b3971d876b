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

// An answer that is lost while accounts sign in before the load is asked for again, a
// few times and not for ever.
func TestALostSignInBeforeTheLoadIsTriedAgain(t *testing.T) {
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
