package harness

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/scenarios"
)

// limiter is a server with a lockout and a quota, on short clocks, that breaks its
// promise in a named way. It is written from the promise, not from ours.
type limiter struct {
	fault string
	mu    sync.Mutex
	seen  map[string]*guest
}

type guest struct {
	failed, asked []time.Time
	locked        time.Time
	attempts      int
}

const (
	loginLimit, apiLimit = 5, 6
	lockTime             = 2 * time.Second
)

func (l *limiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if l.fault == "for all" {
		host = ""
	}
	c := l.seen[host]
	if c == nil {
		c = &guest{}
		l.seen[host] = c
	}
	c.attempts++
	now := time.Now()
	answer := func(status, limit, left int, wait time.Duration) {
		h := w.Header()
		h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, left)))
		h.Set("X-Request-ID", fmt.Sprintf("%s-%d", host, c.attempts))
		if status == 429 {
			h.Set("Retry-After", strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second))))
		}
		w.WriteHeader(status)
	}
	if r.URL.Path != "/api/v1/auth/login" {
		l.request(c, now, answer)
		return
	}
	l.signIn(c, r, now, answer)
}

func (l *limiter) signIn(c *guest, r *http.Request, now time.Time, answer func(status, limit, left int, wait time.Duration)) {
	var in struct{ Password string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	late := time.Duration(0)
	if l.fault == "late" {
		late = 2500 * time.Millisecond // after the end that it tells
	}
	if rest := c.locked.Add(late).Sub(now); rest > 0 && !(l.fault == "leaky" && c.attempts%5 == 0) {
		if l.fault == "prolonging" {
			c.locked = now.Add(lockTime)
		}
		answer(429, loginLimit, 0, c.locked.Sub(now))
		return
	}
	limit := loginLimit
	if l.fault == "generous" {
		limit++
	}
	if len(c.failed) >= limit {
		c.locked, c.failed = now.Add(lockTime), nil
		answer(429, loginLimit, 0, lockTime)
		return
	}
	if in.Password == "right" {
		c.failed = nil
		answer(200, loginLimit, loginLimit, 0)
		return
	}
	c.failed = append(c.failed, now)
	left := loginLimit - len(c.failed)
	if l.fault == "miscounting" && left > 0 {
		left--
	}
	answer(401, loginLimit, left, 0)
}

func (l *limiter) request(c *guest, now time.Time, answer func(status, limit, left int, wait time.Duration)) {
	window := 2 * time.Second
	if l.fault == "unwilling" {
		window = 3500 * time.Millisecond
	}
	for len(c.asked) > 0 && !c.asked[0].After(now.Add(-window)) {
		c.asked = c.asked[1:]
	}
	if len(c.asked) >= apiLimit {
		answer(429, apiLimit, 0, c.asked[0].Add(2*time.Second).Sub(now)) // what it tells, whatever it does
		return
	}
	c.asked = append(c.asked, now)
	answer(200, apiLimit, apiLimit-len(c.asked), 0)
}

// guessers are three users behind three addresses: two type a wrong password all
// the time, and read something; the third knows it.
func guessers(d time.Duration) *scenarios.Scenario {
	step := func(name, password string) []scenarios.Step {
		any := scenarios.Expect{Status: []int{200, 401, 429}}
		steps := []scenarios.Step{{Name: name, Method: "POST", Path: "/api/v1/auth/login", Anonymous: true, Body: `{"password":"` + password + `"}`, Expect: any}}
		if password != "right" {
			steps = append(steps, scenarios.Step{Name: "read", Path: "/api/v1/medications?page=1", Anonymous: true, Expect: any})
		}
		return steps
	}
	l := scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{{Name: "hold", From: 3, To: 3, For: d, Judged: true}}}
	journey := func(name string, think time.Duration) scenarios.Journey {
		return scenarios.Journey{Name: name, Think: scenarios.Range{From: think, To: think}, Tasks: []scenarios.Task{{Name: name, Steps: step(name, name)}}}
	}
	return &scenarios.Scenario{Name: "guessers", Load: l, Quick: l, Journeys: []scenarios.Journey{journey("wrong", 60*time.Millisecond), journey("right", 1100*time.Millisecond)}}
}

// Every invariant is seen broken by what the load itself was answered, and a
// limiter that keeps its promise under the same load is not accused.
func TestRunsAreHeldToTheInvariants(t *testing.T) {
	for fault, want := range map[string]string{
		"": "", "generous": "J1", "leaky": "J2", "late": "J3", "for all": "J4", "unwilling": "J5", "miscounting": "J6", "prolonging": "J7",
	} {
		t.Run("fault "+fault, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(&limiter{fault: fault, seen: map[string]*guest{}})
			defer s.Close()
			base, _ := url.Parse(s.URL)
			p := newLimitMonitor(&stack.Stack{Kind: "embedded", Settings: []stack.Setting{
				{Name: "RATE_LIMIT_LOCKOUT_DURATION", Value: "2"}, {Name: "RATE_LIMIT_API", Value: "6"}, {Name: "RATE_LIMIT_API_WINDOW", Value: "2"},
			}}, profile.Clinic())
			sc := guessers(6 * time.Second)
			rec := measure.NewRecorder(load.Steps(sc), sc.Load.Phases(), measure.Options{})
			out, err := load.Run(t.Context(), sc, rec, load.Options{Base: base, Seen: p.see, Seed: 5, Source: func(n uint64) netip.Addr {
				return netip.AddrFrom4([4]byte{127, 9, 1, byte(1 + n)})
			}})
			if err != nil {
				t.Fatal(err)
			}
			h := p.report(true)
			if h.Answers != out.Counts.Sent || h.Answers < 100 {
				t.Errorf("got %d answers looked at, %d were sent", h.Answers, out.Counts.Sent)
			}
			var wanted limitcheck.Violation
			for _, v := range h.Violations {
				if v.Rule == want {
					wanted = v
				}
			}
			switch {
			case want == "" && len(h.Violations) > 0:
				t.Errorf("a limiter that keeps its promise is accused:\n%v", h.Violations[0])
			case want != "" && wanted.Rule == "":
				t.Errorf("got %v, want %s", h.Violations, want)
			case want != "" && (len(wanted.Shown) == 0 || !strings.Contains(wanted.String(), wanted.Key)):
				t.Errorf("got %v, want the requests that show it", wanted)
			}
		})
	}
}
