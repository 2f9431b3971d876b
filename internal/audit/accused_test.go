package audit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// An application that answers every path with its one page serves no stray one.
func TestOnePageForEveryPathIsNoStray(t *testing.T) {
	t.Parallel()
	g := audittest.New("").Serve(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<!doctype html><div id=app></div>")
	}))
	t.Cleanup(page.Close)
	g.URL, _ = url.Parse(page.URL)
	rep := audit.Run(t.Context(), probes(t, audit.Safe, "SH3"), g, audit.Options{})
	if got := red(rep); len(got) > 0 || rep.Counts.Pass != 1 {
		t.Errorf("got %v, want SH3 passed:\n%s", got, show(rep))
	}
}

// A metrics page that names its counters otherwise is no witness, and accuses nobody.
func TestAPageWithoutTheCounterAccusesNobody(t *testing.T) {
	t.Parallel()
	g := audittest.New("").Serve(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "# TYPE requests_served counter\nrequests_served 4\n")
	}))
	t.Cleanup(page.Close)
	g.Admin, _ = url.Parse(page.URL)
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK30"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, "declares no other counter") {
		t.Errorf("got %v %q, want a skip that names the counter", f.Status, f.Reason)
	}
}

// Tokens that stand under the profile's own names, granted to right and wrong passwords
// alike, and the addresses of people are in no transcript.
func TestRenamedTokensStandInNoTranscript(t *testing.T) {
	t.Parallel()
	for _, lie := range []string{"", "any password will do"} {
		s := audittest.New(lie)
		rep := examined(t, s, "LK1", "LK3", "LK6", "AU4")
		text, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		issued := s.Issued()
		if len(issued) == 0 {
			t.Fatalf("%q: no token was granted: it shows nothing", lie)
		}
		for _, token := range issued {
			if strings.Contains(string(text), token) {
				t.Fatalf("%q: a live token stands in the report", lie)
			}
		}
		if i := strings.Index(string(text), "@thirdparty.example"); i >= 0 && strings.Contains(string(text), "user1@thirdparty.example") {
			t.Errorf("%q: an account's whole address stands in the report: …%s", lie, text[max(0, i-60):i+20])
		}
	}
}
