package harness

import (
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/report"
)

// When no user can sign in before the measured window, nothing runs during it: the
// connections that the intruders had made by then are closed all the same.
func TestRefusedSignInLeavesNoConnection(t *testing.T) {
	var mu sync.Mutex
	signingIn, made := map[string]bool{}, 0 // connections that a sign-in came on, while they are open
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			mu.Lock()
			if !signingIn[r.RemoteAddr] {
				made++
			}
			signingIn[r.RemoteAddr] = true
			mu.Unlock()
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			mu.Lock()
			delete(signingIn, c.RemoteAddr().String())
			mu.Unlock()
		}
	}
	left := func() (open, all int) { mu.Lock(); defer mu.Unlock(); return len(signingIn), made }
	s.Start()
	defer s.Close()
	refused := file(t, "refused.yaml", reads(`users: 2
run_for: 2s
sign_in: before
intruders:
  - {name: spray, kind: password spraying, addresses: 2, accounts: 2, rate: 10/s, after: 100ms, for: 1s}`+signIn))
	r := carryOut(t, refused, "--url", s.URL, "--accounts", accounts(t, 20), "--targets", "none")
	_, all := left()
	if r.code == exit.Pass || r.code == exit.Usage || all < 2 {
		t.Fatalf("got exit %d after %d connections, want a run whose users and intruders were refused:\n%s%s", r.code, all, r.out, r.talk)
	}
	open := all
	for end := time.Now().Add(10 * time.Second); open > 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		open, _ = left()
	}
	if open > 0 {
		t.Errorf("%d of %d connections are left open", open, all)
	}
}

