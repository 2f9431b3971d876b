package containers_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"vitals/internal/stack"
)

// lockoutRounds is how often the parallel attack is repeated: 20 times, or
// LOCKOUT_ROUNDS.
func lockoutRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LOCKOUT_ROUNDS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LOCKOUT_ROUNDS=%s: want a number of rounds, at least 1", text)
	}
	return n
}

// testSharedLockout releases 200 wrong passwords of one address over two
// replicas. Whoever reads the counter before writing it judges more than five.
//
// On a machine so busy that Redis does not answer within 200 ms the replicas count
// alone, as in an outage: two by the share of each, beside the five of before. Such
// rounds are held to that, and set aside.
func testSharedLockout(t *testing.T, c *clinic, rounds int) {
	c.connect(t)
	together, aside := 0, 0
	errors := c.redisErrors(t)
	for round := range rounds {
		who, from := c.account(t), c.address()
		answers := c.burst(t, 100, guess(who, from))
		var got tally
		var lastSent, firstDone time.Time
		for _, a := range answers {
			got.add(a)
			if a.Sent.After(lastSent) {
				lastSent = a.Sent
			}
			if firstDone.IsZero() || a.Done.Before(firstDone) {
				firstDone = a.Done
			}
		}
		if c.redisErrors(t) > errors {
			c.shared(t, patience)
			errors = c.redisErrors(t)
			aside++
			if got.judged > 5+2 || got.passed > 0 || got.judged+got.refused+got.other != 200 {
				t.Fatalf("round %d, Redis too slow: 200 wrong passwords: got %+v, want at most 7 judged, the rest refused or shed", round+1, got)
			}
			continue
		}
		if want := (tally{judged: 5, refused: 195}); got != want {
			t.Fatalf("round %d: 200 wrong passwords: got %+v, want %+v", round+1, got, want)
		}
		if lastSent.Before(firstDone) {
			together++
		}
		if a := c.send(t, round%2, loginAs(who, from)); code(a) != "locked_out" {
			t.Fatalf("round %d: the right password after them: got %d %s, want locked_out", round+1, a.Status, code(a))
		}
	}
	t.Logf("%d rounds of 200, in %d of them the last was sent before the first was answered; %d set aside", rounds, together, aside)
	if together == 0 || aside > rounds/2 {
		t.Error("too few rounds with all 200 under way at once and a Redis that answers: the machine is too busy for this to prove anything")
	}
}

func testLockOutlivesRedis(t *testing.T, c *clinic) {
	for _, how := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"stop and start", func(t *testing.T) { c.fault(t, "redis", stack.Stop) }},
		{"kill and start", func(t *testing.T) { c.fault(t, "redis", stack.Kill) }},
		{"flush", nil},
	} {
		t.Run(how.name, func(t *testing.T) {
			c.connect(t)
			who, from := c.account(t), c.address()
			end := c.lock(t, who, from)
			if how.do == nil {
				c.flushRedis(t)
				c.stillLocked(t, "right after the flush", who, from, end)
			} else {
				how.do(t)
				c.stillLocked(t, "without Redis", who, from, end)
				c.fault(t, "redis", stack.Start)
				c.stillLocked(t, "while Redis starts", who, from, end)
			}
			c.shared(t, 10*time.Second)
			c.stillLocked(t, "with Redis again", who, from, end)
		})
	}
}

func testLockOutlivesAPI(t *testing.T, c *clinic) {
	c.connect(t)
	who, from := c.account(t), c.address()
	end := c.lock(t, who, from)
	restart := func(while func()) {
		for _, role := range []string{"api", "api-2"} {
			c.fault(t, role, stack.Stop)
		}
		while()
		for n, role := range []string{"api", "api-2"} {
			c.fault(t, role, stack.Start)
			ready(t, c.Replicas[n], patience)
		}
		c.connect(t)
	}
	restart(func() {})
	c.stillLocked(t, "after the replicas' restart", who, from, end)
	restart(func() { c.flushRedis(t) })
	c.stillLocked(t, "after a flush while no replica ran, from Postgres alone", who, from, end)
}
