package audit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// Safe probes may be sent anywhere: a server that keeps all it gets sees no
// credential, nothing that would create anything, and under five requests a
// second in any second.
func TestSafeProbesDoNoHarm(t *testing.T) {
	if testing.Short() {
		t.Skip("safe probes are slow on purpose, about two minutes; run without -short")
	}
	type seen struct {
		at           time.Time
		method, path string
		body         string
		auth         bool
	}
	var mu sync.Mutex
	var all []seen
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what came is what is looked at
		mu.Lock()
		defer mu.Unlock()
		all = append(all, seen{time.Now(), r.Method, r.URL.Path, string(b), r.Header.Get("Authorization") != ""})
		w.WriteHeader(http.StatusNotFound)
	}))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	rep := audit.Run(t.Context(), probes(t, audit.Safe), &audit.Target{URL: u, Profile: profile.Clinic()}, audit.Options{})
	for _, f := range rep.Findings {
		// What a server that knows only 404 does right: it grants no origin
		// anything, and has no stray files.
		if f.Status == audit.Pass && f.ID != "SH3" && f.ID != "CO2" && f.ID != "CO3" {
			t.Errorf("%s passed on a server that answers nothing but 404", f.ID)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for i, s := range all {
		// Whatever the type and the size: a lenient API would judge it.
		if strings.Contains(s.body, "email") || strings.Contains(s.body, "password") {
			t.Errorf("request %d has what an API could take for a credential: %s %s %.100s", i, s.method, s.path, strings.TrimSpace(s.body))
		}
		if s.auth {
			t.Errorf("request %d carries a credential: %s %s", i, s.method, s.path)
		}
		if s.method == http.MethodPost && !strings.HasSuffix(s.path, "/auth/login") || s.method == http.MethodPut || s.method == http.MethodPatch {
			t.Errorf("request %d may create or change: %s %s", i, s.method, s.path)
		}
		if i >= 6 && s.at.Sub(all[i-6].at) < time.Second {
			t.Errorf("requests %d to %d came within %v: more than 5 a second", i-6, i, s.at.Sub(all[i-6].at))
		}
	}
	t.Logf("%d requests, %+v", len(all), rep.Counts)
}

// Intrusive and control probes send nothing to a target that nobody owns.
func TestNothingIntrusiveWithoutLeave(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	var harsh []audit.Probe
	for _, p := range audit.Probes() {
		if p.Class != audit.Safe {
			harsh = append(harsh, p)
		}
	}
	rep := audit.Run(t.Context(), harsh, &audit.Target{URL: u, Profile: profile.Clinic()}, audit.Options{})
	if rep.Counts.Skip != len(harsh) {
		t.Errorf("got %+v, want all %d skipped", rep.Counts, len(harsh))
	}
	for _, f := range rep.Findings {
		if f.Reason == "" {
			t.Errorf("%s was skipped without a reason", f.ID)
		}
	}
}
