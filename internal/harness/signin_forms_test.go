package harness

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/report"
)

// keyed is an API whose sign-in asks for a client's key and for an id that is another one
// each time, and whose answers are packed. Five failures lock an address for 4 s.
type keyed struct {
	prolongs bool // the lie: each attempt begins the lock anew

	mu     sync.Mutex
	ids    map[string]bool
	failed map[string]int
	until  map[string]time.Time
}

func (s *keyed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, body any) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		z := gzip.NewWriter(w)
		_ = json.NewEncoder(z).Encode(body)
		_ = z.Close()
	}
	if r.URL.Path != "/signin" {
		answer(200, map[string]string{"status": "ok"})
		return
	}
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	var in struct{ Email, Password string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	id := r.Header.Get("X-Once")
	if r.Header.Get("Authorization") != "Basic a-key-of-the-client" || id == "" || s.ids[id] {
		answer(401, map[string]string{"error": "no client"})
		return
	}
	s.ids[id] = true
	left := time.Until(s.until[from])
	switch {
	case left > 0:
		if s.prolongs {
			left = 4 * time.Second
			s.until[from] = time.Now().Add(left)
		}
		w.Header().Set("Retry-After", strconv.Itoa(int((left+time.Second-1)/time.Second)))
		answer(429, map[string]string{"error": "locked"})
	case in.Password == "secret-"+in.Email:
		delete(s.failed, from)
		answer(200, map[string]string{"access_token": "token-of-" + in.Email})
	default:
		if s.failed[from]++; s.failed[from] == 5 {
			delete(s.failed, from)
			s.until[from] = time.Now().Add(4 * time.Second)
		}
		answer(401, map[string]string{"error": "wrong"})
	}
}

const keyedProfile = `profile: keyed
limits:
  our_limit: {limit: 5, window: 60s, lock: 4s, counts: failures, success: clears, by: address}
promises:
  limit_headers: {form: none, retry_after: true}
operations:
  login:
    method: POST
    path: /signin
    header: {Authorization: "Basic key"}
    body: {email: "{{email}}", password: "{{password}}"}
    refused: 401
    policy: our_limit
`

const keyedScenario = `name: keyed
users: 2
run_for: 8s
accounts:
  sign_in: {post: /signin, header: {Authorization: "Basic {{env VITALS_TEST_KEY}}", X-Once: "{{uuid}}"}, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:access_token}}
journeys:
  - name: j
    think: 100ms
    tasks:
      - {name: read, get: /x}
intruders:
  - {name: guesser, addresses: 2, guesses: 12, after: 500ms, every: 300ms}
`

// What intruders send is what honest users send, with the placeholders of the scenario's
// own sign-in; packed answers are read; and their answers are held to the limit that the
// sign-in is under, whatever the profile calls it.
func TestIntrudersSignInAsUsersDo(t *testing.T) {
	t.Setenv("VITALS_TEST_KEY", "a-key-of-the-client")
	for _, lies := range []bool{false, true} {
		t.Run(fmt.Sprintf("prolongs %v", lies), func(t *testing.T) {
			api := &keyed{prolongs: lies, ids: map[string]bool{}, failed: map[string]int{}, until: map[string]time.Time{}}
			s := httptest.NewServer(api)
			defer s.Close()
			csv := "email,password\n"
			for n := range 20 {
				csv += fmt.Sprintf("u%d@keyed.test,secret-u%d@keyed.test\n", n, n)
			}
			o := options(t, file(t, "keyed.yaml", keyedScenario), "--url", s.URL, "--accounts", file(t, "accounts.csv", csv))
			o.Profile = file(t, "profile.yaml", keyedProfile)
			r := carryOutWith(t, o)
			if r.doc == nil || len(r.doc.Runs) != 1 {
				t.Fatalf("exit %d: %s", r.code, r.talk)
			}
			run := r.doc.Runs[0]
			admitted, _ := run.Result.Fact("lockout.admitted")
			if admitted.Value != 5 || run.Invariants == nil || run.Invariants.Answers < 20 {
				t.Errorf("got %v judged before the lock, invariants %+v: want 5, and the intruders' answers among those judged\n%s", admitted.Value, run.Invariants, r.out)
			}
			said := ""
			if run.Invariants != nil {
				said = fmt.Sprint(run.Invariants.Violations)
			}
			if found := strings.Contains(said, "J7"); found != lies || (run.Verdict == report.Fail) != lies {
				t.Errorf("got %s, violations %s; a lock that is prolonged: %v\n%s", run.Verdict, said, lies, r.out)
			}
			if text, err := json.Marshal(r.doc); err != nil || strings.Contains(string(text), "a-key-of-the-client") {
				t.Errorf("%v, or the document holds the client's key", err)
			}
		})
	}
}
