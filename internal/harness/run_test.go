package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/internal/strict"
	"vitals/report"
)

// outcome is what a run in this process came to.
type outcome struct {
	doc  *report.Document
	code int
	out  string // the answer
	talk string // and the rest, with the error
}

// carryOut reads the words of `vitals run` and runs them in this process.
func carryOut(t *testing.T, words ...string) outcome {
	t.Helper()
	return carryOutWith(t, options(t, words...))
}

func carryOutWith(t *testing.T, o Options) outcome {
	t.Helper()
	p, err := Read(o)
	if err != nil {
		return outcome{code: exit.Usage, talk: err.Error()}
	}
	return carryOutPlan(t, p)
}

func carryOutPlan(t *testing.T, p *Plan) outcome {
	t.Helper()
	var talk bytes.Buffer
	r := carryOutTo(t, p, &talk)
	r.talk = talk.String() + r.talk
	return r
}

// carryOutTo runs a plan and lets another watch what is said meanwhile.
func carryOutTo(t *testing.T, p *Plan, talk io.Writer) outcome {
	t.Helper()
	var out bytes.Buffer
	d, err := Run(t.Context(), t.Context(), p, Streams{Out: &out, Err: talk})
	r := outcome{doc: d, out: out.String()}
	var coded *exit.Error
	switch {
	case errors.As(err, &coded):
		r.code, r.talk = coded.Code, coded.Error()
	case err != nil:
		t.Fatalf("an error without a code: %v", err)
	default:
		r.code = d.Exit
	}
	return r
}

// file writes a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// accounts is a file of n accounts.
func accounts(t *testing.T, n int) string {
	t.Helper()
	text := "\ufeffemail,password\r\n" // as a spreadsheet writes it
	for i := range n {
		text += fmt.Sprintf("user%d@x.example,secret-%d\r\n", i, i)
	}
	return file(t, "accounts.csv", text)
}

const signIn = `
accounts:
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:access_token}}
`

func reads(head string) string {
	return "name: mine\n" + head + `
journeys:
  - name: j
    think: 50ms
    steps:
      - {name: read, get: /x}
`
}

