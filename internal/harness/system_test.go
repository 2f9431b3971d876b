package harness

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"vitals/internal/canary"
	"vitals/internal/exit"
	"vitals/internal/limitcheck"
	"vitals/internal/stack"
	"vitals/internal/stack/local"
	"vitals/report"
	seeded "vitals/server/fault"
	"vitals/targets"
)

func start(t *testing.T) *stack.Stack {
	t.Helper()
	return startWith(t, 40)
}

func startWith(t *testing.T, accounts int) *stack.Stack {
	t.Helper()
	s, err := local.Embedded{Binary: program(), Accounts: accounts}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// accountsFile writes accounts as users keep them.
func accountsFile(t *testing.T, accounts []stack.Account) string {
	t.Helper()
	rows := [][]string{{"email", "password"}}
	for _, a := range accounts {
		rows = append(rows, []string{a.Email, a.Password})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "accounts.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// status is the verdict's status on a target's text.
func status(t *testing.T, d *report.Document, text string) targets.Verdict {
	t.Helper()
	for _, r := range d.Runs {
		for _, v := range r.Verdicts {
			if v.Target.Text == text {
				return v
			}
		}
	}
	t.Fatalf("no verdict on %q", text)
	return targets.Verdict{}
}

// watched is a writer that tells when a text has passed.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	want string
	seen chan struct{}
	done bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if !w.done && strings.Contains(w.buf.String(), w.want) {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func TestURLIsJudgedAndKeepsNoSecret(t *testing.T) {
	t.Parallel()
	s, out := start(t), t.TempDir()
	r := carryOut(t, "smoke", "--pace", "quick", "--url", s.URL.String(),
		"--metrics", s.Metrics.String(), "--cores", "2", "--accounts", accountsFile(t, s.Accounts), "--out", out)
	code, stdout, stderr := r.code, r.out, r.talk
	if code == exit.Usage || code == exit.NoSystem {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	d := r.doc
	for _, text := range []string{"lockout.admitted == 5", "lockout.bystanders == 0", "lockout.leaked == 0"} {
		if v := status(t, d, text); v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	if d.Exit != code {
		t.Errorf("the document says exit %d, the program %d", d.Exit, code)
	}
	password := s.Accounts[0].Password
	for _, format := range report.Formats() { // what vitals report makes of the document, too
		render, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := errors.Join(render(&b, d), os.WriteFile(filepath.Join(out, "as-"+format), b.Bytes(), 0o600)); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	hits, err := canary.Dir(out, password)
	if err != nil {
		t.Fatal(err)
	}
	if len(hits) > 0 {
		t.Errorf("a password is in the artefacts: %v", hits)
	}
	if strings.Contains(stdout+stderr, password) {
		t.Error("a password is in the output")
	}
}

func TestAccountThatCannotSignIn(t *testing.T) {
	t.Parallel()
	s, out := start(t), t.TempDir()
	wrong := s.Accounts
	for i := range wrong {
		wrong[i].Password = "hunter2-hunter2-hunter2"
	}
	r := carryOut(t, "smoke", "--pace", "quick", "--url", s.URL.String(), "--accounts", accountsFile(t, wrong), "--out", out)
	if r.code != exit.NoAnswer || r.doc.Verdict != report.NoData {
		t.Errorf("got exit %d, %s, want %d and no data", r.code, r.doc.Verdict, exit.NoAnswer)
	}
	told := string(r.talk) + string(r.out) + strings.Join(r.doc.Reasons, "\n") // the screen has the beginning of a long answer
	for _, want := range []string{"account", "401", "invalid_credentials"} {
		if !strings.Contains(told, want) {
			t.Errorf("what is told lacks %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "hunter2") {
		t.Errorf("a password is shown:\n%s", told)
	}
}

// TestBrokenLockoutFails runs against an API whose limiter reads, then writes (a
// build that users never get): the lockout admits more than it says.
func TestBrokenLockoutFails(t *testing.T) {
	t.Parallel()
	r := carryOutFaulty(t, seeded.GetThenIncr, "smoke")
	if r.code != exit.Fail {
		t.Errorf("exit: got %d, want %d", r.code, exit.Fail)
	}
	if v := status(t, r.doc, "lockout.admitted == 5"); v.Status != targets.Fail || v.Got <= 5 {
		t.Errorf("got %v, want a failure above 5", v)
	}
	h := r.doc.Runs[0].Invariants
	if h == nil || !slices.ContainsFunc(h.Violations, func(v limitcheck.Violation) bool { return v.Rule == "J1" && v.Policy == "login" && len(v.Shown) == 6 }) {
		t.Errorf("got invariants %+v, want the login accused of J1, with six requests", h)
	}
}

// carryOutFaulty runs a scenario against the embedded API with a seeded fault.
func carryOutFaulty(t *testing.T, fault seeded.Name, scenario string) outcome {
	t.Helper()
	o := options(t, scenario, "--pace", "quick")
	o.Binary = faulty()
	p, err := Read(o)
	if err != nil {
		t.Fatal(err)
	}
	p.set[seeded.Variable] = string(fault)
	return carryOutPlan(t, p)
}
