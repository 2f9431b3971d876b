package harness

import (
	"slices"
	"strings"
	"testing"

	"vitals/internal/canary"
	"vitals/internal/exit"
	seeded "vitals/server/fault"
	"vitals/targets"
)

// Intruders of every kind against the real API: each has its say, and none gets
// anywhere. The machine may be too busy for honest figures; the controls hold all
// the same.
func TestIntrudersOfEveryKind(t *testing.T) {
	t.Parallel()
	s, out := start(t), t.TempDir()
	r := carryOut(t, "testdata/intruders.yaml", "--pace", "quick", "--out", out,
		"--url", s.URL.String(), "--profile", "clinic", "--accounts", accountsFile(t, s.Accounts))
	code, stdout, stderr := r.code, r.out, r.talk
	if code != exit.Pass && code != exit.NoAnswer {
		t.Fatalf("exit: got %d\n%s\n%s", code, stderr, stdout)
	}
	d := r.doc
	for _, v := range d.Runs[0].Verdicts {
		if metric := v.Target.Metric; (strings.HasPrefix(metric, "intruders.") || strings.HasPrefix(metric, "lockout.")) && v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	notes := strings.Join(d.Runs[0].Result.Notes, "\n")
	for _, want := range []string{
		`intruder "forger" (header spoofing): 10 judged and 10 refused from 2 addresses`,
		`intruder "sprayer" (password spraying): `, `intruder "botnet" (password spraying): 30 of 30 guesses sent from 30 addresses`,
		`intruder "coder" (code guessing): 20 judged and 8 refused from 2 addresses`,
		`intruder "replay" (token replay): 16 dead tokens presented from 2 addresses, 0 served`,
		`intruder "dribbler" (slowloris): 20 connections opened from 2 addresses, 20 cut, 0 still open`,
		`intruder "oversize" (oversized body): 8 bodies sent from 2 addresses, 8 refused by 413 or a cut, 0 connections kept`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	password := s.Accounts[0].Password
	if hits, err := canary.Dir(out, password); err != nil || len(hits) > 0 || strings.Contains(stdout+stderr, password) {
		t.Errorf("a password is in the artefacts or the output: %v, %v", hits, err)
	}
}

// Seeded faults of the API, and the figure in which an intruder tells of each: the
// run fails, whatever the machine was like.
func TestIntrudersFindFaults(t *testing.T) {
	t.Parallel()
	for name, want := range map[seeded.Name][]string{
		"":                       nil,
		seeded.GetThenIncr:       {"intruders.excess"},
		seeded.LeftmostForwarded: {"intruders.excess", "intruders.leaked"}, // and the right password gets in
		seeded.LimitWidened:      {"intruders.excess"},
		seeded.LockEvicted:       {"intruders.excess", "intruders.leaked"},
		seeded.RefreshReuse:      {"intruders.leaked"},
		seeded.SuccessFalse:      {"intruders.wrong"}, // a 200 that grants nothing is no refusal
	} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			r := carryOutFaulty(t, name, "testdata/hostile.yaml")
			if r.code != exit.Fail && want != nil || r.code != exit.Pass && r.code != exit.NoAnswer && want == nil {
				t.Fatalf("exit: got %d\n%s\n%s", r.code, r.talk, r.out)
			}
			var got []string
			d := r.doc
			for _, v := range d.Runs[0].Verdicts {
				if v.Status == targets.Fail && strings.HasPrefix(v.Target.Metric, "intruders.") {
					got = append(got, v.Target.Metric)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %q failed, want %q: %q", got, want, d.Reasons)
			}
		})
	}
}