// A load that could not begin leaves its files with what was asked and what came, and
// the other scenarios have their turn.
func TestUnbegunLoadLeavesItsDocument(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		gone   bool // nobody answers any more when users sign in
		code   int
		by     measure.Ending
		says   string
		got    *measure.Exemplar // of the answer that was not as expected
	}{
		"wrong password": {answer: func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"detail":%q}`, "wrong: "+string(body))
		}, code: exit.NoAnswer, by: measure.NoSignIn, says: `want any 2xx, got 401 (are the accounts of --accounts those of this deployment?): {"detail":"`},
		"locked out": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "900")
			w.WriteHeader(http.StatusTooManyRequests)
		}, code: exit.NoAnswer, by: measure.NoSignIn, says: "got 429"},
		"no token": {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":{}}`) },
			code: exit.NoAnswer, by: measure.NoSignIn, says: "json access_token is not in the answer: no access_token in the answer (it has: data)"},
		"null token": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-ID", "id-1")
			_, _ = io.WriteString(w, `{"access_token":null,"user":"u1","jwt":"aaaaBBBBccccDDDDeeee1111","detail":"the account waits for its code"}`)
		}, code: exit.NoAnswer, by: measure.NoSignIn, says: "json access_token is", got: &measure.Exemplar{Step: "sign in", Code: 200, RequestID: "id-1", Class: "capture",
			Body: `{"access_token":[redacted],"user":"u1","jwt":"[redacted]","detail":"the account waits for its code"}`}},
		"dead": {gone: true, code: exit.NoSystem, by: measure.TargetDead, says: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			s := httptest.NewServer(mux)
			defer s.Close()
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				switch {
				case c.gone:
					w.Header().Set("Connection", "close")
					_ = s.Listener.Close() // this is the last answer
				case r.URL.Path == "/login":
					c.answer(w, r)
				}
			})
			before := file(t, "before.yaml", reads("users: 2\nrun_for: 2s\nsign_in: before"+signIn))
			open := file(t, "open.yaml", strings.NewReplacer("get: /x", "get: /x, anonymous: true", "name: mine", "name: open").Replace(reads("users: 1\nrun_for: 1s")))
			out := t.TempDir()
			words := []string{before, "--url", s.URL, "--accounts", accounts(t, 4), "--out", out}
			if !c.gone {
				words = append([]string{open}, words...)
			}
			r := carryOut(t, words...)
			if r.doc == nil || r.code != c.code || r.doc.Exit != c.code || r.doc.Verdict != report.NoData {
				t.Fatalf("got exit %d, want %d and %s: %s\n%s", r.code, c.code, report.NoData, r.talk, r.out)
			}
			if n := len(words) - 6; len(r.doc.Runs) != n || r.doc.Runs[n-1].Result.EndedBy != c.by || r.doc.Runs[0].Verdict != report.Pass && n > 1 {
				t.Errorf("got %d runs, ended by %q, want %d and %q", len(r.doc.Runs), r.doc.Runs[len(r.doc.Runs)-1].Result.EndedBy, n, c.by)
			}
			if failed := r.doc.Runs[len(r.doc.Runs)-1].Result.Failures; len(failed) == 0 || failed[0].Step != "sign in" || !strings.Contains(strings.ReplaceAll(failed[0].Why, `\`, ""), strings.SplitN(c.says, " (", 2)[0]) {
				t.Errorf("got the failures %+v, want the sign-in with what was expected and what came", failed)
			} else if e := failed[0]; c.got != nil && (e.Code != c.got.Code || e.RequestID != c.got.RequestID || e.Body != c.got.Body || e.Class != c.got.Class) {
				t.Errorf("got the failure %+v, want %+v", e, *c.got)
			}
			for _, name := range []string{"document.json", "report.html", "baseline.json"} {
				if text, err := os.ReadFile(filepath.Join(out, name)); err != nil || strings.Contains(string(text), "secret-") {
					t.Errorf("%s: %v, or it holds a password", name, err)
				}
			}
			for form, render := range map[string]report.Reporter{"junit": report.JUnit, "markdown": report.Markdown, "terminal": report.Terminal, "html": report.HTML} {
				var b strings.Builder
				if err := render(&b, r.doc); err != nil {
					t.Fatal(err)
				}
				text := strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
				if !strings.Contains(text, "the load did not begin: sign in account ") || !strings.Contains(strings.ReplaceAll(text, `\`, ""), c.says) || strings.Contains(text, "interrupted") {
					t.Errorf("%s: got\n%s\nwant %q", form, b.String(), c.says)
				}
				if asked := strings.Contains(strings.ReplaceAll(text, `\`, ""), "are the accounts of --accounts those of this deployment?"); asked != (name == "wrong password") {
					t.Errorf("%s: it asks about the accounts: %v:\n%s", form, asked, b.String())
				}
			}
		})
	}
}

// A run says that it takes the place of an earlier one in its folder.
func TestReplacedFilesAreNamed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	open, out := file(t, "open.yaml", strings.Replace(reads("users: 1\nrun_for: 200ms"), "get: /x", "get: /x, anonymous: true", 1)), t.TempDir()
	for i := range 2 {
		r := carryOut(t, open, "--url", s.URL, "--out", out)
		if got := strings.Contains(r.talk, out+" holds an earlier run, whose files this one replaces"); got != (i == 1) {
			t.Errorf("run %d: got %q", i+1, r.talk)
		}
	}
}

// Where nobody answers at all, the folder holds this run's document, with no data, and
// no longer that of the run before.
func TestNobodyAnswersLeavesItsDocument(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	open, out := file(t, "open.yaml", strings.Replace(reads("users: 1\nrun_for: 200ms"), "get: /x", "get: /x, anonymous: true", 1)), t.TempDir()
	carryOut(t, open, "--url", s.URL, "--out", out)
	s.Close()
	carryOut(t, open, "--url", s.URL, "--out", out)
	d, err := report.Read(filepath.Join(out, "document.json"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict != report.NoData || d.Exit != exit.NoSystem || len(d.Runs) != 0 || !strings.Contains(strings.Join(d.Reasons, "\n"), "is it running, and is the port right?") {
		t.Errorf("got %s, exit %d, %d runs: %v", d.Verdict, d.Exit, len(d.Runs), d.Reasons)
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil || !strings.Contains(string(page), "NO DATA") {
		t.Errorf("the page does not say so (%v)", err)
	}
}

// A member of a fleet whose load cannot begin leaves its document too, with the answer that kept it.
func TestAMemberThatCannotBeginLeavesItsDocument(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"access_token":null}`) }))
	defer s.Close()
	before := file(t, "before.yaml", reads("users: 2\nrun_for: 2s\nsign_in: before"+signIn))
	out := t.TempDir()
	o := options(t, before, "--url", s.URL, "--accounts", accounts(t, 4), "--out", out)
	o.Member, o.StartAt = "0/2", time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)
	r := carryOutWith(t, o)
	if r.code == 0 || !strings.Contains(r.talk, "the load did not begin: sign in account ") {
		t.Errorf("got exit %d: %s", r.code, r.talk)
	}
	d, err := report.Read(filepath.Join(out, "document.json"))
	if err != nil {
		t.Fatalf("%v: %s", err, r.talk)
	}
	if d.Member == nil || d.Verdict != report.NoData || len(d.Runs) != 1 || len(d.Runs[0].Result.Failures) == 0 {
		t.Errorf("got %+v, member %+v, want no data and the sign-in that failed", d.Runs, d.Member)
	}
}
