package audited_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"vitals/internal/audit"
	"vitals/internal/golden"
	"vitals/server/fault"
)

// panel are probes that look at everything a fault could touch, and take
// seconds together.
const panel = "HL1 HL2 HL3 HL7 RQ1 RQ2 RQ3 CO1 CO2 CO3 CO4 SH1 SH2 SH3 AU1 AU3 AU4 AU5 AU6 AU9 AU10 AU11 " +
	"LK1 LK2 LK3 LK4 LK6 LK7 LK8 LK13 LK14 LK15 LK17 LK20 LK21 LK22 LK23 LK25 LK27 LK30"

// faults are the ways to break the reference API, with the probe that must catch
// each; what must turn red beside it, or may (?), because it looks at the same
// thing; and why it does. Nothing else may.
var faults = map[fault.Name]struct{ caught, also, why string }{
	fault.GetThenIncr:          {"LK8", "LK23 J1 J6?", "the quota of requests is counted alike"},
	fault.CountAfterHash:       {"LK8", "J1 J6?", ""},
	fault.LockExtended:         {"LK4", "J7", ""},
	fault.SuccessClearsAddress: {"LK14", "J1 J6", ""},
	fault.LeftmostForwarded:    {"LK17", "J1 J6", ""},
	fault.RawPath:              {"LK20", "J1 J2 J6", ""},
	fault.FailOpen:             {"LK12", "", ""},
	fault.SuccessFalse:         {"LK1", "AU1 LK2 LK3 LK4 LK6 LK7 LK8 LK14 LK15 LK17 LK20 LK25 LK27 J4 J6", "they see that a wrong password gets 401; and who sees none does not see what earned the lock"},
	fault.TOTPReplay:           {"AU9", "", ""},
	fault.RefreshReuse:         {"AU4", "AU5", "the same token, 20 times at once"},
	fault.VaryMissing:          {"CO1", "CO2 CO4", "they look for Vary on foreign origins and on refusals"},
	fault.NullOrigin:           {"CO2", "", ""},
	fault.HeadersOnSuccess:     {"LK1", "LK2", "it reads the limit's headers on refusals"},
	fault.RetryAfterZero:       {"LK2", "LK4 LK21 LK22 LK23 J5", "they read Retry-After"},
	fault.LockEvicted:          {"LK4", "J1 J2 J6", ""},
	fault.ReadyThroughPool:     {"HL6", "", ""},
	fault.LiveTouchesDatabase:  {"HL5", "", ""},
	fault.LimitWidened:         {"LK2", "CO4 LK3 LK8 LK14 LK17 LK20 LK21 LK22 LK23 J1 J6", "they count to a limit"},
	fault.CountersInProcess:    {"LK9", "J1", ""},
	fault.UnknownFaster:        {"AU2", "", ""},
}

// judge holds what turned red under a fault against what must and may, of the
// probes that were run.
func judge(t *testing.T, rep audit.Report, caught, also string) {
	t.Helper()
	ran, missed := map[string]bool{}, ""
	for _, f := range rep.Findings {
		switch {
		case f.Status != audit.Skip:
			ran[f.ID] = true
		case f.ID == caught:
			t.Skipf("%s did not run: %s", f.ID, f.Reason)
		case strings.HasPrefix(f.Reason, "this machine"), strings.Contains(f.Reason, "simultaneous"):
			missed = fmt.Sprintf("all else is as it should be, but %s did not run: %s", f.ID, f.Reason)
		default: // it would have turned red unseen
			t.Errorf("%s did not run: %s", f.ID, f.Reason)
		}
	}
	got, want := red(rep), []string{caught}
	for _, id := range strings.Fields(also) {
		id, maybe := strings.CutSuffix(id, "?")
		if maybe && slices.Contains(got, id) || !maybe && (ran[id] || id[0] == 'J') {
			want = append(want, id)
		}
	}
	if slices.Sort(want); slices.Equal(got, want) {
		if missed != "" {
			t.Skip(missed)
		}
		return
	}
	t.Errorf("got red %v, want %v", got, want)
	for _, f := range rep.Findings {
		if f.Status == audit.Fail && !slices.Contains(want, f.ID) {
			t.Errorf("%s: %s", f.ID, f.Reason)
		}
	}
	for _, v := range rep.Violations {
		if !slices.Contains(want, v.Rule) {
			t.Error(v)
		}
	}
}

