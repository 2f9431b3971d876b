package audit_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// An API that promises no standard is held to what its operations declare all the same:
// a wrong password that is accepted, and a forged token that is, are no advice.
func TestWhatAnOperationDeclaresIsPromised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lie, probe, promise string }{
		{"any password will do", "AU1", "operations.login"},
		{"200 with success false", "AU1", "operations.login"},
		{"whoami is open", "AU3", "operations.me"},
		{"signing out ends nothing", "AU13", "operations.me"},
	} {
		t.Run(c.lie, func(t *testing.T) {
			t.Parallel()
			s := audittest.New(c.lie)
			g := s.Serve(t)
			g.Profile.Promises.Standards = nil
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, c.probe), g, audit.Options{Patience: time.Minute})
			if f := rep.Findings[0]; f.Status != audit.Fail || f.Basis == nil || f.Basis.Promise != c.promise || f.Basis.Place.Line == 0 {
				t.Errorf("got %v by %+v, want FAIL by %s:\n%s", f.Status, f.Basis, c.promise, show(rep))
			}
		})
	}
	// What nobody declared stays advice.
	lax := audittest.New("200 with success false").Serve(t)
	lax.Profile.Promises.Standards = nil
	login := lax.Profile.Operations["login"]
	login.Refuse = 0
	lax.Profile.Operations["login"] = login
	if f := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU1"), lax, audit.Options{Patience: time.Minute}).Findings[0]; f.Status != audit.Advice {
		t.Errorf("login without refused: got %v, want ADVICE", f.Status)
	}
	g := audittest.New("unknown accounts are told").Serve(t)
	g.Profile.Promises.Standards = nil
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU1"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Advice {
		t.Errorf("got %v, want ADVICE:\n%s", f.Status, show(rep))
	}
	g = audittest.New("signing out ends nothing").Serve(t)
	g.Profile.Promises.Standards = nil
	me := g.Profile.Operations["me"]
	me.Refuse = 0
	g.Profile.Operations["me"] = me
	rep = audit.Run(t.Context(), probes(t, audit.Intrusive, "AU13"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Advice {
		t.Errorf("me without refused: got %v, want ADVICE:\n%s", f.Status, show(rep))
	}
	// So it is with a refresh token that outlives signing out.
	for refused, want := range map[int]audit.Status{0: audit.Advice, 401: audit.Fail} {
		g := audittest.New("refresh tokens outlive signing out").Serve(t)
		g.Profile.Promises.Standards = nil
		refresh := g.Profile.Operations["refresh"]
		refresh.Refuse = refused
		g.Profile.Operations["refresh"] = refresh
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU13"), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != want || (f.Basis.Promise == "operations.refresh") != (want == audit.Fail) {
			t.Errorf("refresh with refused: %d: got %v by %+v, want %v:\n%s", refused, f.Status, f.Basis, want, show(rep))
		}
	}
}

// A probe names a cause only when no other fits.
func TestCausesAreNamedOnlyWhereTheyFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, probe, want, not string
		api                    func() *audittest.API
	}{
		{"no limit at all, headers", "LK17", "without one no limit is met either", "believed", func() *audittest.API {
			s := audittest.New("")
			s.Limit("login", 1000)
			return s
		}},
		{"no limit at all, spellings", "LK20", "by one spelling alone no limit is met either", "still judged", func() *audittest.API {
			s := audittest.New("")
			s.Limit("login", 1000)
			return s
		}},
		{"one header", "LK17", "X-Forwarded-For is believed", "X-Real-IP", func() *audittest.API { return audittest.New("leftmost X-Forwarded-For") }},
		{"one spelling", "LK20", "these are still judged: beside a session", "path ", func() *audittest.API { return audittest.New("guests alone are limited") }},
		{"a count for each pair", "LK8", "so it is no race", "round 1", func() *audittest.API {
			s := audittest.New("")
			s.CountLoginsBy(profile.ByPair)
			return s
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rep := examined(t, c.api(), c.probe)
			if f := rep.Findings[0]; f.Status != audit.Fail || !strings.Contains(f.Reason, c.want) || strings.Contains(f.Reason, c.not) {
				t.Errorf("got %v %q, want FAIL with %q and without %q", f.Status, f.Reason, c.want, c.not)
			}
		})
	}
	// Hang-ups are sent as other guesses are: a count for each User-Agent has them too.
	rep := examine(t, "a count for each User-Agent", "LK27")
	if f := rep.Findings[0]; f.Status != audit.Pass {
		t.Errorf("got %v %q, want PASS", f.Status, f.Reason)
	}
}

