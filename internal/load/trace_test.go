package load

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"vitals/scenarios"
)

// Every request has a trace of its own and says that it is synthetic; a step that has
// a header of its own keeps it.
func TestRequestsCarryATrace(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	bags := map[string]bool{}
	own := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/own" {
			if len(r.Header.Values("traceparent")) == 1 && r.Header.Get("traceparent") == "mine" && r.Header.Get("baggage") == "b=1" {
				own++
			}
			return
		}
		seen[r.Header.Get("traceparent")]++
		bags[r.Header.Get("baggage")] = true
	}))
	defer s.Close()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Read(strings.NewReader(`
name: traced
users: 5
run_for: 1s
journeys:
- name: visit
  think: 5ms
  tasks:
  - name: look
    steps:
    - {name: 'a step, odd', get: /a}
    - {name: own, get: /own, header: {TraceParent: mine, Baggage: b=1}}
`), "traced.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rec := record(sc)
	if _, err := Run(t.Context(), sc, rec, Options{Base: base}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, e := range rec.Finish().Slowest { // those that are kept say which trace they are
		sent := false
		for trace := range seen {
			sent = sent || e.TraceID != "" && strings.HasPrefix(trace, "00-"+e.TraceID+"-")
		}
		if sent != (e.Step != "own") {
			t.Errorf("%s: got trace id %q", e.Step, e.TraceID)
		}
	}
	form := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
	for trace, n := range seen {
		if n != 1 || !form.MatchString(trace) || strings.HasSuffix(trace, "-0000000000000000-01") {
			t.Errorf("got trace %q of %d requests", trace, n)
		}
	}
	if len(seen) < 10 || own < 10 {
		t.Errorf("got %d traces and %d of the step's own", len(seen), own)
	}
	if want := "synthetic=true,vitals.scenario=traced,vitals.step=a%20step%2C%20odd"; len(bags) != 1 || !bags[want] {
		t.Errorf("got baggage %v, want %s", bags, want)
	}
}