// Each fault of the real API is caught by the probe that is for it, and nothing
// turns red that looks at something else. The table is kept as the proof.
func TestFaultsOfTheAPI(t *testing.T) {
	bin := binary(t, "faults")
	all := fault.All()
	rows := make([]string, len(all))
	t.Cleanup(func() { // when the last has ended
		if slices.Contains(rows, "") {
			t.Log("docs/faults.md was not compared: not every fault was tried")
			return
		}
		golden.Section(t, "| fault | what it does | caught by | red too, for it looks at the same thing |\n"+
			"|---|---|---|---|\n"+strings.Join(rows, ""), "../../../docs/faults.md", "reference API")
	})
	for i, f := range all {
		want, ok := faults[f.Name]
		if !ok && f.Name != fault.Panic {
			t.Errorf("nothing is said to catch %s", f.Name)
		}
		if !ok {
			rows[i] = fmt.Sprintf("| `%s` | %s | none: SH5 and SE1 pass | |\n", f.Name, f.Does)
			continue
		}
		t.Run(string(f.Name), func(t *testing.T) {
			if !slices.Contains(timed, f.Name) {
				t.Parallel()
			}
			only := strings.Fields(panel)
			if !slices.Contains(only, want.caught) {
				only = append(only, want.caught)
			}
			env := map[string]string{fault.Variable: string(f.Name)}
			rep := bed{bin, env, plenty, 2}.unhurried(t, only...)
			rows[i] = fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.Name, f.Does, want.caught, beside(want.also, want.why))
			judge(t, rep, want.caught, want.also)
		})
	}
}

// plenty are enough accounts for a crowded machine, where measurements of sign-in
// times are made again.
var plenty = audit.Launch{Accounts: 150}

// timed are the faults whose probes look at the clock: side by side on one
// machine they would see each other.
var timed = []fault.Name{fault.FailOpen, fault.LiveTouchesDatabase, fault.UnknownFaster}

// beside words what else turns red: the invariants are all probes' answers read
// together, and need no reason.
func beside(also, why string) string {
	also = strings.ReplaceAll(also, "?", " (at times)")
	if why != "" {
		also += ": " + why
	}
	return also
}

// What breaks the limiter breaks it in Redis too, and is seen there.
func TestFaultsOnRedis(t *testing.T) {
	bin := binary(t, "faults")
	for _, name := range []fault.Name{fault.GetThenIncr, fault.CountAfterHash, fault.SuccessClearsAddress, fault.LockExtended, fault.LockEvicted} {
		t.Run(string(name), func(t *testing.T) {
			env := map[string]string{fault.Variable: string(name)}
			want := faults[name]
			judge(t, bed{bin, env, audit.Launch{Redis: true}, 2}.run(t, "LK1", "LK2", want.caught), want.caught, want.also)
		})
	}
}

// The healthy API passes the panel.
func TestHealthyAPIPasses(t *testing.T) {
	green(t, bed{binary: binary(t, "")}.unhurried(t, strings.Fields(panel)...))
}

// A panic of ours is a plain answer and one report: it takes a build that panics.
func TestPanicShowsNothing(t *testing.T) {
	green(t, bed{binary: binary(t, "faults")}.run(t, "SH5", "SE1"))
}

// A build without the tag has nothing of the faults in it.
func TestReleaseHasNoFaults(t *testing.T) {
	healthy, err := os.ReadFile(binary(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	broken, err := os.ReadFile(binary(t, "faults"))
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"vitals/server/fault", "vitals/server/limit.broken", "ON PURPOSE"}
	for _, f := range fault.All() {
		words = append(words, f.Does)
	}
	for _, word := range words {
		if bytes.Contains(healthy, []byte(word)) || !bytes.Contains(broken, []byte(word)) {
			t.Errorf("%q: in the healthy build %v, in the broken one %v, want it in that alone",
				word, bytes.Contains(healthy, []byte(word)), bytes.Contains(broken, []byte(word)))
		}
	}
}

// A fault that does not exist is refused, with all there are and the nearest; one
// that does is said loudly; neither serves production.
func TestFaultIsSaid(t *testing.T) {
	bin := binary(t, "faults")
	for _, c := range []struct {
		env, name string
		code      int
		say       string
	}{
		{"test", "get-then-inc", 78, "did you mean get-then-incr?"},
		{"test", "xyz", 78, string(fault.UnknownFaster)},
		{"production", "raw-path", 78, "never in production"},
		{"test", "raw-path", 0, "BROKEN ON PURPOSE"},
		{"test", "", 0, "CAN BE BROKEN"},
	} {
		commands := [][]string{{"serve", "config"}}
		if c.code != 0 { // else it would serve
			commands = append(commands, []string{"serve"})
		}
		for _, args := range commands {
			cmd := exec.Command(bin, args...)
			cmd.Env = []string{"ENV=" + c.env, fault.Variable + "=" + c.name}
			var said bytes.Buffer
			cmd.Stderr = &said
			err := cmd.Run()
			if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(said.String(), c.say) {
				t.Errorf("%s=%s ENV=%s vitals %s: exit %d, %s\nwant %d and %q", fault.Variable, c.name, c.env, strings.Join(args, " "), code, said.String(), c.code, c.say)
			}
		}
	}
	out, err := exec.Command(bin, "version").Output()
	if err != nil || !bytes.Contains(out, []byte("BROKEN ON PURPOSE")) {
		t.Errorf("version: got %q, %v", out, err)
	}
}
