package audit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// through puts a handler before an API.
func through(t *testing.T, s *audittest.API, before func(http.ResponseWriter, *http.Request)) *audit.Target {
	t.Helper()
	g := s.Serve(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before(w, r)
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.URL = u
	return g
}

// Every body with a doubled field is JSON, and every field is doubled in its own
// letters and in capitals.
func TestDoubledFieldsAreSentAsJSON(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	twice := map[string]int{}
	g := through(t, audittest.New(""), func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // what came is what is looked at
		r.Body = io.NopCloser(bytes.NewReader(b))
		mu.Lock()
		defer mu.Unlock()
		if len(b) > 0 && !json.Valid(b) {
			t.Errorf("%s %s got what is no JSON: %s", r.Method, r.URL.Path, b)
		}
		for _, key := range []string{"name", "due", "mail", "word"} {
			n := strings.Count(string(b), `"`+key+`":`)
			if n == 2 || n == 1 && strings.Contains(string(b), `"`+strings.ToUpper(key)+`":`) {
				twice[key]++
			}
		}
	})
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "SH6"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Pass {
		t.Errorf("got %v %q", f.Status, f.Reason)
	}
	for key, want := range map[string]int{"name": 4, "due": 2, "mail": 2, "word": 2} { // name is updated as well
		if twice[key] != want {
			t.Errorf("%s was doubled %d times, want %d", key, twice[key], want)
		}
	}
}

// Where nobody promised a list of methods and headers, CO3 says no word of one.
func TestNoListIsClaimedThatNobodyPromised(t *testing.T) {
	t.Parallel()
	g := through(t, audittest.New(""), func(w http.ResponseWriter, r *http.Request) {
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			w.Header().Add("Access-Control-Allow-Headers", asked)
		}
	})
	g.Profile.Promises.Standards = nil
	rep := audit.Run(t.Context(), probes(t, audit.Safe, "CO3"), g, audit.Options{})
	f := rep.Findings[0]
	if f.Status != audit.Pass || strings.Contains(f.Title, "header") || !strings.Contains(strings.Join(f.Notes, " "), "was not judged") {
		t.Errorf("got %v %q, notes %q, want nothing claimed of headers", f.Status, f.Title, f.Notes)
	}
}
