package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

func sentry() []Probe {
	return []Probe{
		{
			ID: "SE1", Title: "an error and a panic make one tagged event each", Guide: "production-guide:237", Class: Control, run: oneEventEach,
			Why: "An event without its request id cannot be found in the log; three for one error bury the next.",
			Fix: "One event per logged error, tagged with request_id and environment.",
		},
		{
			ID: "SE2", Title: "sampling rates are kept, whatever the client asks for", Guide: "production-guide:64", Class: Control, run: sampling,
			Why: "A rate of 0 that means all, or a client's header that decides, makes a bill and a load of somebody else's choosing.",
			Fix: "Start no client at rate 0; decide by an own sampler that ignores the parent.",
		},
		{
			ID: "SE3", Title: "an error service that hangs is not felt", Guide: "production-guide:223", Class: Control, run: hangingIngest,
			Why: "Reports sent from within the request make their service's outage ours.",
			Fix: "Send in the background from a bounded queue.",
		},
	}
}

// sink is an error service of ours.
type sink struct {
	dsn  string
	mu   sync.Mutex
	text [][]byte
}

// sink starts an error service; before, when not nil, runs ahead of each answer.
func (t *T) sink(before func(*http.Request)) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no port for an error service: %v", err)
	}
	s := &sink{dsn: fmt.Sprintf("http://3f9a1c5e7b2d4860a1b3c5d7e9f0a2b4@%s/7", l.Addr())}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20)) // what came is what is looked at
		s.mu.Lock()
		s.text = append(s.text, b)
		s.mu.Unlock()
		if before != nil {
			before(r)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"00000000000000000000000000000000"}`) // the client may be gone
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l) // ends by Close
	}()
	t.mu.Lock()
	// Ended first of all, so that an API that waits for it can leave.
	t.closers = append(t.closers, closing(srv, ended))
	t.mu.Unlock()
	return s
}

// items are the payloads of a type in all envelopes: a header line, then for each
// item a line {"type":…} and its payload.
func (s *sink) items(kind string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []map[string]any
	for _, text := range s.text {
		lines := bytes.Split(text, []byte("\n"))
		for i := 1; i+1 < len(lines); i++ {
			var head struct{ Type string }
			if json.Unmarshal(lines[i], &head) != nil || head.Type != kind {
				continue
			}
			var m map[string]any
			if json.Unmarshal(lines[i+1], &m) == nil {
				out = append(out, m)
			}
			i++
		}
	}
	return out
}

// count is how many reports came.
func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.text)
}

// all is everything that came.
func (s *sink) all() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Join(s.text, []byte("\n"))
}

// settled waits until the number of items stays the same.
func (t *T) settled(s *sink, kind string, want int) int {
	n, since := len(s.items(kind)), time.Now()
	for time.Since(since) < 1500*time.Millisecond {
		t.sleep(100 * time.Millisecond)
		if now := len(s.items(kind)); now != n {
			n, since = now, time.Now()
		}
		if n < want && time.Since(since) > time.Second {
			t.sleep(time.Second) // the transport may still be at it
		}
	}
	return n
}

// failing is an API whose list fails, with error reports to a sink.
func (t *T) failing(env map[string]string) (*T, session) {
	all := map[string]string{"RATE_LIMIT_API": "100000", "SENTRY_TRACES_SAMPLE_RATE": "0"}
	for k, v := range env {
		all[k] = v
	}
	live, api := t.Launch(Launch{Postgres: true, Env: all})
	s := live.Session()
	live.sql(api, "ALTER TABLE medications RENAME TO medications_gone")
	return live, s
}

func oneEventEach(t *T) {
	sink := t.sink(nil)
	live, s := t.failing(map[string]string{"SENTRY_DSN": sink.dsn, "SENTRY_ENVIRONMENT": "audit-7"})
	a := live.Do("list", s.from, s.access, nil)
	t.Want(a, http.StatusInternalServerError)
	t.Check(t.settled(sink, "event", 1) == 1, "one error made %d events, want 1", len(sink.items("event")))
	t.tagged(sink, a)
	panicked, can := t.panicking(map[string]string{"SENTRY_DSN": sink.dsn, "SENTRY_ENVIRONMENT": "audit-7"})
	if !can {
		t.Skip("an error makes one tagged event; this build cannot be made to panic (it takes one with the tag faults)")
	}
	t.Check(t.settled(sink, "event", 2) == 2, "an error and a panic made %d events, want 2", len(sink.items("event")))
	t.tagged(sink, panicked)
}

func (t *T) tagged(s *sink, a Answer) {
	for _, e := range s.items("event") {
		tags, _ := e["tags"].(map[string]any)
		if tags["request_id"] == a.Header.Get(requestIDHeader) {
			t.Check(e["environment"] == "audit-7", "an event's environment is %v, want audit-7", e["environment"])
			return
		}
	}
	t.Fail("no event is tagged with request_id %s", a.Header.Get(requestIDHeader))
}

func sampling(t *T) {
	const errors, requests = 200, 400
	off := t.sink(nil)
	live, s := t.failing(map[string]string{"SENTRY_DSN": off.dsn, "SENTRY_SAMPLE_RATE": "0"})
	for range 20 {
		live.Do("list", s.from, s.access, nil)
	}
	t.Check(t.settled(off, "event", 0) == 0, "at a rate of 0 there were %d events of 20 errors", len(off.items("event")))
	quarter := t.sink(nil)
	live, s = t.failing(map[string]string{"SENTRY_DSN": quarter.dsn, "SENTRY_SAMPLE_RATE": "0.25", "SENTRY_TRACES_SAMPLE_RATE": "0.1"})
	for range errors {
		live.Do("list", s.from, s.access, nil)
	}
	lo, hi := binomial(errors, 0.25)
	n := t.settled(quarter, "event", lo)
	t.Check(n >= lo && n <= hi, "at a rate of 0.25 there were %d events of %d errors, want %d to %d", n, errors, lo, hi)
	before := len(quarter.items("transaction"))
	for i := range requests {
		q := live.Request("me", s.from, s.access, nil)
		q.Header.Set("sentry-trace", fmt.Sprintf("%032x-%016x-1", i+1, i+1))
		q.Header.Set("baggage", "sentry-sampled=true,sentry-sample_rate=1,sentry-sample_rand=0.000001")
		live.Send(q)
	}
	lo, hi = binomial(requests, 0.1)
	n = t.settled(quarter, "transaction", before+lo) - before
	t.Check(n >= lo && n <= hi, "with a forged sentry-trace and a rate of 0.1 there were %d traces of %d requests, want %d to %d", n, requests, lo, hi)
}

func hangingIngest(t *T) {
	const many = 150
	p95 := func(env map[string]string) (time.Duration, *T) {
		live, s := t.failing(env)
		var ds []time.Duration
		for range many {
			a := live.Do("list", s.from, s.access, nil)
			if !t.Want(a, http.StatusInternalServerError) {
				t.Stop()
			}
			ds = append(ds, a.Done.Sub(a.Sent))
		}
		return quantile(ds, 0.95), live
	}
	release := make(chan struct{})
	hung := t.sink(func(r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	var live *T
	t.shows(func() string {
		quiet, _ := p95(map[string]string{"SENTRY_DSN": ""})
		var hanging time.Duration
		hanging, live = p95(map[string]string{"SENTRY_DSN": hung.dsn})
		t.Note("p95 of failing requests: %v without an error service, %v with one that hangs", quiet.Round(10*time.Microsecond), hanging.Round(10*time.Microsecond))
		bound := max(quiet*11/10, quiet+30*time.Millisecond) // as SH4
		if hanging <= bound {
			return ""
		}
		return fmt.Sprintf("p95 with an error service that hangs is %v, without one %v; at most %v is allowed", hanging, quiet, bound)
	})
	t.Check(hung.count() < many/2, "%d reports are under way at once: the queue has no bound", hung.count())
	t.Want(live.Do("health", live.plain(), "", nil), http.StatusOK)
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
