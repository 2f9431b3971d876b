package audit_test

import (
	"slices"
	"strings"
	"testing"

	"vitals/internal/golden"
)

// faults are ways to break an API, with the probe or invariant that is for each,
// and what may turn red beside it because it looks at the same thing. Nothing
// else may.
var faults = []struct {
	name   string
	caught string // must turn red
	also   string // may
}{
	{"GET then INCR", "LK8", "J1 J6 LK23"},
	{"lock extended by attempts", "LK4", "J7 LK5 J3 J2"},
	{"success clears the whole address", "LK14", "J1 J6"},
	{"leftmost X-Forwarded-For", "LK17", "LK32 J1 J6"},
	{"limiter on the raw path", "LK20", "J1 J2 J4 J6 SH2"},
	{"200 with success false", "LK1", "LK2 LK3 LK4 LK5 LK6 LK7 LK8 LK14 LK15 LK16 LK17 LK20 LK25 LK27 LK32 AU1 AU2 AU7 CO4 J1 J4 J6 LK22"},
	{"TOTP replay", "AU9", ""},
	{"refresh reuse accepted", "AU4", "AU5"},
	{"refresh race", "AU5", "AU4"},
	{"Vary missing", "CO1", "CO2 CO4"},
	{"null origin reflected", "CO2", ""},
	{"headers only on success", "LK1", "LK2 LK25"},
	{"Retry-After 0", "LK2", "J5 LK4 LK5 LK21 LK22 LK23 LK3 J3"},
	{"lock key evicted", "LK4", "LK5 J2 J4 J1 J6 J3"},
	{"limit widened by 10 %", "LK2", "LK1 LK5 LK6 LK7 LK8 LK14 LK17 LK20 LK21 LK22 LK23 LK24 LK25 LK27 LK32 J1 J6 AU1 CO4 LK3 LK4"},
	{"unknown user faster than known", "AU2", ""},
	{"sessions survive a change", "AU6", ""},
	{"foreign objects readable", "AU10", ""},
}

// Each fault is caught by the probe that is for it, and turns nothing red that
// looks at something else. The table is kept as the proof.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("audits a small server once for each fault, a few minutes; run without -short")
	}
	rows := make([]string, len(faults))
	t.Run("each", func(t *testing.T) {
		for i, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				// Side by side on one machine the probes that look at the clock would
				// see each other; a fault that only they see is told to them alone.
				only := slices.DeleteFunc(ids(t), func(id string) bool { return slices.Contains([]string{"SH4", "AU2", "AU8"}, id) && id != f.caught })
				rep := examine(t, f.name, only...)
				got := red(rep)
				if !slices.Contains(got, f.caught) {
					t.Errorf("%s: got red %v, want %s among them", f.name, got, f.caught)
				}
				for _, id := range got {
					if id != f.caught && !slices.Contains(strings.Fields(f.also), id) {
						t.Errorf("%s: %s turned red too:\n%s", f.name, id, show(rep))
					}
				}
				rows[i] = "| " + f.name + " | " + f.caught + " | " + f.also + " |\n"
			})
		}
	})
	if slices.Contains(rows, "") {
		t.Log("docs/faults.md was not compared: not every fault was tried")
		return
	}
	golden.Section(t, "| fault | caught by | may turn red too |\n|---|---|---|\n"+strings.Join(rows, ""), "../../docs/faults.md", "third-party API")
}
