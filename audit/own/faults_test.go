package own_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/audit"
	"vitals/audit/own"
	"vitals/profiles"
)

// binary builds the vitals program, with tags.
func binary(t *testing.T, tags string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the API; run without -short")
	}
	out := filepath.Join(t.TempDir(), "vitals")
	cmd := exec.Command("go", "build", "-tags", tags, "-o", out, "vitals/cmd/vitals")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build vitals: %v\n%s", err, text)
	}
	return out
}

// run audits an API that an owner starts, with the probes of the words.
func run(t *testing.T, bin string, env map[string]string, l audit.Launch, only ...string) audit.Report {
	t.Helper()
	owner := own.New(own.Options{Binary: bin, Profile: profiles.Clinic(), Env: env})
	defer func() {
		if err := owner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	api, err := owner.Launch(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := api.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if api.Exited {
		t.Fatalf("the API ended with code %d: %s", api.Code, api.Log())
	}
	probes, err := audit.Select(audit.Control, only)
	if err != nil {
		t.Fatal(err)
	}
	return audit.Run(t.Context(), probes, api.Target, audit.Options{Owner: owner, Patience: 20 * time.Second, Bursts: 2})
}

// red are the probes that failed and the invariants that broke, sorted.
func red(rep audit.Report) []string {
	var out []string
	for _, f := range rep.Findings {
		if f.Status == audit.Fail {
			out = append(out, f.ID)
		}
	}
	for _, v := range rep.Violations {
		out = append(out, v.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// panel are probes that look at everything a fault could touch, and take
// seconds.
const panel = "HL1 HL2 HL3 RQ1 RQ3 CO1 CO2 CO3 CO4 SH1 SH3 AU1 AU3 AU4 AU5 AU6 AU9 AU10 AU11 LK1 LK2 LK3 LK4 LK6 LK7 LK8 LK13 LK14 LK15 LK17 LK20 LK21 LK22 LK23 LK25 LK27"

// faults are the ways to break the reference API that its build with the tag
// faults knows (VITALS_FAULT), with the probe that must catch each, and those
// that look at the same thing and may turn red beside it.
var faults = []struct{ name, caught, also string }{
	{"get-then-incr", "LK8", "LK23 J1 J6"},
	{"count-after-hash", "LK8", "J1 J6"},
	{"lock-extended", "LK4", "J7"},
	{"success-clears-address", "LK14", "J1 J6"},
	{"leftmost-forwarded", "LK17", "J1 J4 J6"},
	{"raw-path", "LK20", "J1 J2 J4 J6"},
	{"fail-open", "LK12", ""},
	{"success-false", "LK1", "LK2 LK3 LK4 LK6 LK7 LK8 LK14 LK15 LK17 LK20 LK25 LK27 LK30 AU1 CO4 RQ1 SH1 LK22 J1 J4 J6"},
	{"totp-replay", "AU9", ""},
	{"refresh-reuse", "AU4", "AU5"},
	{"vary-missing", "CO1", "CO2 CO4"},
	{"null-origin", "CO2", ""},
	{"headers-on-success", "LK1", "LK2 LK21 LK25"},
	{"retry-after-0", "LK2", "LK4 LK21 LK22 LK23 J5"},
	{"lock-evicted", "LK4", "LK3 J1 J2 J4 J6"},
	{"ready-through-pool", "HL6", ""},
	{"live-touches-database", "HL5", ""},
	{"limit-widened", "LK2", "LK1 LK3 LK4 LK6 LK7 LK8 LK14 LK17 LK20 LK21 LK22 LK23 LK25 LK27 CO4 J1 J4 J6"},
	{"counters-in-process", "LK9", ""},
	{"unknown-faster", "AU2", ""},
}

// Each fault of the real API is caught, and nothing else turns red.
func TestFaultsOfTheAPI(t *testing.T) {
	bin := binary(t, "faults")
	probe := exec.Command(bin, "serve", "config")
	probe.Env = []string{"ENV=test", "VITALS_FAULT=no-such-fault"}
	if probe.Run() == nil {
		t.Skip("this tree's API has no faults to switch on: VITALS_FAULT=no-such-fault is not refused by a build with -tags faults")
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			only := strings.Fields(panel)
			if !slices.Contains(only, f.caught) {
				only = append(only, f.caught)
			}
			rep := run(t, bin, map[string]string{"VITALS_FAULT": f.name}, audit.Launch{Accounts: 200}, only...)
			got := red(rep)
			t.Log(got)
			for _, f := range rep.Findings {
				if f.Status != audit.Pass { t.Log(f.ID, f.Status, f.Took, f.Reason) }
			}
			for _, v := range rep.Violations { t.Log(v) }
			if !slices.Contains(got, f.caught) {
				t.Errorf("got red %v, want %s among them", got, f.caught)
			}
			for _, id := range got {
				if id != f.caught && !slices.Contains(strings.Fields(f.also), id) {
					t.Errorf("%s turned red too", id)
				}
			}
		})
	}
}

// The healthy API passes the panel.
func TestHealthyAPIPasses(t *testing.T) {
	rep := run(t, binary(t, ""), nil, audit.Launch{Accounts: 200}, strings.Fields(panel)...)
	for _, f := range rep.Findings {
		if f.Status != audit.Pass {
			t.Errorf("%s %s: %s", f.Status, f.ID, f.Reason)
		}
	}
	for _, v := range rep.Violations {
		t.Error(v)
	}
}
