package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/report"
)

// A run that is interrupted before its first result leaves its own document in place of
// an earlier run's: while the system is waited for, and while users sign in.
func TestInterruptedBeforeTheFirstResult(t *testing.T) {
	for name, c := range map[string]struct {
		path   string // that is asked for when the interrupt comes
		member bool
	}{"looking for the system": {path: "/"}, "signing in": {path: "/login"}, "a member": {path: "/login", member: true}} {
		t.Run(name, func(t *testing.T) {
			drain, interrupt := context.WithCancel(t.Context())
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.path == "/" || r.URL.Path == c.path {
					interrupt()
					time.Sleep(100 * time.Millisecond)
				}
				fmt.Fprint(w, `{"access_token":"t"}`)
			}))
			defer s.Close()
			out := t.TempDir()
			if err := leave(out, &report.Document{Schema: report.Schema, Verdict: report.Pass, Runs: []report.Run{}}, true); err != nil {
				t.Fatal(err)
			}
			o := options(t, file(t, "early.yaml", reads("users: 2\nrun_for: 2s\nsign_in: before"+signIn)), "--url", s.URL, "--accounts", accounts(t, 4), "--out", out)
			if c.member {
				o.Member, o.StartAt = "0/2", time.Now().Add(5*time.Second).UTC().Format(time.RFC3339Nano)
			}
			p, err := Read(o)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := Run(drain, t.Context(), p, Streams{Out: io.Discard, Err: io.Discard})
			if doc != nil || exit.Code(err) != exit.Interrupted || err.Error() != "interrupted before anything was measured" {
				t.Errorf("got %v, %v (exit %d)", doc, err, exit.Code(err))
			}
			d, err := report.Read(filepath.Join(out, "document.json"))
			if c.member {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("a member's folder holds %+v, %v, want no document", d, err)
				}
				return
			}
			if err != nil || d.Verdict != report.NoData || d.Exit != exit.Interrupted || !d.Partial || !slices.Equal(d.Reasons, []string{"interrupted before anything was measured"}) {
				t.Errorf("got %+v, %v", d, err)
			}
			if _, err := os.Stat(filepath.Join(out, "baseline.json")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the earlier run's baseline is left: %v", err)
			}
		})
	}
}

// While a run goes on, its folder does not have an earlier run's verdict: whoever is killed
// leaves none of his own.
func TestAnEarlierVerdictIsNotLeftToWhoIsKilled(t *testing.T) {
	out := t.TempDir()
	seen := make(chan *report.Document, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			if d, err := report.Read(filepath.Join(out, "document.json")); err == nil {
				select {
				case seen <- d:
				default:
				}
			}
		}
	}))
	defer s.Close()
	if err := leave(out, &report.Document{Schema: report.Schema, Verdict: report.Pass, Runs: []report.Run{}}, true); err != nil {
		t.Fatal(err)
	}
	p, err := Read(options(t, file(t, "later.yaml", reads("users: 2\nrun_for: 1s")), "--url", s.URL, "--out", out))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), t.Context(), p, Streams{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	d := <-seen
	if want := "the session had not ended when this was written: mine not run"; d.Verdict != report.NoData || !d.Partial || !slices.Equal(d.Reasons, []string{want}) {
		t.Errorf("got %s %q while it ran, want NO DATA and %q", d.Verdict, d.Reasons, want)
	}
}

// A folder that is removed while the run goes on is made again; where it cannot be, the
// end of the run says the exit code that comes of it, and names the files where they are.
func TestFolderGoesWhileTheRunGoesOn(t *testing.T) {
	for name, blocked := range map[string]bool{"removed": false, "a file in its place": true} {
		t.Run(name, func(t *testing.T) {
			spare, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			t.Setenv("TMPDIR", spare)
			var once sync.Once
			s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/x" {
					return
				}
				once.Do(func() {
					if err := os.RemoveAll(out); err != nil {
						t.Error(err)
					}
					if blocked {
						if err := os.WriteFile(out, nil, 0o600); err != nil {
							t.Error(err)
						}
					}
				})
			}))
			defer s.Close()
			open := file(t, "open.yaml", strings.Replace(reads("users: 1\nrun_for: 500ms"), "get: /x", "get: /x, anonymous: true", 1))
			r := carryOut(t, open, "--url", s.URL, "--out", out)
			where, code := out, r.doc.Exit
			if blocked {
				dirs, _ := filepath.Glob(filepath.Join(spare, "vitals-out-*"))
				if len(dirs) != 1 {
					t.Fatalf("got the folders %v, want one: %s", dirs, r.talk)
				}
				where, code = dirs[0], exit.NoAnswer
			}
			if r.code != code || r.doc.Exit != code || !strings.Contains(r.out, fmt.Sprintf("(exit %d)", code)) || !strings.Contains(r.out, filepath.Join(where, "report.html")) {
				t.Errorf("got exit %d, want %d and the files of %s:\n%s%s", r.code, code, where, r.out, r.talk)
			}
			if d, err := report.Read(filepath.Join(where, "document.json")); err != nil || d.Exit != code {
				t.Errorf("got %+v, %v", d, err)
			}
			if blocked == (r.code != exit.NoAnswer) || blocked && strings.Contains(r.out, filepath.Join(out, "report.html")) {
				t.Errorf("got exit %d, blocked %v\n%s", r.code, blocked, r.out)
			}
		})
	}
}