// An API that counts by address and account together, where by the address alone is
// promised, is told so by the probe of the limit; what repeats it follows, and the
// invariants refer to it.
func TestACountByOtherThanPromisedIsNamed(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	s.CountLoginsBy(profile.ByPair)
	rep := examined(t, s, "LK2", "LK5")
	for _, f := range rep.Findings {
		if f.ID == "LK2" && (f.Status != audit.Fail || !strings.Contains(f.Reason, "by address and account together")) {
			t.Errorf("LK2: got %v %q, want FAIL with what it counts by", f.Status, f.Reason)
		}
		if f.ID == "LK5" && f.Follows != "LK2" {
			t.Errorf("LK5: got %v, follows %q: %s, want it to follow LK2", f.Status, f.Follows, f.Reason)
		}
	}
	var said strings.Builder
	if err := audit.Print(&said, rep, 0); err != nil {
		t.Fatal(err)
	}
	if len(rep.Violations) == 0 || !strings.Contains(said.String(), "(see LK2 first)") {
		t.Errorf("%d violations, want some, and that they refer to LK2:\n%s", len(rep.Violations), said.String())
	}
}

// An API whose failures stay when somebody signs in breaks the usual promise, and keeps
// its own where that is what it says.
func TestASuccessThatClearsNothingMayBePromised(t *testing.T) {
	t.Parallel()
	for _, said := range []string{profile.Clears, profile.Keeps, ""} {
		for _, lie := range []string{"a success clears nothing", ""} {
			g := audittest.New(lie).Serve(t)
			l := g.Profile.Limits["login"]
			l.Success = said
			g.Profile.Limits["login"] = l
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK1", "LK2", "LK14", "LK15"), g, audit.Options{Patience: time.Minute})
			want := said == profile.Clears && lie != ""
			if got := strings.Join(red(rep), " "); want != strings.Contains(got, "LK15") || !want && said != profile.Keeps && got != "" {
				t.Errorf("success: %q, lie %q: red at %q:\n%s", said, lie, got, show(rep))
			}
		}
	}
}

// Behind a slow network a refusal takes as long as a judgement: what it costs is not
// promised by a limit alone, and what the way takes is no cost.
func TestASlowNetworkIsNoCost(t *testing.T) {
	t.Parallel()
	for _, guide := range []bool{false, true} {
		s := audittest.New("")
		g := s.Serve(t)
		slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(40 * time.Millisecond) // both ways, of any request
			s.ServeHTTP(w, r)
		}))
		t.Cleanup(slow.Close)
		u, err := url.Parse(slow.URL)
		if err != nil {
			t.Fatal(err)
		}
		g.URL = u
		if !guide {
			g.Profile.Promises.Standards = nil
		}
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK3"), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != audit.Pass {
			t.Errorf("guide %v: got %v %q, want PASS", guide, f.Status, f.Reason)
		}
	}
}

// What a probe was asking when the audit ended is not the API's doing.
func TestAnInterruptedProbeAccusesNobody(t *testing.T) {
	t.Parallel()
	for _, probe := range []string{"LK1", "LK2", "LK4", "LK8", "LK14"} {
		s := audittest.New("")
		g := s.Serve(t)
		ctx, end := context.WithCancel(t.Context())
		var asked atomic.Int64
		hung := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 3 {
				end()
				_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the client is gone
				<-r.Context().Done()
				return
			}
			s.ServeHTTP(w, r)
		}))
		t.Cleanup(hung.Close)
		u, err := url.Parse(hung.URL)
		if err != nil {
			t.Fatal(err)
		}
		g.URL = u
		rep := audit.Run(ctx, probes(t, audit.Intrusive, probe), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != audit.Skip || f.Reason != "interrupted" || !rep.Partial {
			t.Errorf("%s: got %v %q, want SKIP, interrupted", probe, f.Status, f.Reason)
		}
	}
}

// An API that goes away in the middle of an audit is accused of nothing, and asked no
// further.
func TestAnAPIThatStops(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	var asked atomic.Int64
	var away *httptest.Server
	away = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 4 {
			_ = away.Listener.Close()
			go away.CloseClientConnections()
			panic(http.ErrAbortHandler)
		}
		s.ServeHTTP(w, r)
	}))
	away.Start()
	t.Cleanup(away.Close)
	u, err := url.Parse(away.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.URL = u
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2", "LK3", "LK6"), g, audit.Options{Patience: time.Minute})
	if got := red(rep); len(got) > 0 || rep.Stopped == "" || rep.Counts.Skip != 3 {
		t.Errorf("red at %v, stopped in %q, want nothing red and all skipped:\n%s", got, rep.Stopped, show(rep))
	}
}

