package harness

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/report"
)

// localRun runs the shared scenario with members that are the program itself.
func localRun(ctx context.Context, t *testing.T, l Lead, scenario string, meanwhile func(out string, c *counting)) (d *report.Document, asked map[string]int, talk string, err error) {
	t.Helper()
	c := &counting{seen: map[string]int{}, over: make(chan struct{})}
	s := httptest.NewServer(c)
	defer s.Close()
	folder := t.TempDir()
	file := filepath.Join(folder, "shared.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(folder, "out")
	p, err := Read(Options{
		Scenarios: []string{file}, Pace: "full", Targets: writeFile(t, "targets:\n  - failed < 1%\n"), URL: s.URL,
		Accounts: writeFile(t, "email,password\na@x.example,secret-a-1\nb@x.example,secret-b-2\nc@x.example,secret-c-3\n"),
		Seed:     7, Replicas: 1, Out: out, Binary: program(), Tool: programVersion(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	ended := make(chan struct{})
	go func() { defer close(ended); meanwhile(out, c) }()
	d, err = RunLocal(ctx, t.Context(), p, l, Streams{Out: &words, Err: &syncWriter{w: &words}})
	close(c.over)
	<-ended
	if err != nil { // what the members said says why
		logs, _ := filepath.Glob(filepath.Join(out, "members", "*", "member.log"))
		for _, file := range logs {
			text, _ := os.ReadFile(file)
			t.Logf("%s: %s", file, text)
		}
	}
	return d, c.seen, words.String(), err
}

// Members that are processes of their own send the plan between them, and nothing
// of them stays.
func TestLocalFleet(t *testing.T) {
	d, asked, talk, err := localRun(t.Context(), t, Lead{Members: 3}, sharedScenario, func(string, *counting) {})
	if err != nil {
		t.Fatal(err, talk)
	}
	c := d.Runs[0].Result.Total(true, false).Counts
	if len(asked) != 360 || c.Sent != 360 || len(d.Members) != 3 || d.Partial {
		t.Errorf("got %d distinct at the server, %d sent, members %+v, want 360 and 3\n%s", len(asked), c.Sent, d.Members, talk)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "vitals-fleet-*")); len(left) > 0 {
		t.Errorf("the accounts stayed behind: %v", left)
	}
}

// Where nobody signs in nobody needs accounts.
func TestLocalFleetWithoutAccounts(t *testing.T) {
	t.Parallel()
	c := &counting{seen: map[string]int{}}
	s := httptest.NewServer(c)
	defer s.Close()
	scenario := writeFile(t, "name: guests\narrivals: {rate: 60/s, run_for: 2s}\njourneys:\n  - name: j\n    tasks:\n      - {name: number, get: \"/n/{{seq}}\", anonymous: true}\n")
	p, err := Fleet{Engine: "local", Because: "rehearsal", Lead: Lead{Members: 2}, Options: Options{
		Scenarios: []string{scenario}, Pace: "full", Targets: writeFile(t, "targets:\n  - failed < 1%\n"), URL: s.URL,
		Seed: 7, Replicas: 1, Out: filepath.Join(t.TempDir(), "out"), Binary: program(), Tool: programVersion(),
	}}.Read()
	if err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	d, err := RunLocal(t.Context(), t.Context(), p, Lead{Members: 2}, Streams{Out: &words, Err: &syncWriter{w: &words}})
	if err != nil || d.Partial || len(c.seen) != 120 {
		t.Errorf("got %v, %d distinct at the server, want 120\n%s", err, len(c.seen), words.String())
	}
}

// A member that is killed ends the run: it is partial, says who was lost, and
// passes nothing.
func TestLocalFleetLosesAMember(t *testing.T) {
	t.Parallel()
	d, _, talk, err := localRun(t.Context(), t, Lead{Members: 3}, sharedScenario, func(out string, c *counting) { killed(t, out, c) })
	if err != nil {
		t.Fatal(err, talk)
	}
	if !d.Partial || d.Verdict == report.Pass || d.Exit == exit.Pass || !strings.Contains(strings.Join(d.Reasons, "\n"), "member 1 was lost") {
		t.Errorf("got %s, exit %d, partial %v, %q, want member 1 lost and no pass\n%s", d.Verdict, d.Exit, d.Partial, d.Reasons, talk)
	}
}

// killed kills member 1 when the load goes on.
func killed(t *testing.T, out string, c *counting) { ended(t, out, c, "-9") }

// ended sends member 1 a signal when the load goes on.
func ended(t *testing.T, out string, c *counting, signal string) {
	pid := waitFor(t, c, "--out "+filepath.Join(out, "members", "1"))
	if pid == 0 {
		return
	}
	for c.count() < 30 && !c.isOver() {
		time.Sleep(50 * time.Millisecond)
	}
	_ = exec.Command("kill", signal, strconv.Itoa(pid)).Run()
}

// waitFor is the process whose command line holds the text; 0 when none came.
func waitFor(t *testing.T, c *counting, text string) int {
	for !c.isOver() {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err == nil && strings.Contains(strings.ReplaceAll(string(b), "\x00", " "), text) {
				pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
				return pid
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("no process with %q came", text)
	return 0
}

// syncWriter lets several members speak into one buffer.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// Members that are interrupted before the load leave nothing that an earlier run's files
// could be taken for.
func TestLocalFleetIsInterruptedBeforeTheLoad(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(&counting{seen: map[string]int{}})
	defer s.Close()
	scenario := writeFile(t, "name: guests\narrivals: {rate: 60/s, run_for: 2s}\njourneys:\n  - name: j\n    tasks:\n      - {name: number, get: \"/n/{{seq}}\", anonymous: true}\n")
	out := t.TempDir()
	for _, dir := range []string{out, filepath.Join(out, "members", "0"), filepath.Join(out, "members", "1")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := leave(dir, &report.Document{Schema: report.Schema, Verdict: report.Pass, Note: "earlier", Runs: []report.Run{}}, false); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Read(Options{Scenarios: []string{scenario}, Pace: "full", Targets: "none", URL: s.URL, Seed: 7, Replicas: 1, Out: out, Binary: program(), Tool: programVersion()})
	if err != nil {
		t.Fatal(err)
	}
	drain, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, interrupt)
	var words bytes.Buffer
	if _, err := RunLocal(drain, t.Context(), p, Lead{Members: 2}, Streams{Out: &words, Err: &syncWriter{w: &words}}); err != nil && exit.Code(err) != exit.Interrupted {
		t.Errorf("got %v, want exit %d\n%s", err, exit.Interrupted, words.String())
	}
	d, err := report.Read(filepath.Join(out, "document.json"))
	if err != nil || d.Verdict != report.NoData || d.Exit != exit.Interrupted || d.Note != "" {
		t.Errorf("got %+v, %v", d, err)
	}
	for _, i := range []string{"0", "1"} {
		if d, err := report.Read(filepath.Join(out, "members", i, "document.json")); err == nil && d.Note == "earlier" {
			t.Errorf("member %s has the earlier run's document", i)
		}
	}
}
