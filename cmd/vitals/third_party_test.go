package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitals/internal/audit"
	"vitals/internal/exit"
	"vitals/targets"
)

const thirdPartyProfile = "testdata/third-party.yaml"

// thirdParties are the healthy one and two whose lockout is not what is published.
var thirdParties = []struct {
	name   string
	server func() *thirdParty
	run    int      // exit code of vitals run, and
	missed []string // the targets it misses
	audit  int
	failed []string // probes that must fail
}{
	{name: "healthy", server: func() *thirdParty { return &thirdParty{limit: 5} }},
	{name: "a limit of 6", server: func() *thirdParty { return &thirdParty{limit: 6} }, run: exit.Fail, missed: []string{"lockout.admitted == 5"}, audit: exit.Fail, failed: []string{"LK1", "LK2", "LK8"}},
	{name: "opens to the right password", server: func() *thirdParty { return &thirdParty{limit: 5, leaky: true} }, run: exit.Fail, missed: []string{"lockout.leaked == 0"}, audit: exit.Fail, failed: []string{"LK3"}},
}

// The same scenario, by another API's profile: it is signed in by a form, whole
// tasks are left out and said to be, the lockout is judged as ever.
func TestThirdPartyRun(t *testing.T) {
	for _, c := range thirdParties {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			base, accounts := c.server().serve(t)
			code, _, stderr := vitals(t, nil, "run", "smoke", "--pace", "quick", "--url", base, "--profile", thirdPartyProfile,
				"--accounts", accountsFile(t, accounts), "--out", out)
			if code != c.run && code != exit.NoAnswer { // 3: a busy machine measures itself, and says so
				t.Fatalf("exit: got %d, want %d\n%s", code, c.run, stderr)
			}
			d := document(t, out)
			for _, text := range []string{"errors < 0.1%", "lockout.admitted == 5", "lockout.leaked == 0", "lockout.bystanders == 0"} {
				want := targets.Pass
				if slices.Contains(c.missed, text) {
					want = targets.Fail
				}
				if v := status(t, d, text); v.Status != want {
					t.Errorf("got %v, want %s", v, want)
				}
			}
			res := d.Runs[0].Result
			for _, step := range []string{"list medications", "create medication", "list reminders", "write intake log"} {
				if s, _ := res.Step(step, false); s.Counts.Served == 0 || s.Counts.Errors > 0 {
					t.Errorf("step %q: got %+v, want it served", step, s.Counts)
				}
			}
			notes := strings.Join(res.Notes, "\n")
			for _, want := range []string{"by profile third-party", `task "mark reminder taken" (weight 1 of 36, 3 %) is left out`, `task "read adherence" (weight 1 of 36, 3 %) is left out`, "users do not refresh a session"} {
				if !strings.Contains(notes, want) {
					t.Errorf("notes lack %q:\n%s", want, notes)
				}
			}
			if _, there := res.Step("read adherence", false); there {
				t.Error("a step is reported that was never sent")
			}
		})
	}
}

// What the profile does not have, and what waits for minutes, is skipped with its
// reason; the rest is proved, and a broken lockout is found.
func TestThirdPartyAudit(t *testing.T) {
	for _, c := range thirdParties {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			base, accounts := c.server().serve(t)
			args := []string{
				"audit", "--url", base, "--i-own", "127.0.0.1", "--class", "intrusive", "--profile", thirdPartyProfile,
				"--accounts", accountsFile(t, accounts), "--origin", thirdPartyOrigin, "--patience", "5s", "--may-skip", "HL,RQ,CO,SH,AU,LK", "--out", out,
			}
			if c.failed != nil {
				args = append(args, "--only", strings.Join(c.failed, ","))
			}
			code, stdout, stderr := vitals(t, nil, args...)
			if code != c.audit {
				t.Errorf("exit: got %d, want %d\n%s%s", code, c.audit, stdout, stderr)
			}
			for _, f := range findings(t, out) {
				if want := slices.Contains(c.failed, f.ID); c.failed == nil && f.Status == audit.Fail || want && f.Status != audit.Fail {
					t.Errorf("%s: got %s, want a failure: %v\n%s", f.ID, f.Status, want, f.Reason)
				}
				if f.Status == audit.Skip && (f.Reason == "" || strings.Contains(f.Reason, "broke")) {
					t.Errorf("%s: skipped without a reason, or broken: %q", f.ID, f.Reason)
				}
			}
		})
	}
}

func findings(t *testing.T, dir string) []audit.Finding {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "audit.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rep audit.Report
	if err := json.Unmarshal(b, &rep); err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) == 0 {
		t.Error("the audit found nothing at all")
	}
	return rep.Findings
}
