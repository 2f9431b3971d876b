package observe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/observe"
)

// page is a process of a server, as far as its books show it.
type page struct {
	mu       sync.Mutex
	counts   map[string]int // labels → requests
	inFlight int
	drain    int // readings until nothing is in flight any more; -1 = never
	started  float64
	restarts int
	other    string // instead of all that
}

func (p *page) serve(t *testing.T) *url.URL {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.other != "" {
			fmt.Fprint(w, p.other)
			return
		}
		fmt.Fprintf(w, "# TYPE http_in_flight gauge\nhttp_in_flight %d\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %f\n", p.inFlight, p.started)
		fmt.Fprintf(w, "# TYPE process_worker_restarts_total counter\nprocess_worker_restarts_total %d\n", p.restarts)
		if len(p.counts) > 0 {
			fmt.Fprintln(w, "# TYPE http_requests_total counter")
		}
		for labels, n := range p.counts {
			f := strings.Fields(labels)
			fmt.Fprintf(w, "http_requests_total{method=%q,route=%q,status=%q} %d\n", f[0], f[1], f[2], n)
		}
		if p.drain--; p.drain == 0 {
			p.inFlight = 0
		}
	}))
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	return u
}

func read(t *testing.T, pages ...*url.URL) *observe.Reading {
	t.Helper()
	r, err := observe.Read(t.Context(), http.DefaultClient, pages)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func probe(route string) bool { return route == "/ready" }

// The client sends the same always; the server's books, and what the client saw of
// it, differ from case to case.
func TestReconcile(t *testing.T) {
	type counts map[string]int
	honest := counts{"GET /api/items/{{id}} 200": 20, "GET /api/items/list 200": 5, "POST /api/login 401": 5, "POST /api/login 429": 7, "GET /nowhere 404": 1}
	agreed := counts{"GET /api/items/{id} 200": 20, "GET /api/items/list 200": 5, "POST /api/login 401": 5, "POST /api/login 429": 7, "GET unmatched 404": 1}
	and := func(base counts, more counts) counts {
		out := counts{}
		for k, n := range base {
			out[k] = n
		}
		for k, n := range more {
			out[k] += n
		}
		return out
	}
	for name, tt := range map[string]struct {
		ours, theirs counts
		bare         counts // answers without a request ID
		was          int    // in flight at the first reading
		started      float64
		restarts     int
		terms        observe.Terms
		finding      string // in the first; "" = none
		explained    string // in the only one; "" = none
		unread       string
		routes       int
	}{
		"agree":               {ours: honest, theirs: agreed, routes: 4},
		"counted twice":       {ours: honest, theirs: and(agreed, counts{"POST /api/login 401": 1}), finding: "POST /api/login 401: we counted 5, the server 6"},
		"never counted":       {ours: honest, theirs: and(agreed, counts{"GET /api/items/{id} 200": -1}), finding: "GET /api/items/{id} 200: we counted 20, the server 19"},
		"another status":      {ours: honest, theirs: and(agreed, counts{"POST /api/login 429": -1, "POST /api/login 200": 1}), finding: "POST /api/login 200: we counted 0, the server 1"},
		"another client":      {ours: honest, theirs: and(agreed, counts{"GET /api/users 200": 10}), finding: "GET /api/users 200: we counted 0, the server 10: somebody else uses it"},
		"another method":      {ours: honest, theirs: and(agreed, counts{"PATCH /api/items/{id} 200": 1}), finding: "somebody else"},
		"a probe":             {ours: honest, theirs: and(agreed, counts{"GET /ready 200": 3}), terms: observe.Terms{Operational: probe}, explained: "3 health checks and readings"},
		"a probe of another":  {ours: honest, theirs: and(agreed, counts{"GET /health 200": 3}), terms: observe.Terms{Operational: probe}, finding: "GET /health 200"},
		"no answer":           {ours: and(honest, counts{"POST /api/login 0": 3}), theirs: and(agreed, counts{"POST /api/login 499": 1, "POST /api/login 401": 1}), explained: "3 requests had no whole answer; the server counted 2 of them"},
		"no answer, but more": {ours: and(honest, counts{"POST /api/login 0": 1}), theirs: and(agreed, counts{"POST /api/login 499": 1, "POST /api/login 401": 1}), finding: "POST /api/login 401"},
		"no answer elsewhere": {ours: and(honest, counts{"POST /api/login 0": 1}), theirs: and(agreed, counts{"GET /api/items/{id} 200": 1}), finding: "GET /api/items/{id} 200"},
		"gone after answer":   {ours: honest, theirs: and(agreed, counts{"POST /api/login 429": -2, "POST /api/login 499": 2}), explained: "2 counted as 499"},
		"gone, nobody's":      {ours: honest, theirs: and(agreed, counts{"POST /api/login 499": 2}), finding: "POST /api/login 499"},
		"under way before":    {ours: honest, theirs: and(agreed, counts{"GET /api/items/list 200": 2}), was: 2, explained: "2 under way at the first reading"},
		"in front":            {ours: honest, theirs: agreed, bare: counts{"GET /api/items/list 502": 4}, explained: "4 answered in front of the API"},
		"restart":             {ours: honest, theirs: agreed, started: 60, finding: "the system restarted mid-run", unread: "restarted"},
		"restart on purpose":  {ours: honest, theirs: agreed, started: 60, terms: observe.Terms{Restart: true}, unread: "on purpose"},
		"the clock is set":    {ours: honest, theirs: agreed, started: 1, routes: 4},
		"worker restarts":     {ours: honest, theirs: agreed, restarts: 1, finding: "a worker of the system restarted", unread: "worker"},
		"a count fell":        {ours: honest, theirs: and(agreed, counts{"GET /api/items/list 200": -6}), finding: "fell from 1 to 0", unread: "fell"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &page{counts: counts{"GET /api/items/list 200": 1}, started: 1000, inFlight: tt.was, drain: -1}
			at := p.serve(t)
			before := read(t, at)
			l := observe.NewRequestCounts()
			enter := func(c counts, id bool) {
				for labels, n := range c {
					var e observe.Entry
					_, _ = fmt.Sscan(labels, &e.Method, &e.Route, &e.Status)
					for range n {
						l.Add(e, id)
					}
				}
			}
			enter(tt.ours, true)
			enter(tt.bare, false)
			p.mu.Lock()
			p.counts, p.started, p.restarts, p.inFlight = and(p.counts, tt.theirs), 1000+tt.started, tt.restarts, 0
			p.mu.Unlock()
			b := observe.Reconcile(before, read(t, at), l, tt.terms)
			if (tt.finding == "") != (len(b.Findings) == 0) || tt.finding != "" && !strings.Contains(strings.Join(b.Findings, "\n"), tt.finding) {
				t.Errorf("got findings %q, want %q", b.Findings, tt.finding)
			}
			if tt.finding == "" && ((tt.explained == "") != (len(b.Explained) == 0) || !strings.Contains(strings.Join(b.Explained, "\n"), tt.explained)) {
				t.Errorf("got explained %q, want %q", b.Explained, tt.explained)
			}
			if (tt.unread == "") != (b.Unread == "") || !strings.Contains(b.Unread, tt.unread) {
				t.Errorf("got unread %q, want %q", b.Unread, tt.unread)
			}
			if tt.routes > 0 && (b.Requests != 38 || b.Routes != tt.routes || len(b.Rows) != 5) {
				t.Errorf("got %d requests on %d routes in %d rows, want 38 on %d in 5", b.Requests, b.Routes, len(b.Rows), tt.routes)
			}
			found := 0
			for _, r := range b.Rows {
				if r.Found {
					found++
				}
			}
			if b.Unread == "" && found != len(b.Findings) {
				t.Errorf("got %d rows marked for %d findings", found, len(b.Findings))
			}
		})
	}
}

