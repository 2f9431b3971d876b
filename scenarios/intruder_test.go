package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/scenarios"
)

const waves = `
name: waves
arrivals:
  stages:
    - {name: quiet, from: 10/s, for: 10s}
    - {name: attacked, for: 20s}
    - {name: quiet, for: 10s}
    - {name: attacked, for: 5s}
journeys: [{name: visitor, steps: [{name: home, get: /}]}]
intruders:
  - {name: x, kind: %s}
`

func TestHours(t *testing.T) {
	for kind, want := range map[string][]scenarios.Span{
		"password guessing":                                                      {{From: 0, To: 45 * time.Second}},
		"token replay, after: 5s, for: 12s":                                      {{From: 5 * time.Second, To: 17 * time.Second}},
		"password spraying, rate: 5/s, during: attacked":                         {{From: 10 * time.Second, To: 30 * time.Second}, {From: 40 * time.Second, To: 45 * time.Second}},
		"password spraying, rate: 5/s, during: attacked, after: 4s, for: 6s":     {{From: 14 * time.Second, To: 20 * time.Second}, {From: 44 * time.Second, To: 45 * time.Second}},
		"password spraying, rate: 5/s, during: attacked, after: 5s, accounts: 3": {{From: 15 * time.Second, To: 30 * time.Second}},
	} {
		sc := read(t, fmt.Sprintf(waves, kind))
		if diff := cmp.Diff(sc.Intruder[0].Hours(sc.Load), want); diff != "" {
			t.Errorf("%s: -got +want\n%s", kind, diff)
		}
	}
}

// A wrong password that is answered as a right one cannot be told from it.
func TestWrongPasswordsAreToldFromRightOnes(t *testing.T) {
	const signedIn = "\naccounts: {sign_in: {post: /in, save: {token: json:t}, expect: {status: %s}}}\n"
	for in, want := range map[string]string{
		"302| password guessing, wrong: [401, 302]": `s.yaml:11:5: intruder "x": wrong: found 302, which sign_in expects of a right password (expect.status), so that a wrong one could not be told from it (one of them needs another status)`,
		"302| password guessing, wrong: 401":        "",
		"302| token replay, wrong: 302":             "",
		"302| password guessing":                    "",
	} {
		status, kind, _ := strings.Cut(in, "| ")
		_, err := scenarios.Read(strings.NewReader(fmt.Sprintf(waves, kind)+fmt.Sprintf(signedIn, status)), "s.yaml")
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%s: got %v, want %q", in, err, want)
		}
	}
}

// Another intruder is another scenario, and whatever is said of it counts.
func TestIntrudersAreInTheHash(t *testing.T) {
	seen := map[string]string{}
	for _, kind := range []string{
		"password guessing", "password guessing, guesses: 9", "password guessing, at_once: true", "header spoofing", "code guessing", "token replay",
		"token replay, rounds: 2", "token replay, for: 9s", "token replay, during: quiet", "token replay, after: 1s", "oversized body", "oversized body, bodies: 2", "slowloris",
		"slowloris, connections: 7", "slowloris, every: 2s", "password spraying, rate: 5/s", "password spraying, rate: 6/s",
		"password spraying, rate: 5/s, accounts: 2", "password spraying, rate: 5/s, unknown_accounts: 1", "password spraying, rate: 5/s, addresses: 9",
	} {
		sc := read(t, fmt.Sprintf(waves, kind))
		if other, twice := seen[sc.SHA256]; twice {
			t.Errorf("%q and %q have one hash", kind, other)
		}
		seen[sc.SHA256] = kind
	}
}

// Siege compares stretches with and without the attack: as many of one as of
// the other, of one length, in turn, under one honest load.
func TestSiegeIsFair(t *testing.T) {
	sc := open(t, "siege")
	for _, l := range []scenarios.Load{sc.Load, sc.Quick} {
		var judged []string
		var attack time.Duration
		for _, s := range l.Stages {
			if s.From != 200 || s.To != 200 {
				t.Errorf("stage %q goes from %g to %g/s", s.Name, s.From, s.To)
			}
			if s.Judged {
				judged = append(judged, s.Name)
			}
			if s.Name == "attacked" {
				attack += s.For
			}
		}
		if got, want := strings.Join(judged, " "), "quiet attacked quiet attacked quiet attacked"; got != want {
			t.Errorf("got stages %s, want %s", got, want)
		}
		if l.Total() > 90*time.Second && attack != 5*time.Minute {
			t.Errorf("got %s of attack, want 5m", attack)
		}
	}
}

// A misspelt phase is told beside a mistake in the load, where the load could have none of
// that name; a phase that it may be meant to have is not.
func TestMisspeltPhaseBesideABrokenLoad(t *testing.T) {
	const rest = `
journeys: [{name: v, steps: [{name: home, get: /, anonymous: true}]}]
intruders:
  - {name: x, guesses: 1, during: %s}
targets:
  - errors < 1%% during %s
`
	for _, c := range []struct {
		load, phase string
		told        bool
		hint        string
	}{
		{"users: 2\nrun_for: 5 s", "holdd", true, "hold"},
		{"users: 2\nrun_for: 5 s", "hold", false, ""},
		{"users: 2\nspawn_rate: 5\nrun_for: 5m", "ramp", false, ""},
		{"arrivals: {rate: 5, run_for: 5m}", "hodl", true, "hold"},
		{"stages: [{name: peak, to: 5, for: 5 m}]", "peaks", true, "peak"},
		{"stages: [{name: peak, to: 5, for: 5 m}]", "peak", false, ""},
		{"stages: [{zzzz: peak, to: 5, for: 5m}]", "peak", false, ""},
		{"zzzzzz: [{name: peak, to: 5, for: 5m}]", "peak", false, ""},
		{"users: 3\nstages: [{name: peak, to: 5, for: 5m}]", "peaks", false, ""},
		{"users: 2\nrun_for: 5m\nquick: {users: 1, run_for: 5 s}", "holdd", true, "hold"},
	} {
		_, err := scenarios.Read(strings.NewReader("name: x\n"+c.load+fmt.Sprintf(rest, c.phase, c.phase)), "x.yaml")
		if err == nil {
			t.Fatalf("%s: no mistake", c.load)
		}
		got := strings.Count(err.Error(), fmt.Sprintf("phase %q (did you mean %q?)", c.phase, c.hint))
		if want := map[bool]int{true: 2}[c.told]; got != want || !c.told && strings.Contains(err.Error(), "phase") {
			t.Errorf("%s, during %s: the phase is told %d times, want %d:\n%v", c.load, c.phase, got, want, err)
		}
	}
}
