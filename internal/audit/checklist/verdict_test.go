package checklist

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/audit"
	"vitals/internal/exit"
	"vitals/internal/harness"
)

// What an audit ends with stands in its last line, with its reason.
func TestAuditTellsItsExitCode(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/auth/me" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, `{}`)
	}))
	defer s.Close()
	var out bytes.Buffer
	o := Options{URL: s.URL, Profile: "clinic", Only: []string{"SH3"}, Own: []string{"127.0.0.1"}, Out: filepath.Join(t.TempDir(), "out")}
	err := Run(t.Context(), o, harness.Streams{Out: &out, Err: io.Discard})
	if want := fmt.Sprintf("\nExit %d: ", exit.Code(err)); !strings.Contains(out.String(), want) {
		t.Errorf("want %q at the end of\n%s", want, out.String())
	}
}

func TestVerdict(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	skipped := audit.Report{Counts: audit.Counts{Pass: 1, Skip: 1}, Findings: []audit.Finding{{ID: "LK5", Status: audit.Skip}}}
	failed := audit.Report{Counts: audit.Counts{Fail: 1, Skip: 1}, Findings: skipped.Findings}
	for _, c := range []struct {
		name string
		ctx  context.Context
		rep  audit.Report
		may  []string
		code int
		why  string
	}{
		{"pass", t.Context(), audit.Report{Counts: audit.Counts{Pass: 1}}, nil, exit.Pass, "pass"},
		{"skip", t.Context(), skipped, nil, exit.NoAnswer, "skipped is not proved"},
		{"skip allowed", t.Context(), skipped, []string{"lk"}, exit.Pass, "pass"},
		{"fail beside skip", t.Context(), failed, nil, exit.Fail, "FAIL"},
		{"nothing asked", t.Context(), audit.Report{}, nil, exit.NoAnswer, "no probe"},
		{"interrupted", ended, failed, nil, exit.Interrupted, "interrupted"},
	} {
		if why, err := verdict(c.ctx, c.rep, c.may); exit.Code(err) != c.code || !strings.Contains(why, c.why) {
			t.Errorf("%s: got %d %q, want %d with %q", c.name, exit.Code(err), why, c.code, c.why)
		}
	}
}

// An origin that no browser sends is no API's to allow.
func TestOriginOfAFlag(t *testing.T) {
	for origin, want := range map[string]string{
		"https://shop.example/": "--origin https://shop.example/: want an origin as browsers send it: scheme, host and any port, without a slash after them, as in https://shop.example",
		"https://shop.example":  "",
		"":                      "",
	} {
		_, err := read(Options{URL: "http://127.0.0.1:1", Profile: "clinic", Class: "safe", Origin: origin, Out: t.TempDir()})
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%q: got %v, want %q", origin, err, want)
		}
	}
}