// A promised lock is waited for as long as it is promised, whatever refusals say of it.
func TestALockIsAsLongAsItIsPromised(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	g.Profile.Promises.LimitHeaders = nil // nobody promised a Retry-After, and it says 4 s
	l := g.Profile.Limits["login"]
	l.Lock = 8 * time.Second
	g.Profile.Limits["login"] = l
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK5"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Fail || !strings.Contains(f.Reason, "want 429") {
		t.Errorf("got %v %q, want FAIL: the lock ended after 4 s of 8", f.Status, f.Reason)
	}
}

// What answers but is not the API is told in one sentence, and nothing else is asked.
func TestAbsent(t *testing.T) {
	t.Parallel()
	serve := func(h http.HandlerFunc) *url.URL {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		u, err := url.Parse(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	sound := audittest.New("").Serve(t)
	for _, c := range []struct {
		name, want string
		at         *url.URL
	}{
		{"sound", "", sound.URL},
		{"all 503", "GET /health got 503, declared is any of 2xx; GET /v2/whoami without a token got 503, declared is 401", serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })},
		{"all redirected", "GET /health got 302", serve(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sign-in", http.StatusFound) })},
		{"one page", "GET /health is answered 200 with what a path that is not there gets", serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<!doctype html>") })},
		{"another prefix", "GET /health got 404", serve(http.NotFound)},
		{"everything guarded", "", serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })},
		{"me is open, and health elsewhere", "", serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(map[bool]int{true: 200, false: 404}[r.URL.Path == "/v2/whoami"])
		})},
		{"health alone is elsewhere", "", serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(map[bool]int{true: 401, false: 404}[r.URL.Path == "/v2/whoami"])
		})},
	} {
		g := *sound
		g.URL = c.at
		if got := audit.Absent(t.Context(), &g); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// Of a profile that has one of the two, what else can be read tells; a pass that rests on
	// nothing but 404s is none.
	alone := *sound
	alone.Profile = audittest.New("").Profile(t)
	delete(alone.Profile.Operations, "me")
	list := alone.Profile.Operations["list"].Path
	for _, c := range []struct {
		status, listed int
		want           string
	}{
		{404, 401, ""},
		{404, 404, "GET /health got 404, declared is any of 2xx; GET /ready got 404, declared is any of 2xx; "},
		{503, 401, "GET /health got 503, declared is any of 2xx"},
	} {
		alone.URL = serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(map[bool]int{true: c.listed, false: c.status}[r.URL.Path == list])
		})
		if got := audit.Absent(t.Context(), &alone); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("health alone, %+v: got %q", c, got)
		}
	}
}

// A profile without me is audited by its list, if that is not for everybody.
func TestAListShowsWhatATokenOpens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie  string
		want map[string]audit.Status
		open bool // the list
	}{
		{"", map[string]audit.Status{"AU3": audit.Pass, "AU4": audit.Pass, "AU6": audit.Pass, "AU13": audit.Pass}, false},
		{"signing out ends nothing", map[string]audit.Status{"AU13": audit.Fail}, false},
		{"", map[string]audit.Status{"AU3": audit.Skip, "AU13": audit.Skip}, true},
	} {
		t.Run(fmt.Sprint(c.lie, c.open), func(t *testing.T) {
			t.Parallel()
			g := audittest.New(c.lie).Serve(t)
			delete(g.Profile.Operations, "me")
			if c.open {
				list := g.Profile.Operations["list"]
				list.Path = g.Profile.Operations["health"].Path
				g.Profile.Operations["list"] = list
			}
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, slices.Sorted(maps.Keys(c.want))...), g, audit.Options{Patience: time.Minute})
			for _, f := range rep.Findings {
				if f.Status != c.want[f.ID] || f.Status == audit.Skip && !strings.Contains(f.Reason, "list tells nothing about tokens") {
					t.Errorf("%s: got %v, want %v: %s", f.ID, f.Status, c.want[f.ID], f.Reason)
				}
			}
		})
	}
}

// What an operation declares and could not be looked at, for the one client address was
// spent, is SKIP: it is not what nobody promised.
func TestWhatIsDeclaredAndNotLookedAtIsSkipped(t *testing.T) {
	t.Parallel()
	g := audittest.New("signing out ends nothing").Serve(t)
	g.Profile.Promises.Standards, g.Source = nil, nil
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2", "AU13", "AU3", "AU1"), g, audit.Options{Patience: time.Minute})
	for _, f := range rep.Findings {
		if f.Status == audit.NotAsked {
			t.Errorf("%s: got NOT ASKED: %s", f.ID, f.Reason)
		}
	}
}
