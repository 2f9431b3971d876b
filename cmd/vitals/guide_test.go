package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/exit"
	"vitals/internal/measure"
)

// guides are the pages whose commands must be ones that the program has.
var guides = []string{"PERFORMANCE_BENCHMARKING.md", "baselines.md"}

// commands are the `vitals …` lines of a page.
func commands(t *testing.T, page string) (out [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^vitals (.+?)(?:\s+#.*)?$`).FindAllStringSubmatch(string(text), -1) {
		var args []string
		for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(m[1], -1) {
			args = append(args, strings.Trim(w, `"`))
		}
		out = append(out, args)
	}
	return out
}

// Every command of the guides exists, with its flags and the number of its
// arguments.
func TestGuideCommands(t *testing.T) {
	n := 0
	for _, page := range guides {
		for _, args := range commands(t, page) {
			n++
			cmd, rest, err := newRootCmd(streams{}).Find(args)
			if err != nil || cmd.Name() == "vitals" {
				t.Errorf("%s: vitals %s: no such command: %v", page, strings.Join(args, " "), err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: vitals %s: %v", page, strings.Join(args, " "), err)
			}
			if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: vitals %s: %v", page, strings.Join(args, " "), err)
			}
		}
	}
	if n < 15 {
		t.Errorf("got %d commands, want the guides' examples", n)
	}
}

// kept is a session with a p95 of about the given ms, as a run leaves it.
func kept(t *testing.T, path, id string, ms float64, design baseline.Design) {
	t.Helper()
	f := baseline.From(baseline.About{
		Session: baseline.Session{ID: id, Started: time.Now().Add(-time.Hour)}, Subject: baseline.Subject{Ref: "build-" + id},
		Env: baseline.Env{Hard: map[string]any{"vcpu": 2}},
	}, nil)
	f.Design = design
	sc := baseline.Scenario{Name: "normal", Model: "arrivals", Config: "c", LoadModel: "l"}
	for i := range max(1, design.Planned) {
		h := measure.NewHistogram()
		for range 1200 {
			h.Record(time.Duration((ms + float64(i%3)) * float64(time.Millisecond)))
		}
		p95, _ := h.Quantile(0.95)
		sc.Runs = append(sc.Runs, baseline.Run{
			Arm: "A", Pair: i, Valid: true, Window: 60e6, Offered: 1200, Sent: 1200, Achieved: 1,
			Endpoints: []baseline.Endpoint{{Name: "list", N: 1200, Hist: h, P95: p95.Microseconds()}},
		})
	}
	f.Scenarios = []baseline.Scenario{sc}
	f.Summarise()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := baseline.Write(path, f); err != nil {
		t.Fatal(err)
	}
}

// typed runs the program in this process.
func typed(args ...string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	code = run(context.Background(), args, streams{Out: &out, Err: &talk})
	return code, out.String(), talk.String()
}

// The commands of the guide that need no system run, one after the other, on
// files as the ones before would have left them.
func TestGuideCommandsRun(t *testing.T) {
	typedLines := commands(t, guides[0])
	t.Chdir(t.TempDir())
	solo := baseline.Design{Mode: baseline.ModeSolo, Planned: 1}
	kept(t, "baselines/1.4.0/baseline.json", "old", 200, solo)
	kept(t, "out/baseline.json", "tonight", 202, solo)
	kept(t, "out/cand.json.gz", "cand", 203, solo)
	ran := 0
	for _, args := range typedLines {
		switch args[0] {
		case "compare", "history":
			for i := range args {
				if args[i] == "SESSION" {
					args[i] = "tonight"
				}
			}
			ran++
			if code, _, stderr := typed(args...); code != 0 {
				t.Errorf("vitals %s: exit %d: %s", strings.Join(args, " "), code, stderr)
			}
		}
	}
	if ran < 4 {
		t.Errorf("ran %d commands, want those of the nightly job", ran)
	}
}

func TestCompareExits(t *testing.T) {
	dir := t.TempDir()
	solo := baseline.Design{Mode: baseline.ModeSolo, Planned: 1}
	path := func(ms float64) string {
		p := filepath.Join(dir, fmt.Sprintf("%g.json", ms))
		kept(t, p, fmt.Sprint(ms), ms, solo)
		return p
	}
	document := filepath.Join(dir, "document.json")
	if err := os.WriteFile(document, []byte(`{"schema": 2, "runs": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	old := path(200)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{old, old}, 0, "p95 normal: NO CHANGE"},
		{[]string{old, path(300)}, 1, "p95 normal: WORSE +50.0 % ["},
		{[]string{old, path(230)}, 3, "to decide: vitals duet normal --base build-200 --cand build-230"},
		{[]string{old, path(230), "--inconclusive", "pass"}, 0, "p95 normal: CONFIRM +15.0 %"},
		{[]string{old, path(204)}, 0, "verdict: INCONCLUSIVE"},
		{[]string{old, path(204), "--inconclusive", "fail"}, 3, "verdict: INCONCLUSIVE"},
		{[]string{old, path(300), "--format", "json"}, 1, `"verdict": "worse"`},
		{[]string{old, path(300), "--tolerance", "p95=60%"}, 0, "tol 60 %"},
		{[]string{old, document}, 2, "is a document, not a baseline"},
		{[]string{old, path(300), "--tolerance", "p59=60%"}, 2, "no such metric"},
		{[]string{old, path(300), "--inconclusive", "maybe"}, 2, "want pass, warn or fail"},
		{[]string{old, filepath.Join(dir, "none.json")}, 2, "no such file"},
		{[]string{old, path(300), "--history", filepath.Join(dir, "none")}, 2, "read history"},
	} {
		code, stdout, stderr := typed(append([]string{"compare"}, c.args...)...)
		if code != c.code || !strings.Contains(unwrapped(stdout+stderr), c.want) {
			t.Errorf("compare %s: exit %d, want %d with %q; got\n%s%s", strings.Join(c.args, " "), code, c.code, c.want, stdout, stderr)
		}
	}
}

// unwrapped is text without the line breaks of a narrow page.
func unwrapped(s string) string { return regexp.MustCompile(`\n\s+`).ReplaceAllString(s, " ") }

func TestDuetAndCapacityRefuse(t *testing.T) {
	out := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"duet"}, "needs --base and --cand"},
		{[]string{"duet", "--base-url", "http://127.0.0.1:1"}, "needs both"},
		{[]string{"duet", "--base", "a", "--cand", "b", "--base-url", "http://127.0.0.1:1"}, "are instead of"},
		{[]string{"duet", "--base", "a", "--cand", "b", "--looks", "1,2,3,4"}, "one, two or three looks"},
		{[]string{"duet", "--qualify", "--base", "a", "--cand", "b"}, "give --base alone"},
		{[]string{"duet", "--base", "No Such Thing", "--cand", "b"}, "is no program"},
		{[]string{"capacity", "--start", "0"}, "start at 0"},
		{[]string{"capacity", "--precision", "7"}, "precision 7"},
	} {
		code, _, stderr := typed(append(c.args, "--out", out)...)
		if code != exit.Usage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %q, want 2 and %q", strings.Join(c.args, " "), code, stderr, c.want)
		}
	}
}
