package containers_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/stack"
	"vitals/internal/wire"
)

// clinic is a stack with a client at each replica. What it hands out is fresh
// each time, so that no earlier lock colours a result.
type clinic struct {
	*stack.Stack
	at        []*wire.Client // one per replica
	addresses uint64
	accounts  int
}

const loginPath = "/api/v1/auth/login"

// patience is above every bound that a test asserts.
const patience = 20 * time.Second

// connect opens clients for the rest of the test; those of before a replica's
// restart hold dead connections.
func (c *clinic) connect(t *testing.T) {
	t.Helper()
	c.at = nil
	for _, base := range c.Replicas {
		client := wire.NewClient(base, c.Forward, patience)
		t.Cleanup(client.Close)
		c.at = append(c.at, client)
	}
}

func (c *clinic) address() netip.Addr {
	c.addresses++
	return c.Source(1000 + c.addresses)
}

func (c *clinic) account(t *testing.T) stack.Account {
	t.Helper()
	if c.accounts++; c.accounts > len(c.Accounts) {
		t.Fatalf("all %d accounts are used: seed more", len(c.Accounts))
	}
	return c.Accounts[c.accounts-1]
}

func loginAs(a stack.Account, from netip.Addr) wire.Request {
	body, _ := json.Marshal(map[string]string{"email": a.Email, "password": a.Password})
	return wire.Request{Method: http.MethodPost, Path: loginPath, Body: body, From: from,
		Header: http.Header{"Content-Type": {"application/json"}}}
}

// guess is a sign-in with a wrong password.
func guess(a stack.Account, from netip.Addr) wire.Request {
	a.Password = "wrong-" + a.Password[:8]
	return loginAs(a, from)
}

// send sends one request to a replica; no answer at all fails the test.
func (c *clinic) send(t *testing.T, replica int, q wire.Request) wire.Answer {
	t.Helper()
	a, err := c.at[replica].Send(t.Context(), q)
	if err != nil {
		t.Fatalf("replica %d: %v", replica+1, err)
	}
	return a
}

// token signs an account in.
func (c *clinic) token(t *testing.T) string {
	t.Helper()
	a := c.send(t, 0, loginAs(c.account(t), c.address()))
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil || body.Token == "" {
		t.Fatalf("sign in: got %d %s, want a token", a.Status, a.Body)
	}
	return body.Token
}

func browse(token string) wire.Request {
	return wire.Request{Path: "/api/v1/medications", Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// code is a problem's code.
func code(a wire.Answer) string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &p) // an answer that is no problem has none
	return p.Code
}

// tally counts sign-ins by what became of them.
type tally struct{ passed, judged, refused, other int }

func (c *tally) add(a wire.Answer) {
	switch a.Status {
	case http.StatusOK:
		c.passed++
	case http.StatusUnauthorized:
		c.judged++
	case http.StatusTooManyRequests:
		c.refused++
	default:
		c.other++
	}
}

// lock has an address locked, by guesses at the replicas in turn, and returns
// the end of the lock.
func (c *clinic) lock(t *testing.T, who stack.Account, from netip.Addr) time.Time {
	t.Helper()
	var got tally
	var last wire.Answer
	for n := range 6 {
		last = c.send(t, n%len(c.at), guess(who, from))
		got.add(last)
	}
	if want := (tally{judged: 5, refused: 1}); got != want {
		t.Fatalf("six guesses: got %+v, want %+v", got, want)
	}
	return lockEnd(t, last)
}

func lockEnd(t *testing.T, a wire.Answer) time.Time {
	t.Helper()
	n, err := strconv.ParseInt(a.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		t.Fatalf("X-RateLimit-Reset of a %d: %v", a.Status, err)
	}
	return time.Unix(n, 0)
}

// stillLocked asks every replica with the right password.
func (c *clinic) stillLocked(t *testing.T, when string, who stack.Account, from netip.Addr, end time.Time) {
	t.Helper()
	for n := range c.at {
		a := c.send(t, n, loginAs(who, from))
		if a.Status != http.StatusTooManyRequests || code(a) != "locked_out" {
			t.Errorf("%s, replica %d: got %d %s, want 429 locked_out", when, n+1, a.Status, code(a))
			continue
		}
		if d := lockEnd(t, a).Sub(end).Abs(); d > time.Second {
			t.Errorf("%s, replica %d: the lock's end moved by %v, at most 1 s is rounding", when, n+1, d)
		}
	}
}

// burst sends n requests to each replica, released together at each.
func (c *clinic) burst(t *testing.T, n int, q wire.Request) []wire.Answer {
	t.Helper()
	requests := make([]wire.Request, n)
	for i := range requests {
		requests[i] = q
	}
	var wg sync.WaitGroup
	parts := make([][]wire.Answer, len(c.at))
	for i, client := range c.at {
		wg.Go(func() {
			var err error
			// A burst that was released slowly is no error here: the count must be right all the same.
			if parts[i], _, err = client.Burst(t.Context(), requests); err != nil && len(parts[i]) == 0 {
				t.Errorf("burst at replica %d: %v", i+1, err)
			}
		})
	}
	wg.Wait()
	var all []wire.Answer
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// fault acts on a part, and fails the test when it cannot.
func (c *clinic) fault(t *testing.T, role string, actions ...stack.Action) {
	t.Helper()
	for _, a := range actions {
		if err := c.Fault(t.Context(), role, a); err != nil {
			t.Fatal(err)
		}
	}
}

// ready waits until a replica answers /ready with 200, and returns how long it took.
func ready(t *testing.T, base *url.URL, patience time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	eventually(t, patience, func() bool {
		resp, err := http.Get(base.JoinPath("ready").String())
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return time.Since(began)
}

// telltale are words of the inside that no answer may carry.
var telltale = []string{"postgres", "redis", "5432", "6379", "SELECT", "dial", "connect", "pgx", "sql"}

func noInside(t *testing.T, a wire.Answer) {
	t.Helper()
	for _, word := range telltale {
		if strings.Contains(string(a.Body), word) {
			t.Errorf("the answer %s carries %q", a.Body, word)
		}
	}
}
