package harness

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/report"
)

// short is a scenario of five seconds whose intruders use up what an earlier run of
// it would have locked: addresses, the quotas of honest accounts, and the failures
// that an account bears.
const short = `name: short
about: attacked for five seconds
use: clinic
users: 2
run_for: 5s
sign_in: before
intruders:
  - {name: guesser, guesses: 8, every: 100ms, after: 500ms}
  - {name: at once, guesses: 12, at_once: true, after: 1s}
  - {name: forger, kind: header spoofing, guesses: 8, every: 100ms, after: 500ms}
`

// Runs one after the other against one deployment, all within the time of its locks,
// accuse it of nothing: each has addresses and accounts of its own. VITALS_RUNS is
// how many, 3 where it is not set. Nothing here has a bound on our own lateness, so
// that a busy machine makes none of them invalid.
func TestConsecutiveRuns(t *testing.T) {
	t.Parallel()
	runs := 3
	if n, err := strconv.Atoi(os.Getenv("VITALS_RUNS")); err == nil {
		runs = n
	}
	for name, more := range map[string][]string{"without a profile": nil, "profile clinic": {"--profile", "clinic"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startWith(t, 100)
			csv, sc := accountsFile(t, s.Accounts), file(t, "short.yaml", short)
			began, ended := time.Now(), map[string]int{}
			for n := range runs {
				r := carryOut(t, append([]string{sc, "--url", s.URL.String(), "--accounts", csv}, more...)...)
				if r.doc == nil || len(r.doc.Runs) == 0 {
					t.Fatalf("run %d: exit %d: %s", n+1, r.code, r.talk)
				}
				ended[r.doc.Verdict]++
				notes := strings.Join(r.doc.Runs[0].Result.Notes, "\n")
				if r.doc.Verdict != report.Pass {
					t.Logf("run %d: %s: %s", n+1, r.doc.Verdict, strings.Join(r.doc.Reasons, "\n"))
				}
				if r.code == exit.Fail || r.doc.Verdict == report.NoData && !strings.Contains(notes, "wait ") {
					t.Errorf("run %d: %s, exit %d:\n%s", n+1, r.doc.Verdict, r.code, notes)
				}
			}
			t.Logf("%d runs in %s: %v", runs, time.Since(began).Round(time.Second), ended)
		})
	}
}
