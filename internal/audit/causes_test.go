package audit_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// Where the profile names another status than comes, a burst says which, as one request
// does: nothing is slow, and nobody is accused.
func TestABurstNamesAnUndeclaredStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wrong, refused int
		want           string
	}{
		{400, 429, "400"}, // which a server without room answers as well
		{403, 429, "403"},
		{401, 423, "423"},
	} {
		s := audittest.New("")
		g := s.Serve(t)
		s.Wrong, s.Refused = c.wrong, c.refused // not what its profile says
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK8"), g, audit.Options{Patience: time.Minute, Bursts: 2})
		f := rep.Findings[0]
		if want := c.want + " is no answer that is known: a wrong credential is answered 401 (refused: of operation login in the profile)"; f.Status != audit.Skip || !strings.Contains(f.Reason, want) || strings.Contains(f.Reason, "slowly") {
			t.Errorf("%+v: got %v %q, want SKIP with %q", c, f.Status, f.Reason, want)
		}
	}
}

// Where everything is redirected, the reader sees to where, and no query: it may hold a
// token.
func TestARedirectSaysWhereTo(t *testing.T) {
	t.Parallel()
	g := audittest.New("").Serve(t)
	moved := httptest.NewServer(http.RedirectHandler("https://clinic.test/signin?ticket=abcdefgh", http.StatusPermanentRedirect))
	t.Cleanup(moved.Close)
	g.URL, _ = url.Parse(moved.URL)
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU1"), g, audit.Options{Patience: time.Minute})
	const want = "308 to https://clinic.test/signin?…"
	if f := rep.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, want) || strings.Contains(f.Reason, "ticket") {
		t.Errorf("got %v %q, want SKIP with %q", f.Status, f.Reason, want)
	}
}

// An API that judges fewer than its profile says, or answers a wrong password with an
// error, breaks LK1; what shows the same once more follows from it.
func TestWhatFollowsFromTooFewJudged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*audittest.API){
		"three are judged": func(s *audittest.API) { s.Limit("login", 3) },
		"an error":         func(s *audittest.API) { s.Wrong = 500 },
	} {
		s := audittest.New("")
		g := s.Serve(t)
		change(s)
		g.Profile.Promises.LimitHeaders = nil // that they name 3 is nothing that follows
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK1", "LK2", "LK8", "LK17"), g, audit.Options{Patience: time.Minute, Bursts: 2})
		for _, f := range rep.Findings {
			if want := map[bool]string{true: "", false: "LK1"}[f.ID == "LK1"]; f.Status != audit.Fail || f.Follows != want {
				t.Errorf("%s: %s: got %v, follows %q, want FAIL that follows %q: %s", name, f.ID, f.Status, f.Follows, want, f.Reason)
			}
		}
	}
}

// What any foreign origin is granted is one line, with the first example, its path, and
// how many there were.
func TestForeignOriginsAreOneLine(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Vary", "Origin")
	}))
	t.Cleanup(open.Close)
	var err error
	if g.URL, err = url.Parse(open.URL); err != nil {
		t.Fatal(err)
	}
	f := audit.Run(t.Context(), probes(t, audit.Safe, "CO2"), g, audit.Options{}).Findings[0]
	want := `[1] me: origin "https://evil.example" got Access-Control-Allow-Origin: https://evil.example with Access-Control-Allow-Credentials: true; the same in 28 of 28 requests, from every origin that was tried`
	if f.Status != audit.Fail || !strings.HasPrefix(f.Reason, want) || strings.Contains(f.Reason, "\n") {
		t.Errorf("got %v %q, want one line that begins %q", f.Status, f.Reason, want)
	}
	open.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin")
		if r.Method == http.MethodOptions && r.Header.Get("Origin") == "null" {
			w.Header().Set("Access-Control-Allow-Origin", "null")
		}
	})
	f = audit.Run(t.Context(), probes(t, audit.Safe, "CO2"), g, audit.Options{}).Findings[0]
	if want := `[4] preflight DELETE /v2/whoami: origin "null" got Access-Control-Allow-Origin: null; the same in 1 of 28 requests, from null`; f.Reason != want {
		t.Errorf("got %q, want %q", f.Reason, want)
	}
}

// Where me is answered without any token, that a dead one is follows from AU3, advice as
// well; what outlives its end beside that does not.
func TestWhatFollowsFromAnOpenMe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie     string
		promise bool
		follows string
	}{
		{"whoami is open", true, "AU4 AU6 AU13"}, {"whoami is open", false, "AU4 AU6 AU13"}, {"sessions survive a change", true, ""}, {"signing out ends nothing", true, ""},
	} {
		g := audittest.New(c.lie).Serve(t)
		if !c.promise {
			g.Profile.Promises.Standards = nil
		}
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU3", "AU4", "AU6", "AU13"), g, audit.Options{Patience: time.Minute})
		var got []string
		for _, f := range rep.Findings {
			if f.Follows == "AU3" {
				got = append(got, f.ID)
			}
		}
		if strings.Join(got, " ") != c.follows {
			t.Errorf("%s: got %v, want %q to follow from AU3:\n%s", c.lie, got, c.follows, show(rep))
		}
		var said strings.Builder
		if err := audit.Print(&said, rep, 0); err != nil || strings.Contains(said.String(), "see AU3 first") {
			t.Errorf("%s: %v, AU3 is named as the cause of limits:\n%s", c.lie, err, said.String())
		}
	}
}
