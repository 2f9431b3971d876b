package containers_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"vitals/internal/stack"
	"vitals/internal/wire"
)

// readyBound and readyAgain are HL4's. The second counts from the start of the
// container; Postgres' own start is in it.
const (
	readyBound = 1500 * time.Millisecond
	readyAgain = 5 * time.Second
)

// hungBound is how long a request may hang on a frozen Postgres: the wait for a
// connection (3 s here) and one statement (2 s here) with what lies above it.
const hungBound = 9 * time.Second

func testPostgresStopped(t *testing.T, c *clinic) {
	c.connect(t)
	token := c.token(t)
	who, from := c.account(t), c.address()
	c.fault(t, "postgres", stack.Stop)
	for n := range c.at {
		c.unready(t, n)
		c.alive(t, n)
		for range 5 {
			a := c.send(t, n, loginAs(who, from))
			if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
				t.Errorf("a right password without Postgres: got %d %s, Retry-After %q, want 503 and when to retry", a.Status, a.Body, a.Header.Get("Retry-After"))
			}
			noInside(t, a)
		}
		if a := c.send(t, n, browse(token)); a.Status != http.StatusServiceUnavailable {
			t.Errorf("a list without Postgres: got %d %s, want 503", a.Status, a.Body)
		}
	}
	c.fault(t, "postgres", stack.Start)
	for n, base := range c.Replicas {
		t.Logf("replica %d: ready after %v", n+1, ready(t, base, readyAgain))
		if a := c.send(t, n, loginAs(who, from)); a.Status != http.StatusOK {
			t.Errorf("replica %d, ten right passwords during the outage, then one more: got %d %s, want 200", n+1, a.Status, a.Body)
		}
	}
}

func testNothingBehind(t *testing.T, c *clinic) {
	c.connect(t)
	c.fault(t, "postgres", stack.Stop)
	c.fault(t, "redis", stack.Stop)
	for n := range c.at {
		for range 10 {
			c.alive(t, n)
		}
		a := c.send(t, n, guess(c.account(t), c.address()))
		if a.Status != http.StatusServiceUnavailable {
			t.Errorf("a guess with nothing behind the API: got %d %s, want 503", a.Status, a.Body)
		}
		noInside(t, a)
	}
	c.fault(t, "redis", stack.Start)
	c.fault(t, "postgres", stack.Start)
	for _, base := range c.Replicas {
		ready(t, base, patience)
	}
	c.shared(t, patience)
	c.lock(t, c.account(t), c.address())
}

// testPostgresFrozen lets connections hang. Requests end on the server's own
// account, and the pool is whole afterwards.
func testPostgresFrozen(t *testing.T, c *clinic) {
	c.connect(t)
	token := c.token(t)
	who, from := c.account(t), c.address()
	c.fault(t, "postgres", stack.Pause)
	for n := range c.at {
		c.unready(t, n)
		c.alive(t, n)
		for what, q := range map[string]wire.Request{"a list": browse(token), "a sign-in": loginAs(who, from)} {
			a := c.send(t, n, q)
			if took := a.Done.Sub(a.Sent); a.Status != http.StatusServiceUnavailable || took > hungBound {
				t.Errorf("%s on a frozen Postgres: got %d %s after %v, want 503 within %v", what, a.Status, a.Body, took, hungBound)
			}
			noInside(t, a)
		}
	}
	c.fault(t, "postgres", stack.Unpause)
	for n, base := range c.Replicas {
		ready(t, base, readyAgain)
		for range 5 {
			if a := c.send(t, n, browse(token)); a.Status != http.StatusOK {
				t.Errorf("replica %d, a list after the thaw: got %d %s, want 200", n+1, a.Status, a.Body)
			}
		}
		if a := c.send(t, n, loginAs(who, from)); a.Status != http.StatusOK {
			t.Errorf("replica %d, a sign-in after the thaw: got %d %s, want 200", n+1, a.Status, a.Body)
		}
	}
}

// testReplicaKilled asks the one that is left.
func testReplicaKilled(t *testing.T, c *clinic) {
	c.connect(t)
	token := c.token(t)
	who, from := c.account(t), c.address()
	end := c.lock(t, who, from)
	c.fault(t, "api-2", stack.Kill)
	if a := c.send(t, 0, loginAs(who, from)); code(a) != "locked_out" {
		t.Errorf("a lock of both, at the one that is left: got %d %s, want locked_out", a.Status, code(a))
	}
	for range 20 {
		if a := c.send(t, 0, browse(token)); a.Status != http.StatusOK {
			t.Errorf("a list at the one that is left: got %d %s, want 200", a.Status, a.Body)
		}
	}
	c.fault(t, "api-2", stack.Start)
	ready(t, c.Replicas[1], patience)
	c.connect(t)
	c.stillLocked(t, "after the return", who, from, end)
}

// unready asks /ready until it says that the database is gone, and holds every
// answer to its bound.
func (c *clinic) unready(t *testing.T, replica int) {
	t.Helper()
	var a wire.Answer
	eventually(t, 5*time.Second, func() bool { // its last answer is kept for a second
		a = c.send(t, replica, wire.Request{Path: "/ready"})
		if took := a.Done.Sub(a.Sent); took > readyBound {
			t.Errorf("replica %d: /ready took %v, want at most %v", replica+1, took, readyBound)
		}
		return a.Status == http.StatusServiceUnavailable
	})
	var body struct{ Checks map[string]bool }
	if err := json.Unmarshal(a.Body, &body); err != nil {
		t.Fatal(err)
	}
	if database, ok := body.Checks["database"]; !ok || database {
		t.Errorf("replica %d: /ready says %s, want database false", replica+1, a.Body)
	}
	noInside(t, a)
}

// alive asks the two endpoints that touch nothing. A second is a wide bound: it
// tells an answer from a wait for a database.
func (c *clinic) alive(t *testing.T, replica int) {
	t.Helper()
	for _, path := range []string{"/live", "/health"} {
		a := c.send(t, replica, wire.Request{Path: path})
		if took := a.Done.Sub(a.Sent); a.Status != http.StatusOK || took > time.Second {
			t.Errorf("replica %d: %s: got %d after %v, want 200 at once", replica+1, path, a.Status, took)
		}
	}
}
