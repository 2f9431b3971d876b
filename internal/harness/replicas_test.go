package harness

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/internal/wire"
	"vitals/report"
)

// Two replicas are one system: their counts add up, their limits are one, and a
// restart of either is seen, unless it was meant.
func TestTwoReplicasAreOneSystem(t *testing.T) {
	if err := containers.Available(t.Context()); err != nil {
		t.Skipf("the container stack was not run: %v", err)
	}
	s, err := containers.Starter{Binary: program(), Accounts: 12, Replicas: 2, LogFile: filepath.Join(t.TempDir(), "api.log")}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if len(s.Admins) != 2 {
		t.Fatalf("got %d metrics pages, want 2", len(s.Admins))
	}
	undeclared := s.Fault
	monitor := newLimitMonitor(s, profile.Clinic())
	monitor.watch(s)
	scenario := func(meanwhile func()) *report.Run {
		run := &report.Run{Result: &measure.Result{}}
		counts := &countHook{st: s, restarts: monitor.restarts, counts: observe.NewRequestCounts(), anew: &anew{}}
		counts.Before(t.Context(), nil)
		for i, base := range s.Replicas {
			c := wire.NewClient(base, s.Forward, 0)
			c.Watch(func(x *wire.Seen) { monitor.see(x); counts.see(x) })
			for k := range 12 {
				a := s.Accounts[k]
				body := fmt.Sprintf(`{"email":%q,"password":"wrong-%d"}`, a.Email, i)
				from := stack.Benchmark(7) // one guesser, at both
				if k%3 == 0 {
					body, from = fmt.Sprintf(`{"email":%q,"password":%q}`, a.Email, a.Password), stack.Benchmark(uint64(100+k))
				}
				if _, err := c.Send(t.Context(), wire.Request{Method: "POST", Path: "/api/v1/auth/login", From: from, Body: []byte(body), User: a.Email,
					Header: http.Header{"Content-Type": {"application/json"}}}); err != nil {
					t.Error(err)
				}
			}
			c.Close()
		}
		meanwhile()
		counts.After(t.Context(), run)
		run.Invariants = monitor.report(false)
		return run
	}
	run := scenario(func() {})
	if b := run.Reconciliation; b.Unread != "" || len(b.Findings)+len(b.Explained) > 0 || b.Requests != 24 {
		t.Errorf("got counts %+v, want 24 requests that agree", b)
	}
	if h := run.Invariants; h.Broken() > 0 || h.Answers != 24 {
		t.Errorf("got invariants %+v, want 24 answers and no invariant broken", h)
	}
	again := func(fault func(context.Context, string, stack.Action) error) func() {
		return func() {
			for _, a := range []stack.Action{stack.Kill, stack.Start} {
				if err := fault(t.Context(), "api-2", a); err != nil {
					t.Fatal(err)
				}
			}
			for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				resp, err := http.Get(s.Replicas[1].JoinPath("ready").String())
				if err == nil {
					resp.Body.Close()
				}
				if err == nil && resp.StatusCode == http.StatusOK {
					return
				}
				if time.Now().After(end) {
					t.Fatalf("the replica is not ready again: %v", err)
				}
			}
		}
	}
	if b := scenario(again(s.Fault)).Reconciliation; len(b.Findings) > 0 || !strings.Contains(b.Unread, "on purpose") {
		t.Errorf("got counts %+v, want the restart explained", b)
	}
	time.Sleep(2 * time.Second) // a process as young as its successor's start-up would look like it
	if b := scenario(again(undeclared)).Reconciliation; len(b.Findings) != 1 || !strings.Contains(b.Findings[0], "restarted mid-run") {
		t.Errorf("got counts %+v, want the restart found", b)
	}
}
