package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/scenarios"
	"vitals/targets"
)

func TestFaultText(t *testing.T) {
	for text, want := range map[string]fault{
		"redis:stop@10s+5s":     {part: "redis", do: stack.Stop, undo: stack.Start, at: 10 * time.Second, rest: 5 * time.Second},
		"postgres:pause@1m+.5s": {part: "postgres", do: stack.Pause, undo: stack.Unpause, at: time.Minute, rest: 500 * time.Millisecond},
		"api:kill@15s":          {part: "api", do: stack.Kill, undo: stack.Start, at: 15 * time.Second},
		"api-2:kill@0s+3s":      {part: "api-2", do: stack.Kill, undo: stack.Start, rest: 3 * time.Second},
	} {
		want.text = text
		got, err := parseFaults([]string{text}, 2)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                    "want PART:ACTION@AT+FOR, as in redis:stop@10s+5s",
		"redis":               "want PART:ACTION@AT+FOR",
		"redis@10s:stop":      "want PART:ACTION@AT+FOR",
		"reddis:stop@1s+1s":   `no part "reddis" (did you mean "redis"?)`,
		"api-3:stop@1s+1s":    `no part "api-3" (start it with --replicas 3)`,
		"redis:sotp@1s+1s":    `no action "sotp" (did you mean "stop"?)`,
		"redis:start@1s+1s":   `no action "start" (it is done when +FOR is over)`,
		"redis:flush@1s+1s":   `no action "flush" (known: kill, pause, stop)`,
		"redis:stop@10+1s":    `"10" after @: want a time from the run's start`,
		"redis:stop@-1s+1s":   `"-1s" after @`,
		"redis:stop@1s+0s":    `"0s" after +: want how long it lasts, above 0`,
		"redis:stop@1s+":      `"" after +`,
		"redis:stop@1s+1s+1s": `"1s+1s" after +`,
		"redis:stop@1s":       "stop needs +FOR, how long it lasts, as in redis:stop@1s+5s",
		"postgres:pause@1s":   "pause needs +FOR",
	} {
		if got, err := parseFaults([]string{text}, 2); err == nil || !strings.Contains(err.Error(), "--fault "+text+": "+want) {
			t.Errorf("%q: got %v, %v, want %q", text, got, err, want)
		}
	}
	_, err := parseFaults([]string{"reds:stp@x+y", "redis:stop@3s+2s", "redis:pause@4s+1s", "api:stop@4s+1s"}, 1)
	for _, want := range []string{`no part "reds"`, `no action "stp"`, `"x" after @`, `"y" after +`, "redis is still away from --fault redis:stop@3s+2s, until 5s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("several mistakes at once: got %v, want %q among them", err, want)
		}
	}
}

func TestFaultUsage(t *testing.T) {
	for args, want := range map[string]string{
		"smoke --fault redis:stop@1s+1s":                                                          "--fault needs --stack containers",
		"smoke --replicas 2":                                                                      "--replicas needs --stack containers",
		"smoke --stack containers --replicas 0":                                                   "--replicas 0: want 1 to 16",
		"smoke --stack containers --pace quick --fault redis:stop@30s+1s":                         "scenario smoke ends at 10s (quick pace)",
		"smoke --stack containers --pace quick --fault redis:stop@4s+2s":                          "scenario smoke ends at 10s (quick pace), and with 5s to recover in it needs to go on until 11s",
		"smoke normal --stack containers --pace quick --fault redis:stop@3500ms+2s":               "scenario smoke ends",
		"smoke --set SECRET_KEY=abc":                                                              "a secret, which belongs in no flag",
		"smoke --set RATE_LIMIT_REDIS_FAILUR=closed":                                              `did you mean "RATE_LIMIT_REDIS_FAILURE"?`,
		"smoke --set RATE_LIMIT_REDIS_FAILURE=shut":                                               "must be one of local, closed, open",
		"smoke --set RATE_LIMIT_LOGIN":                                                            "--set RATE_LIMIT_LOGIN: want NAME=VALUE",
		"smoke --set RATE_LIMIT_LOGIN=5 --set RATE_LIMIT_LOGIN=6":                                 "stands twice",
		"smoke --url http://127.0.0.1:1 --set RATE_LIMIT_LOGIN=5":                                 "has its settings already",
		"smoke --stack containers --pace quick --targets ./testdata/during.yaml":                  `has no phase "fault"`,
		"smoke --stack containers --pace quick --targets ./testdata/during.yaml --fault x:y@3s+1": "no part",
	} {
		code, _, stderr := vitals(t, nil, append(append([]string{"run"}, strings.Fields(args)...), "--out", t.TempDir())...)
		if code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("run %s: got exit %d and\n%s\nwant 2 and %q", args, code, stderr, want)
		}
	}
}

