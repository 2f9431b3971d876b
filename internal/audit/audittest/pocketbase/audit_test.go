package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/audits.md")

// audit is what an audit's document says, as far as it matters here.
type audit struct {
	Findings []struct {
		ID, Title, Status, Reason, Follows string
	}
	Violations []struct{ Rule, Policy, Words, Follows string }
}

// audited runs `vitals audit` as its user types it.
func audited(t *testing.T, s *server, args ...string) (a audit) {
	t.Helper()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), vitals, append([]string{
		"audit", "--url", s.url, "--i-own", "127.0.0.1", "--class", "intrusive", "--profile", "testdata/profile.yaml",
		"--accounts", s.accounts, "--patience", "30s", "--out", out,
	}, args...)...)
	words, err := cmd.CombinedOutput()
	text, missing := os.ReadFile(filepath.Join(out, "audit.json"))
	if missing != nil {
		t.Fatalf("no document: %v, %v\n%s", missing, err, words)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// failed are the probes that failed for a reason of their own, with what was found.
func (a audit) failed() map[string]string {
	out := map[string]string{}
	for _, f := range a.Findings {
		if f.Status == "FAIL" && f.Follows == "" {
			out[f.ID] = f.Reason
		}
	}
	for _, v := range a.Violations {
		if v.Follows != "" {
			continue
		}
		out[v.Rule] += v.Policy + ": " + v.Words + "\n"
	}
	return out
}

// A PocketBase that keeps what its README says is accused of nothing. What it does
// that a standard advises against, and nobody promised, is told as advice.
func TestSound(t *testing.T) {
	a := audited(t, start(t, sound()))
	for id, why := range a.failed() {
		t.Errorf("%s accuses wrongly:\n%s", id, why)
	}
	passed := 0
	for _, f := range a.Findings {
		if f.Status == "PASS" {
			passed++
		}
	}
	if passed < 25 {
		t.Errorf("only %d probes passed: the audit looked at little", passed)
	}
	table(t, "pocketbase", a)
}

// quick leaves out what takes minutes and looks at nothing that is planted here.
var quick = []string{"--only", "HL,RQ,CO,SH1,SH3,SH6,SH7,AU1,AU3,AU6,AU8,AU10,AU11,LK1,LK2,LK3,LK6,LK7,LK8,LK14,LK17,LK20,LK22,LK23,LK27"}

// Each mistake that an administrator can make is found, by the probe that is for it
// and by its name.
func TestPlanted(t *testing.T) {
	limits := func(auth map[string]any) func(*setup) {
		return func(c *setup) {
			c.limits = append(slices.Clone(c.limits[1:]), auth)
			if auth == nil {
				c.limits = c.limits[:2]
			}
		}
	}
	rule := func(name, to string) func(*setup) { return func(c *setup) { c.rules[name] = to } }
	for _, c := range []struct {
		name  string
		plant func(*setup)
		by    string // the probe
		says  string
		too   []string // that may turn red for the same reason
	}{
		{"the leftmost forwarded address is believed", func(c *setup) { c.proxyHeaders, c.leftmost = []string{"X-Forwarded-For"}, true },
			"LK17", "15 wrong sign-ins with forged address headers were judged, want 5: X-Forwarded-For is believed", nil},
		{"no limit on signing in", limits(nil), "LK2", "100 were judged, and no lock", []string{"LK3", "LK8", "LK14", "LK17", "LK20", "LK27"}},
		{"fifty sign-ins instead of five", limits(map[string]any{"label": "*:auth", "maxRequests": 50, "duration": 300}),
			"LK2", "50 were judged before the lock", []string{"LK3", "LK8", "LK14", "LK17", "LK20", "LK27"}},
		{"everybody's orders are listed", rule("listRule", ""), "AU10", "is in the list", nil},
		{"anybody may read an order", rule("viewRule", ""), "AU10", "get of another's object: got 200, want 404 or 403", nil},
		{"anybody may delete an order", rule("deleteRule", ""), "AU10", "delete of another's object: got 204, want 404 or 403", nil},
		{"an order may be made in another's name", rule("createRule", "@request.auth.id != ''"), "AU11", "owner is now", nil},
		{"any origin may read answers", func(c *setup) { c.args = nil }, "CO2", "got Access-Control-Allow-Origin: *", []string{"CO1", "CO4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sound()
			c.plant(&s)
			found := audited(t, start(t, s), quick...).failed()
			if !strings.Contains(found[c.by], c.says) {
				t.Errorf("%s: got %q, want a failure with %q", c.by, found[c.by], c.says)
			}
			for id, why := range found {
				if id != c.by && !slices.Contains(c.too, id) {
					t.Errorf("%s accuses too:\n%s", id, why)
				}
			}
		})
	}
}
