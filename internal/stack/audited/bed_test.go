package audited_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
	"vitals/internal/stack/audited"
)

// built is where the programs under test are, each built once.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "vitals-audited-test-"); err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the programs under test:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

// binary is the vitals program, built with tags.
func binary(t *testing.T, tags string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the API; run without -short")
	}
	out := filepath.Join(built, "vitals"+tags)
	if _, err := os.Stat(out); err == nil {
		return out
	}
	cmd := exec.Command("go", "build", "-tags", tags, "-o", out, "vitals/cmd/vitals")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build vitals: %v\n%s", err, text)
	}
	return out
}

// bed is an API to be audited, and how.
type bed struct {
	binary string
	env    map[string]string
	launch audit.Launch
	bursts int // of LK8
}

// run starts the API and audits it with the probes of the words.
func (b bed) run(t *testing.T, only ...string) audit.Report {
	t.Helper()
	owner := audited.NewOwner(audited.Options{Binary: b.binary, Profile: profile.Clinic(), Env: b.env})
	defer func() {
		if err := owner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	api, err := owner.Launch(t.Context(), b.launch)
	if missing, ok := errors.AsType[*audit.Missing](err); ok {
		t.Skipf("%v; install it", missing)
	}
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
	return audit.Run(t.Context(), probes, api.Target, audit.Options{Owner: owner, Patience: 20 * time.Second, Bursts: b.bursts})
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

// unhurried runs the probes, and again, alone, those whose burst a crowded machine
// released too slowly to be one: three times in all.
func (b bed) unhurried(t *testing.T, probes ...string) audit.Report {
	t.Helper()
	rep := b.run(t, probes...)
	for range 2 {
		var slow []string
		for _, f := range rep.Findings {
			if f.Status == audit.Skip && strings.Contains(f.Reason, "simultaneous") {
				slow = append(slow, f.ID)
			}
		}
		if len(slow) == 0 {
			break
		}
		t.Logf("released too slowly here, and asked again: %v", slow)
		again := b.run(t, slow...)
		for i, f := range rep.Findings {
			if n := slices.IndexFunc(again.Findings, func(g audit.Finding) bool { return g.ID == f.ID }); n >= 0 {
				rep.Findings[i] = again.Findings[n]
			}
		}
		rep.Violations = append(rep.Violations, again.Violations...)
	}
	return rep
}

// green fails the test for each probe that did not pass and each invariant that
// broke.
func green(t *testing.T, rep audit.Report) {
	t.Helper()
	for _, f := range rep.Findings {
		if f.Status != audit.Pass {
			t.Errorf("%s %s: %s", f.Status, f.ID, f.Reason)
		}
	}
	for _, v := range rep.Violations {
		t.Error(v)
	}
}