// Every secret of the API is out of --set's reach, a new one too.
func TestSetTakesNoSecret(t *testing.T) {
	var names []string
	known, _, err := stack.Describe(map[string]string{"ENV": "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range known {
		env := map[string]string{"ENV": "test", s.Name: "", s.Name + "_FILE": filepath.Join(t.TempDir(), "absent")}
		if _, _, err := stack.Describe(env); err != nil && strings.Contains(err.Error(), s.Name+"_FILE") {
			names = append(names, s.Name) // only secrets may come from a file
		}
	}
	if len(names) < 5 {
		t.Fatalf("got secrets %v, want those of the API's table", names)
	}
	for _, name := range names {
		if !slices.Contains(stackOwn, name) {
			t.Errorf("--set would take the secret %s", name)
		}
	}
}

func TestFaultPhases(t *testing.T) {
	s := time.Second
	got := withFaults(
		[]measure.Phase{{Name: "ramp", To: 2 * s}, {Name: "hold", From: 2 * s, To: 30 * s, Judged: true}},
		[]fault{{at: 1 * s, rest: 2 * s}, {at: 10 * s, rest: 4 * s}, {at: 12 * s, rest: 3 * s}, {at: 25 * s}}, 2*s)
	want := []measure.Phase{
		{Name: "ramp", To: 1 * s},
		{Name: "fault", From: 1 * s, To: 3 * s},
		{Name: "recovering", From: 3 * s, To: 5 * s},
		{Name: "hold", From: 5 * s, To: 10 * s, Judged: true},
		{Name: "fault", From: 10 * s, To: 15 * s},
		{Name: "recovering", From: 15 * s, To: 17 * s},
		{Name: "hold", From: 17 * s, To: 25 * s, Judged: true},
		{Name: "recovering", From: 25 * s, To: 27 * s},
		{Name: "hold", From: 27 * s, To: 30 * s, Judged: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if same := withFaults(want[:1], nil, s); !slices.Equal(same, want[:1]) {
		t.Errorf("without faults: got %v, want it as it was", same)
	}
}

// series is a slice for each letter: . as expected, x with errors, _ nothing sent.
func series(letters string) measure.Series {
	s := measure.Series{Every: time.Second}
	for i, l := range letters {
		c := measure.Counts{Sent: 10}
		switch l {
		case 'x':
			c.Errors = 1
		case '_':
			c.Sent = 0
		}
		s.Slices = append(s.Slices, measure.Slice{At: time.Duration(i) * time.Second, Counts: c})
	}
	return s
}

func TestRecovery(t *testing.T) {
	one := func(began, over time.Duration) outage {
		return outage{fault: fault{at: began, rest: over - began, text: "redis:stop"}, began: began, over: over}
	}
	ms := time.Millisecond
	for _, c := range []struct {
		name, series string
		outages      []outage
		want         float64 // seconds; -1 = not measured
	}{
		{"nobody noticed", "..........", []outage{one(3000*ms, 5300*ms)}, 0},
		{"well in the slice after", "...xxx....", []outage{one(3000*ms, 5300*ms)}, 0.7},
		{"a relapse", "...xxx.x...", []outage{one(3000*ms, 5300*ms)}, 2.7},
		{"a late stumble is no relapse", "...xxx...x.", []outage{one(3000*ms, 5300*ms)}, 0.7},
		{"silence proves nothing", "...xxx__...", []outage{one(3000*ms, 5300*ms)}, 2.7},
		{"never", "...xxxxxxx", []outage{one(3000*ms, 5300*ms)}, 4.7},
		{"not watched for long enough", "...xxxx", []outage{one(3000*ms, 5300*ms)}, -1},
		{"the worse of two", "..x...xxx...", []outage{one(2000*ms, 2500*ms), one(6000*ms, 7500*ms)}, 1.5},
		{"counts from the last end", "..xxxxx...", []outage{one(2000*ms, 4000*ms), one(3000*ms, 6000*ms)}, 1},
		{"never undone", "..xxxx", []outage{one(2000*ms, 0)}, -1},
		{"nothing sent after", "...xxx____", []outage{one(3000*ms, 5900*ms)}, 4.1},
	} {
		took := time.Duration(len(c.series)) * time.Second
		fact, ok := recoveryOf(&measure.Result{Series: series(c.series), Took: took}, c.outages, 3*time.Second)
		if ok != (c.want >= 0) || ok && (fact.Value < c.want-0.001 || fact.Value > c.want+0.001) {
			t.Errorf("%s: got %v (measured: %v), want %v", c.name, fact.Value, ok, c.want)
		}
	}
}

func TestImpliedTargets(t *testing.T) {
	got := impliedTargets(nil)
	if len(got) != 2 || recoveryAllowed(got, "any") != 5*time.Second {
		t.Errorf("got %v, want both figures judged", got)
	}
	mine, err := targets.Parse("fault.recovery <= 2s")
	if err != nil {
		t.Fatal(err)
	}
	if got := impliedTargets([]targets.Target{mine}); len(got) != 2 || recoveryAllowed(got, "any") != 2*time.Second {
		t.Errorf("got %v, want the user's sentence and the other figure", got)
	}
	sc, err := scenarios.Open("smoke")
	if err != nil {
		t.Fatal(err)
	}
	sc.Quick.Stages[0].Name = faulty
	if err := checkFaults([]fault{{}}, sc, "quick", 0); err == nil || !strings.Contains(err.Error(), "rename it") {
		t.Errorf("a phase of the fault's name: got %v", err)
	}
}

// Redis is away for a while: nobody notices, each of two replicas admits its share
// of guesses and no more, the lock from before is remembered, all is whole after.
func TestContainersFault(t *testing.T) {
	needDocker(t)
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "run", "testdata/calm.yaml", "--stack", "containers", "--pace", "quick",
		"--replicas", "2", "--fault", "redis:stop@6s+4s", "--targets", "testdata/during.yaml", "--out", out)
	cmd.Env = os.Environ()
	talk, _ := cmd.CombinedOutput() // its exit code is looked at
	if code := cmd.ProcessState.ExitCode(); code != exitPass && code != exitNoAnswer {
		t.Fatalf("exit: got %d\n%s", code, talk)
	}
	d := document(t, out)
	for _, text := range []string{"lockout.admitted == 5", "lockout.leaked == 0", "fault.leaked == 0", "fault.recovery < 4s", "errors < 0.1%", "errors < 1% during fault"} {
		if v := status(t, d, text); v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	faults := d.Runs[0].Faults
	if len(faults) != 1 || faults[0].Part != "redis" || faults[0].Action != "stop" || faults[0].Error != "" || faults[0].At < 6*time.Second || faults[0].Took < 3*time.Second {
		t.Errorf("got %v, want Redis stopped for 4s", faults)
	}
	if p := phase(d, faulty); p.Judged || p.From != 6*time.Second || p.To != 10*time.Second || len(p.Steps) == 0 {
		t.Errorf("got phase %+v, want the fault's requests apart", p.Phase)
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Ctrl-C while a part is frozen: it goes on at once, what was done is kept, and
// nothing is left behind.
func TestContainersFaultInterrupted(t *testing.T) {
	needDocker(t)
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "run", "testdata/calm.yaml", "--stack", "containers", "--pace", "quick",
		"--fault", "postgres:pause@2s+9s", "--out", out)
	talk := &watched{want: "fault: pause postgres", seen: make(chan struct{})}
	cmd.Stderr = talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-talk.seen:
	case <-time.After(2 * time.Minute):
		t.Fatalf("never came to its fault:\n%s", talk.String())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is looked at
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit: got %d, want %d\n%s", got, exitInterrupted, talk.String())
	}
	if !strings.Contains(talk.String(), "fault: unpause postgres") {
		t.Errorf("want Postgres thawed:\n%s", talk.String())
	}
	d := document(t, out)
	if len(d.Runs) != 1 || len(d.Runs[0].Faults) != 1 {
		t.Fatalf("got %d runs, want one with its fault", len(d.Runs))
	}
	if f := d.Runs[0].Faults[0]; f.Error != "" || f.Took <= 0 || f.Took > 8*time.Second {
		t.Errorf("got %+v, want it undone long before its 9s", f)
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func phase(d *report.Document, name string) measure.PhaseResult {
	for _, p := range d.Runs[0].Result.Phases {
		if p.Name == name {
			return p
		}
	}
	return measure.PhaseResult{}
}
