package harness

import (
	"fmt"
	"strings"
	"testing"

	"vitals/internal/audit/audittest"
	"vitals/report"
)

const thirdParty = `name: third-party
users: 4
run_for: 4s
accounts:
  sign_in: {post: /v2/session, body: {mail: "{{email}}", word: "{{password}}"}, save: {token: json:data.jwt}}
journeys:
  - name: look
    think: 100ms
    steps:
      - {name: who am I, get: /v2/whoami, expect: {status: 200, json: {mail: null}}}
intruders:
  - {name: guesser, guesses: 8, addresses: 2, after: 500ms%s}
`

// A run finds an API that lies, whichever way, and names what it got; of a sound one
// nothing is told that it did not do, whatever its statuses.
func TestARunFindsLies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie            string
		wrong, refused int
		more           string // a target beside those of all
		metric         string // of a target that is missed; "" = none is
		says           string
	}{
		{lie: ""},
		{lie: "", wrong: 400, refused: 423},
		{lie: "", wrong: 403, refused: 503},
		{lie: "six are judged", metric: "lockout.admitted", says: "promised"},
		{lie: "any password will do", metric: "intruders.leaked", says: "wrong credentials were accepted"},
		{lie: "200 with success false", metric: "intruders.wrong", says: "errors in disguise"},
		{lie: "the right password is let in while locked", metric: "lockout.leaked"},
		{lie: "accounts are locked, not addresses", metric: "lockout.bystanders"},
		{lie: "a lock is everybody's", metric: "lockout.bystanders"},
		{lie: "a lock is everybody's", wrong: 400, refused: 423, metric: "lockout.bystanders"},
		{lie: "one answer in a hundred dropped", metric: "errors"},
		{lie: "one answer in ten is an error with 200", metric: "errors"},
		{lie: "stalls", metric: "max", more: "max < 900ms"},
	} {
		t.Run(fmt.Sprintf("%s %d", c.lie, c.wrong), func(t *testing.T) {
			t.Parallel()
			s := audittest.New(c.lie)
			more := ""
			if c.wrong != 0 {
				s.Wrong, s.Refused = c.wrong, c.refused
				more = fmt.Sprintf(", wrong: %d, locked: %d", c.wrong, c.refused)
			}
			g := s.Serve(t)
			csv := "email,password\n"
			for _, a := range g.Accounts[1:40] {
				csv += a.Email + "," + a.Password + "\n"
			}
			if c.more != "" {
				c.more = "  - " + c.more + "\n"
			}
			asked := file(t, "asked.yaml", "targets:\n  - errors < 0.1%\n  - lockout.admitted == 5\n  - lockout.leaked == 0\n  - lockout.bystanders == 0\n  - intruders.leaked == 0\n  - intruders.wrong == 0\n"+c.more)
			r := carryOut(t, file(t, "lies.yaml", fmt.Sprintf(thirdParty, more)), "--url", g.URL.String(), "--accounts", file(t, "accounts.csv", csv), "--targets", asked)
			if r.doc == nil || len(r.doc.Runs) == 0 {
				t.Fatalf("got no run: %d %s", r.code, r.talk)
			}
			run := r.doc.Runs[0]
			missed := ""
			for _, v := range run.Verdicts {
				if v.Status.String() == "FAIL" {
					missed += v.Target.Metric + " "
				}
			}
			if c.metric == "" && (missed != "" || run.Verdict == report.Fail) {
				t.Errorf("got %s, missed %q; a sound API is accused:\n%s", run.Verdict, missed, r.out)
			}
			if c.metric != "" && (!strings.Contains(missed, c.metric+" ") || run.Verdict == report.Pass) {
				t.Errorf("got %s, missed %q, want %s among them:\n%s", run.Verdict, missed, c.metric, r.out)
			}
			if told := fmt.Sprint(run.Result.Notes, run.Result.Facts); !strings.Contains(told, c.says) {
				t.Errorf("told %s, want %q", told, c.says)
			}
		})
	}
}

// Without a profile nobody promised a lock: the built-in targets ask what intruders were
// granted, and the run says what was not asked.
func TestWithoutAProfileNoLockIsAskedFor(t *testing.T) {
	t.Parallel()
	for lie, want := range map[string]string{
		"":                                   report.Pass,
		"six are judged":                     report.Pass,
		"accounts are locked, not addresses": report.Pass,
		"any password will do":               report.Fail,
		"the right password is let in while locked": report.Fail, // before its own Retry-After is over
	} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			g := audittest.New(lie).Serve(t)
			csv := "email,password\n"
			for _, a := range g.Accounts[1:40] {
				csv += a.Email + "," + a.Password + "\n"
			}
			r := carryOut(t, file(t, "bare.yaml", fmt.Sprintf(thirdParty, "")), "--url", g.URL.String(), "--accounts", file(t, "accounts.csv", csv))
			if r.doc == nil || len(r.doc.Runs) == 0 {
				t.Fatalf("got no run: %d %s", r.code, r.talk)
			}
			run := r.doc.Runs[0]
			if run.Verdict != want {
				t.Errorf("got %s, want %s:\n%s", run.Verdict, want, r.out)
			}
			if told := r.out; !strings.Contains(strings.Join(strings.Fields(told), " "), "the built-in targets ask no lock: name a profile") {
				t.Errorf("what was not asked is not told: %s", told)
			}
		})
	}
}