// A run that ends before its schedule says what ended it, and never passes.
func TestEndedEarly(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/status/500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "secret-0") {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, `{"access_token":"t"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	met := file(t, "met.yaml", "targets:\n  - p50 < 30s\n")
	for name, c := range map[string]struct {
		scenario string
		accounts int
		dies     bool
		verdict  string
		by       measure.Ending
		says     string
	}{
		"abort rule": {scenario: `name: abort
users: 5
run_for: 20s
journeys:
  - name: j
    think: 100ms
    tasks:
      - {name: ok, get: /x, anonymous: true}
      - {name: bad, get: /status/500, anonymous: true}
abort:
  - errors > 20% for 2s
`, verdict: report.Fail, by: measure.Aborted, says: "an abort rule ended it after"},
		"dead target": {dies: true, scenario: strings.Replace(reads("users: 2\nrun_for: 15s"), "get: /x", "get: /x, anonymous: true", 1), verdict: report.NoData, by: measure.TargetDead, says: "the target is dead"},
		"refused":     {accounts: 1, scenario: reads("users: 1\nrun_for: 5s" + signIn), verdict: report.NoData, by: measure.NoAccount, says: "no account is left: of 1, 1 could not sign in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(mux)
			defer s.Close()
			if c.dies {
				time.AfterFunc(2*time.Second, s.CloseClientConnections)
				time.AfterFunc(2*time.Second, func() { s.Listener.Close() })
			}
			words := []string{file(t, "mine.yaml", c.scenario), "--url", s.URL, "--targets", met}
			if c.accounts > 0 {
				words = append(words, "--accounts", accounts(t, c.accounts))
			}
			r := carryOut(t, words...)
			if r.doc == nil || r.doc.Verdict != c.verdict || r.code == exit.Pass || r.code != r.doc.Exit {
				t.Fatalf("got exit %d, want %s: %s\n%s", r.code, c.verdict, r.talk, r.out)
			}
			if res := r.doc.Runs[0].Result; res.EndedBy != c.by || !r.doc.Partial {
				t.Errorf("got ended by %q, partial %v, want %q", res.EndedBy, r.doc.Partial, c.by)
			}
			if !strings.Contains(strings.Join(r.doc.Reasons, "\n"), c.says) || !strings.Contains(strings.Join(strings.Fields(r.out), " "), c.says) {
				t.Errorf("got reasons %q and\n%s\nwant %q", r.doc.Reasons, r.out, c.says)
			}
			if strings.Contains(r.out+r.talk, "interrupted") {
				t.Errorf("nobody interrupted it:\n%s", r.out)
			}
		})
	}
}

// Too few accounts are refused before anything is sent, by validate too; where
// nobody signs in none are asked for.
func TestTooFewAccounts(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer s.Close()
	few := file(t, "few.yaml", reads("users: 3\nrun_for: 3s"+signIn))
	const want = "too few accounts: mine: 3 users need 3 accounts; the file has 1"
	if r := carryOut(t, few, "--url", s.URL, "--accounts", accounts(t, 1)); r.code != exit.Usage || !strings.Contains(r.talk, want) {
		t.Errorf("got exit %d and %s, want %q", r.code, r.talk, want)
	}
	o := options(t, few)
	o.ReadOnly, o.Accounts = true, accounts(t, 1)
	if _, err := Read(o); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("validate: got %v, want %q", err, want)
	}
	open := file(t, "open.yaml", strings.Replace(reads("users: 1\nrun_for: 1s"), "get: /x", "get: /x, anonymous: true", 1))
	if r := carryOut(t, open, "--url", s.URL); r.code != exit.Pass || r.doc.Verdict != report.Pass || len(r.doc.Runs[0].Verdicts) != 1 {
		t.Errorf("nobody signs in: got exit %d, want a pass by the one target that can be asked\n%s%s", r.code, r.talk, r.out)
	}
	if r := carryOut(t, open, "--url", s.URL, "--targets", "none"); r.code != exit.NoAnswer || r.doc.Verdict != report.NoData || len(r.doc.Runs[0].Verdicts) != 0 {
		t.Errorf("no targets: got exit %d\n%s%s", r.code, r.talk, r.out)
	}
}

// A run that was refused leaves no folder behind, one that found nobody leaves its
// document, and two do not write into one.
func TestFolderOfResults(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "deep", "out")
	open := file(t, "open.yaml", strings.Replace(reads("users: 1\nrun_for: 1s"), "get: /x", "get: /x, anonymous: true", 1))
	if r := carryOut(t, open, "--url", "http://192.0.2.1", "--out", out); r.code != exit.Usage || !strings.Contains(r.talk, "refusing to send load") {
		t.Errorf("an address that nobody owned up to: got exit %d and %s", r.code, r.talk)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("an empty folder is left: %v", err)
	}
	if r := carryOut(t, open, "--url", "http://127.0.0.1:1", "--out", out); r.code != exit.NoSystem || !strings.Contains(r.talk, "is it running") {
		t.Errorf("nobody there: got exit %d and %s", r.code, r.talk)
	}
	if d, err := report.Read(filepath.Join(out, "document.json")); err != nil || d.Verdict != report.NoData || d.Exit != exit.NoSystem {
		t.Errorf("nobody there: got %+v, %v, want a document of no data", d, err)
	}
	release, err := stack.Output(out)
	if err != nil {
		t.Fatal(err)
	}
	if r := carryOut(t, open, "--url", "http://127.0.0.1:1", "--out", out); r.code != exit.Usage || !strings.Contains(r.talk, "another run is writing into "+out) {
		t.Errorf("a second run: got exit %d and %s", r.code, r.talk)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

// What --url cannot send is refused.
func TestQueryInURL(t *testing.T) {
	for url, want := range map[string]string{"http://127.0.0.1:1/api?key=abc": "no query or fragment", "http://127.0.0.1:1/#x": "no query or fragment", "http://a:b@127.0.0.1": "no user or password", "127.0.0.1:1": "want http://"} {
		if _, err := strict.ParseURL("--url", url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
	if _, err := strict.ParseURL("--metrics", "http://127.0.0.1:1/federate?match=x"); err != nil {
		t.Errorf("a metrics page: %v", err)
	}
}

// Who asks for no time is not told that milliseconds of ours were too many.
func TestNoTimesAreAsked(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer s.Close()
	sc := file(t, "rare.yaml", strings.Replace(reads("arrivals: {rate: 60/m, run_for: 3s}"), "get: /x", "get: /x, anonymous: true", 1))
	r := carryOut(t, sc, "--url", s.URL, "--targets", file(t, "t.yaml", "targets:\n  - failed < 1%\n"))
	if r.code != exit.Pass {
		t.Errorf("got exit %d, want a pass: %s\n%s", r.code, r.talk, r.out)
	}
}

// An API that takes any password fails by the built-in targets, whatever it counts.
func TestAnyPasswordIsTaken(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]bool{"lock after five": true, "no lock": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan map[string]int, 1)
			seen <- map[string]int{}
			mux := http.NewServeMux()
			mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
				from, _, _ := strings.Cut(r.RemoteAddr, ":")
				counts := <-seen
				body, _ := io.ReadAll(r.Body)
				if !regexp.MustCompile(`"secret-\d"`).Match(body) {
					counts[from]++
				}
				n := counts[from]
				seen <- counts
				if refuses && n > 5 {
					w.Header().Set("Retry-After", "900")
					w.WriteHeader(429)
					return
				}
				fmt.Fprint(w, `{"access_token":"t"}`)
			})
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
			s := httptest.NewServer(mux)
			defer s.Close()
			sc := file(t, "mine.yaml", reads("users: 1\nrun_for: 6s"+signIn)+"intruders:\n  - {name: guesser, guesses: 8, after: 1s}\n")
			r := carryOut(t, sc, "--url", s.URL, "--accounts", accounts(t, 8))
			if r.code != exit.Fail || r.doc.Verdict != report.Fail || !strings.Contains(r.doc.Reasons[0], "attackers were let in") {
				t.Fatalf("got exit %d: %s\n%s", r.code, r.talk, r.out)
			}
			if !strings.Contains(r.out, "attackers were let in") {
				t.Errorf("the report does not say it:\n%s", r.out)
			}
		})
	}
}