// All replicas are one system; the last request is waited for.
func TestReadAddsReplicasUpAndWaits(t *testing.T) {
	a, b := &page{started: 1000, inFlight: 1, drain: 3}, &page{started: 2000}
	pages := []*url.URL{a.serve(t), b.serve(t)}
	began := time.Now()
	before := read(t, pages...)
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("got a reading after %v, want it after what was under way", took)
	}
	a.counts, b.counts = map[string]int{"GET /x 200": 3}, map[string]int{"GET /x 200": 4}
	l := observe.NewRequestCounts()
	for range 7 {
		l.Add(observe.Entry{Method: "GET", Route: "/x", Status: 200}, true)
	}
	after := read(t, pages...)
	if got := observe.Reconcile(before, after, l, observe.Terms{}); len(got.Findings)+len(got.Explained) > 0 || got.Requests != 7 {
		t.Errorf("got %+v, want 7 that agree", got)
	}
	b.mu.Lock()
	b.started = 3000
	b.mu.Unlock()
	if got := observe.Reconcile(before, read(t, pages...), l, observe.Terms{}); len(got.Findings) != 1 || !strings.Contains(got.Findings[0], "restarted") {
		t.Errorf("got %+v, want the second replica's restart", got)
	}
}

func TestReadNamesWhatItCannotRead(t *testing.T) {
	for text, want := range map[string]string{
		"# TYPE up gauge\nup 1\n": "another make",
		"# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\",handler=\"/\"} 3\n": "does not count by method, route and status",
		"no metrics {": "scrape",
	} {
		p := &page{other: text}
		if _, err := observe.Read(t.Context(), http.DefaultClient, []*url.URL{p.serve(t)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	_, err := observe.Read(t.Context(), http.DefaultClient, []*url.URL{{Scheme: "http", Host: "127.0.0.1:1", Path: "/metrics"}})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want the refused connection", err)
	}
}

// A ledger does not grow with the paths that intruders invent; what it cannot keep
// is no agreement.
func TestLedgerIsBounded(t *testing.T) {
	p := &page{started: 1}
	at := p.serve(t)
	before := read(t, at)
	l := observe.NewRequestCounts()
	for i := range 10_000 {
		l.Add(observe.Entry{Method: "GET", Route: fmt.Sprint("/", i), Status: 404}, true)
	}
	p.mu.Lock()
	p.counts = map[string]int{"GET unmatched 404": 10_000}
	p.mu.Unlock()
	if b := observe.Reconcile(before, read(t, at), l, observe.Terms{}); b.Unread == "" {
		t.Errorf("got %+v, want it unread", b)
	}
}

func BenchmarkLedger(b *testing.B) {
	l := observe.NewRequestCounts()
	routes := []string{"/api/v1/medications", "/api/v1/medications/{{medication_id}}", "/api/v1/reminders", "/api/v1/logs"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Add(observe.Entry{Method: "GET", Route: routes[i%4], Status: 200}, true)
	}
}
