package audit_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// paged serves an API whose list has but the oldest things on its first page, so that the
// latest one stands on it only when the query asks as it should.
func paged(t *testing.T, s *audittest.API, asks string) *audit.Target {
	g := s.Serve(t)
	var mu sync.Mutex
	latest := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.RawQuery
		inner := httptest.NewRecorder()
		s.ServeHTTP(inner, r)
		mu.Lock()
		defer mu.Unlock()
		body := inner.Body.Bytes()
		var made struct{ Ref string }
		if r.Method == http.MethodPost && json.Unmarshal(body, &made) == nil && made.Ref != "" {
			latest = made.Ref
		}
		var items []struct {
			Ref string `json:"ref"`
		}
		if r.Method == http.MethodGet && r.URL.Path == "/v2/things" && query != asks && json.Unmarshal(body, &items) == nil {
			items = slices.DeleteFunc(items, func(one struct {
				Ref string `json:"ref"`
			}) bool {
				return one.Ref == latest
			})
			body, _ = json.Marshal(items)
		}
		for name, values := range inner.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(inner.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	var err error
	if g.URL, err = url.Parse(srv.URL); err != nil {
		t.Fatal(err)
	}
	return g
}

// On a list of several pages the probe asks for more at once, or for the newest first, as
// APIs usually name that; what still has not the object of its owner says what to write.
func TestAnObjectOnALaterPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asks, lie string
		want      audit.Status
		words     string
	}{
		{"perPage=500", "", audit.Pass, ""},
		{"sort=-created_at", "", audit.Pass, ""},
		{"perPage=500", "everybody's things are listed", audit.Fail, "is in the list"},
		{"per_page=500", "who is not signed in may list", audit.Fail, "list?per_page=500 by nobody signed in: got 200"},
		{"rows=all", "", audit.Skip, "so that more stand on it, or the newest first, as in path: /v2/things?perPage=500 or /v2/things?sort=-created (tried: limit, "},
	} {
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU10"), paged(t, audittest.New(c.lie), c.asks), audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != c.want || !strings.Contains(f.Reason, c.words) {
			t.Errorf("%s %s: got %v %q, want %v with %q", c.asks, c.lie, f.Status, f.Reason, c.want, c.words)
		}
	}
}
