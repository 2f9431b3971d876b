package audit

import (
	"context"
	"errors"
	"strings"
	"time"
)

func siege() []Probe {
	return []Probe{{
		ID: "LK28", Title: "honest users do not feel 2000 guesses a second", Guide: "hardening-summary:109", Class: Control, Alone: true, run: siegeOf,
		Why: "A lockout that costs as much as a sign-in is itself the way to stop the service.",
		Fix: "Decide before hashing, in one trip; bound hashing; keep the lock's own answer cheap.",
	}}
}

// Siege is what the built-in scenario of that name found of a target: an honest
// load, without and with an attack in turns.
type Siege struct {
	Missed   []string // targets that were missed, with what came
	Unproved []string // why it proves nothing: an invalid measurement, figures without data
	Held     []string // targets that were met
	Took     time.Duration
}

// siegeTries is how often a siege is laid at most: an accusation takes two.
const siegeTries = 3

func siegeOf(t *T) {
	if t.run.o.Siege == nil {
		t.Skip("it runs the scenario siege, and nobody said how")
	}
	// The limits are the published ones whatever the audit's clock: of each address
	// five guesses are judged in the whole of it.
	quick, wait, accounts := t.run.target.ShortClock, 10*time.Minute+20*time.Second, 2200
	if quick {
		wait, accounts = time.Minute+2*time.Second, 260
		t.Note("short clock: the scenario ran at quick pace, of seconds instead of minutes")
	}
	live, api := t.Launch(Launch{Postgres: true, Redis: true, Accounts: accounts, Env: map[string]string{
		"RATE_LIMIT_API": "1000000", "DB_POOL_SIZE": "10",
		"RATE_LIMIT_LOGIN_WINDOW": "300", "RATE_LIMIT_LOCKOUT_DURATION": "900",
	}})
	memory := rss(api)
	missed := 0
	for try := 1; ; try++ {
		t.run.progress(Progress{Probe: t.probe, Wait: wait, Words: "honest load without and with the attack"})
		s, err := t.run.o.Siege(t.ctx, live.target, quick)
		if err != nil {
			if errors.Is(err, context.Canceled) || t.ctx.Err() != nil {
				t.Skip("interrupted")
			}
			t.Skip("the scenario siege could not be run: %v", err)
		}
		if len(s.Missed)+len(s.Unproved) == 0 && len(s.Held) > 0 {
			t.Check(true, "")
			t.Note("%s", strings.Join(s.Held, "; "))
			break
		}
		words := strings.Join(append(s.Missed, s.Unproved...), "; ")
		if len(s.Unproved) == 0 && len(s.Missed) > 0 {
			missed++
		}
		if missed == 2 {
			t.Fail("%s", words)
			break
		}
		if try == siegeTries {
			t.Skip("%s: not seen twice by a measurement that was valid", words)
		}
		t.Note("measured again: %s", words)
	}
	grown := rss(api) - memory
	t.Check(grown < 256<<20, "memory grew by %d MiB", grown>>20)
}
