package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous/redistest"
	"vitals/report"
)

// ledScenario sends 120 numbered requests a second; the aborts are the test's.
func ledScenario(seconds int, more string) string {
	text := strings.Replace(sharedScenario, "run_for: 3s", fmt.Sprintf("run_for: %ds", seconds), 1)
	return text + more
}

// ledRun is one run of three members at a rendezvous, all but the controller in
// this process.
type ledRun struct {
	server   *counting
	redis    *redistest.Server
	url      string
	folder   string
	scenario string
	n        int

	all   sync.WaitGroup
	codes []int // of the members, by index
	took  []time.Duration
}

func newLedRun(t *testing.T, n int, scenario string) *ledRun {
	t.Helper()
	r := &ledRun{server: &counting{seen: map[string]int{}}, redis: redistest.Start(t), folder: t.TempDir(), n: n, codes: make([]int, n), took: make([]time.Duration, n)}
	s := httptest.NewServer(r.server)
	t.Cleanup(s.Close)
	r.url, r.scenario = s.URL, filepath.Join(r.folder, "led.yaml")
	if err := os.WriteFile(r.scenario, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *ledRun) options(out string) Options {
	return Options{
		Scenarios: []string{r.scenario}, Pace: "full", Targets: noTargets, URL: r.url, Seed: 1, Replicas: 1,
		Out: filepath.Join(r.folder, out), Tool: "vitals test", Quiet: true,
	}
}

// startAs starts the members of a run.
func (r *ledRun) startAs(t *testing.T, run string) { r.members(t, "vitals test", run) }

// start starts the members.
func (r *ledRun) start(t *testing.T, tool string) { r.members(t, tool, "led") }

func (r *ledRun) members(t *testing.T, tool, run string) {
	accounts := writeFile(t, "email,password\na@x.example,secret-a-1\nb@x.example,secret-b-2\nc@x.example,secret-c-3\nd@x.example,secret-d-4\n")
	for i := range r.n {
		o := r.options(fmt.Sprint("own", i))
		o.Member, o.Rendezvous, o.RunID, o.Accounts, o.Tool = fmt.Sprintf("%d/%d", i, r.n), r.redis.File, run, accounts, tool
		r.all.Go(func() {
			p, err := Read(o)
			if err == nil {
				var d *report.Document
				if d, err = Run(t.Context(), t.Context(), p, Streams{Out: io.Discard, Err: io.Discard}); d != nil {
					r.codes[i], r.took[i] = d.Exit, d.Runs[0].Result.Took
				}
			}
			if err != nil {
				t.Errorf("member %d: %v", i, err)
			}
		})
	}
}

func (r *ledRun) lead() Lead {
	return Lead{Rendezvous: r.redis.File, Run: "led", Members: r.n, Barrier: time.Minute}
}

// led leads the run in this process to its end.
func (r *ledRun) led(t *testing.T) (*report.Document, string) {
	t.Helper()
	var talk bytes.Buffer
	d, err := Fleet{Options: r.options("out"), Lead: r.lead(), Engine: "none"}.Run(t.Context(), t.Context(), Streams{Out: io.Discard, Err: &syncWriter{w: &talk}})
	r.all.Wait()
	if err != nil {
		t.Fatal(err, talk.String())
	}
	return d, talk.String()
}

// whole holds a run to its plan: every number once at the server and once in the sum.
func (r *ledRun) whole(t *testing.T, d *report.Document, want int) {
	t.Helper()
	c := d.Runs[0].Result.Total(true, false).Counts
	if c.Planned != int64(want) || c.Sent != int64(want) || len(r.server.seen) != want {
		t.Errorf("planned %d, sent %d, %d distinct at the server, want %d of each", c.Planned, c.Sent, len(r.server.seen), want)
	}
	for path, n := range r.server.seen {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
}

// The controller is killed in the middle of the load, and the same command goes on
// with the run: nothing is lost, and nothing is sent twice.
func TestLeadIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	r := newLedRun(t, 3, ledScenario(12, ""))
	tool, err := exec.Command(program(), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(r.folder, "out")
	args := []string{"fleet", "run", r.scenario, "--engine", "none", "--workers", "3", "--rendezvous-file", r.redis.File, "--run-id", "led", "--url", r.url, "--targets", "none", "--out", out}
	var talk bytes.Buffer
	first := exec.Command(program(), args...)
	first.Stderr = &talk
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	r.start(t, strings.TrimSpace(string(tool)))
	for range 1200 { // until the load goes on
		if r.server.count() > 60 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	if r.server.count() < 60 {
		t.Fatalf("no load came\n%s", talk.String())
	}
	time.Sleep(3 * time.Second)
	again := exec.Command(program(), args...)
	text, err := again.CombinedOutput()
	r.all.Wait()
	if code := again.ProcessState.ExitCode(); code != exit.Pass && code != exit.NoAnswer { // a busy machine may make it INVALID
		t.Fatalf("exit %d, %v\n%s", code, err, text)
	}
	if !strings.Contains(string(text), "going on with it") {
		t.Errorf("the second controller began anew:\n%s", text)
	}
	d, err := report.Read(filepath.Join(out, "document.json"))
	if err != nil {
		t.Fatal(err)
	}
	r.whole(t, d, 12*120)
	if d.Partial || len(d.Members) != 3 {
		t.Errorf("got partial %v, members %+v", d.Partial, d.Members)
	}
}

// A rendezvous that is away for less than the lease's time costs nothing; one that
// is away for longer stops the load, and the run is worthless.
func TestLeadWithoutRedis(t *testing.T) {
	t.Parallel()
	t.Run("8s", func(t *testing.T) {
		t.Parallel()
		r := newLedRun(t, 3, ledScenario(14, ""))
		r.start(t, "vitals test")
		go r.pause(t, 8*time.Second)
		d, talk := r.led(t)
		r.whole(t, d, 14*120)
		if d.Partial {
			t.Errorf("got partial, %q\n%s", d.Reasons, talk)
		}
	})
	t.Run("20s", func(t *testing.T) {
		t.Parallel()
		r := newLedRun(t, 3, ledScenario(40, ""))
		r.start(t, "vitals test")
		go r.pause(t, 20*time.Second)
		d, talk := r.led(t)
		if d.Verdict != report.Invalid || d.Exit != exit.NoAnswer || !d.Partial || !strings.Contains(strings.Join(d.Reasons, "\n"), "no controller was to be seen") {
			t.Errorf("got %s, exit %d, partial %v, %q, want INVALID\n%s", d.Verdict, d.Exit, d.Partial, d.Reasons, talk)
		}
		for i, took := range r.took {
			if r.codes[i] != fleet.ExitAborted || took > 30*time.Second {
				t.Errorf("member %d: exit %d after %s, want %d and the load stopped", i, r.codes[i], took, fleet.ExitAborted)
			}
		}
	})
}

// pause freezes Redis when the load goes on.
func (r *ledRun) pause(t *testing.T, d time.Duration) {
	for r.server.count() < 60 && t.Context().Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	r.redis.Pause(t, d)
}

// What one member suffers decides nothing by itself: targets and abort rules are
// asked of the merged figures, and the member is named.
func TestLeadJudgesTheSum(t *testing.T) {
	t.Parallel()
	slowed := func(path string) time.Duration { // everything of member 0 of 4
		var n int
		if _, err := fmt.Sscanf(path, "/n/%d", &n); err == nil && n%4 == slowMember {
			return time.Second
		}
		return 0
	}
	t.Run("a rule that one member breaks", func(t *testing.T) {
		t.Parallel()
		r := newLedRun(t, 4, ledScenario(6, "  - p95 < 900ms\nabort:\n  - p50 > 900ms for 2s\n"))
		r.server.slow = slowed
		r.start(t, "vitals test")
		d, talk := r.led(t)
		r.whole(t, d, 6*120)
		if d.Partial || d.Verdict == report.Pass || !strings.Contains(strings.Join(d.Reasons, "\n"), "p95 < 900ms") {
			t.Errorf("got %s, partial %v, %q, want the merged p95 missed and no abort\n%s", d.Verdict, d.Partial, d.Reasons, talk)
		}
		differ := 0
		for _, m := range d.Members {
			if m.Differs != "" {
				differ++
			}
		}
		if differ != 1 || !strings.Contains(talk, "differs: p50") {
			t.Errorf("%d members differ, want 1, named while the run went on\n%s", differ, talk)
		}
	})
	t.Run("a rule that the sum breaks", func(t *testing.T) {
		t.Parallel()
		r := newLedRun(t, 4, ledScenario(40, "abort:\n  - p95 > 900ms for 2s\n"))
		r.server.slow = slowed
		r.start(t, "vitals test")
		d, talk := r.led(t)
		if !d.Partial || d.Runs[0].Result.EndedBy != "abort rule" || !strings.Contains(d.Runs[0].Result.EndedEarly, "p95 > 900ms for 2s") {
			t.Errorf("got partial %v, ended by %q: %q\n%s", d.Partial, d.Runs[0].Result.EndedBy, d.Runs[0].Result.EndedEarly, talk)
		}
		for i, took := range r.took {
			if r.codes[i] != fleet.ExitAborted || took > 35*time.Second {
				t.Errorf("member %d: exit %d after %s, want %d, and all stopped", i, r.codes[i], took, fleet.ExitAborted)
			}
		}
		t.Logf("the members stopped after %v", r.took)
		if _, err := os.Stat(filepath.Join(r.folder, "out", "baseline.json")); err == nil {
			t.Error("an aborted run left a baseline")
		}
	})
}

// slowMember is whose numbers the server answers late.
const slowMember = 1

// A member that is killed ends the run; where one may be lost it goes on, and is
// partial.
func TestLeadLosesAMember(t *testing.T) {
	t.Parallel()
	for maxLost := range 2 {
		t.Run(fmt.Sprint("max lost ", maxLost), func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			d, asked, talk, err := localRun(t.Context(), t, Lead{Members: 3, MaxLost: maxLost, Rendezvous: redis.File, Run: "local"}, ledScenario(12, ""), func(out string, c *counting) {
				killed(t, out, c)
			})
			if err != nil {
				t.Fatal(err, talk)
			}
			reasons := strings.Join(d.Reasons, "\n")
			if !d.Partial || d.Verdict == report.Pass || d.Exit != exit.NoAnswer || !strings.Contains(reasons, "members [1] of 3 are missing") {
				t.Errorf("got %s, exit %d, partial %v, %q\n%s", d.Verdict, d.Exit, d.Partial, d.Reasons, talk)
			}
			c := d.Runs[0].Result.Total(true, false).Counts
			if maxLost == 1 && (c.Sent != 2*4*120 || len(asked) < int(c.Sent)) {
				t.Errorf("sent %d, %d at the server, want the whole shares of two members, %d", c.Sent, len(asked), 2*4*120)
			}
			if maxLost == 0 && (d.Verdict != report.Invalid || !strings.Contains(reasons, "lost members [1]") || c.Sent > 2*4*120-120) {
				t.Errorf("got %s, %q, sent %d, want INVALID and the load stopped", d.Verdict, d.Reasons, c.Sent)
			}
		})
	}
}

// A member that is told to go, as a pod that is evicted is, is lost; what it sent until
// then is in the sum.
func TestLeadIsLeftByAMember(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	d, asked, talk, err := localRun(t.Context(), t, Lead{Members: 3, MaxLost: 1, Rendezvous: redis.File, Run: "local"}, ledScenario(8, ""), func(out string, c *counting) {
		ended(t, out, c, "-TERM")
	})
	if err != nil {
		t.Fatal(err, talk)
	}
	c := d.Runs[0].Result.Total(true, false).Counts
	if !d.Partial || d.Verdict == report.Pass || d.Exit != exit.NoAnswer || !strings.Contains(strings.Join(d.Reasons, "\n"), "members [1] of 3 left before their share was sent") {
		t.Errorf("got %s, exit %d, partial %v, %q\n%s", d.Verdict, d.Exit, d.Partial, d.Reasons, talk)
	}
	if c.Sent != int64(len(asked)) || c.Sent < 2*8*40 || c.Sent == 3*8*40 {
		t.Errorf("sent %d, %d at the server, want all that two members planned, %d, and some of the third's", c.Sent, len(asked), 2*8*40)
	}
}

// A member that the machine starves is named, and the run is no measurement.
func TestLeadNamesAStarvedMember(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	d, _, talk, err := localRun(t.Context(), t, Lead{Members: 3, Rendezvous: redis.File, Run: "local"}, ledScenario(8, ""), func(out string, c *counting) {
		pid := waitFor(t, c, "--out "+filepath.Join(out, "members", "1"))
		if pid == 0 {
			return
		}
		for c.count() < 30 && !c.isOver() {
			time.Sleep(50 * time.Millisecond)
		}
		for range 10 { // half the time it does not run
			for _, signal := range []string{"-STOP", "-CONT"} {
				_ = exec.Command("kill", signal, fmt.Sprint(pid)).Run()
				time.Sleep(300 * time.Millisecond)
			}
		}
	})
	if err != nil {
		t.Fatal(err, talk)
	}
	named := false
	for _, why := range d.Runs[0].Result.Health.Invalid {
		named = named || strings.HasPrefix(why, "member 1: ")
	}
	if d.Verdict != report.Invalid || !named {
		t.Errorf("got %s, %q, want INVALID that names member 1\n%s", d.Verdict, d.Reasons, talk)
	}
}

// What cannot be led is refused, all of it at once.
func TestFleetRefuses(t *testing.T) {
	for want, f := range map[string]Fleet{
		"say --because":              {Engine: "local", Lead: Lead{Members: 2}},
		"name the file with its URL": {Engine: "none", Lead: Lead{Members: 2, Run: "x"}},
		"no run id":                  {Engine: "none", Lead: Lead{Members: 2, Rendezvous: "f"}},
		"--max-lost 2: want 0 to 1":  {Engine: "none", Lead: Lead{Members: 2, MaxLost: 2, Run: "x", Rendezvous: "f"}},
		"--engine nomad: want local, kubernetes or none": {Engine: "nomad", Lead: Lead{Members: 2, Run: "x"}},
	} {
		_, err := f.Run(context.Background(), context.Background(), Streams{Out: io.Discard, Err: io.Discard})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
