package faults

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/scenarios"
	"vitals/targets"
)

func TestFaultText(t *testing.T) {
	for text, want := range map[string]Fault{
		"redis:stop@10s+5s":     {Part: "redis", Do: stack.Stop, Undo: stack.Start, At: 10 * time.Second, Rest: 5 * time.Second},
		"postgres:pause@1m+.5s": {Part: "postgres", Do: stack.Pause, Undo: stack.Unpause, At: time.Minute, Rest: 500 * time.Millisecond},
		"api:kill@15s":          {Part: "api", Do: stack.Kill, Undo: stack.Start, At: 15 * time.Second},
		"api-2:kill@0s+3s":      {Part: "api-2", Do: stack.Kill, Undo: stack.Start, Rest: 3 * time.Second},
	} {
		want.Text = text
		got, err := Parse([]string{text}, 2)
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
		if got, err := Parse([]string{text}, 2); err == nil || !strings.Contains(err.Error(), "--fault "+text+": "+want) {
			t.Errorf("%q: got %v, %v, want %q", text, got, err, want)
		}
	}
	_, err := Parse([]string{"reds:stp@x+y", "redis:stop@3s+2s", "redis:pause@4s+1s", "api:stop@4s+1s"}, 1)
	for _, want := range []string{`no part "reds"`, `no action "stp"`, `"x" after @`, `"y" after +`, "redis is still away from --fault redis:stop@3s+2s, until 5s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("several mistakes at once: got %v, want %q among them", err, want)
		}
	}
}

func TestFaultPhases(t *testing.T) {
	s := time.Second
	got := Phases(
		[]measure.Phase{{Name: "ramp", To: 2 * s}, {Name: "hold", From: 2 * s, To: 30 * s, Judged: true}},
		[]Fault{{At: 1 * s, Rest: 2 * s}, {At: 10 * s, Rest: 4 * s}, {At: 12 * s, Rest: 3 * s}, {At: 25 * s}}, 2*s)
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
	if same := Phases(want[:1], nil, s); !slices.Equal(same, want[:1]) {
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
	one := func(began, over time.Duration) Outage {
		return Outage{Fault: Fault{At: began, Rest: over - began, Text: "redis:stop"}, Began: began, Over: over}
	}
	ms := time.Millisecond
	for _, c := range []struct {
		name, series string
		outages      []Outage
		want         float64 // seconds; -1 = not measured
	}{
		{"nobody noticed", "..........", []Outage{one(3000*ms, 5300*ms)}, 0},
		{"well in the slice after", "...xxx....", []Outage{one(3000*ms, 5300*ms)}, 0.7},
		{"a relapse", "...xxx.x...", []Outage{one(3000*ms, 5300*ms)}, 2.7},
		{"a late stumble is no relapse", "...xxx...x.", []Outage{one(3000*ms, 5300*ms)}, 0.7},
		{"silence proves nothing", "...xxx__...", []Outage{one(3000*ms, 5300*ms)}, 2.7},
		{"never", "...xxxxxxx", []Outage{one(3000*ms, 5300*ms)}, 4.7},
		{"not watched for long enough", "...xxxx", []Outage{one(3000*ms, 5300*ms)}, -1},
		{"the worse of two", "..x...xxx...", []Outage{one(2000*ms, 2500*ms), one(6000*ms, 7500*ms)}, 1.5},
		{"counts from the last end", "..xxxxx...", []Outage{one(2000*ms, 4000*ms), one(3000*ms, 6000*ms)}, 1},
		{"never undone", "..xxxx", []Outage{one(2000*ms, 0)}, -1},
		{"nothing sent after", "...xxx____", []Outage{one(3000*ms, 5900*ms)}, 4.1},
	} {
		took := time.Duration(len(c.series)) * time.Second
		fact, ok := Recovery(&measure.Result{Series: series(c.series), Took: took}, c.outages, 3*time.Second)
		if ok != (c.want >= 0) || ok && (fact.Value < c.want-0.001 || fact.Value > c.want+0.001) {
			t.Errorf("%s: got %v (measured: %v), want %v", c.name, fact.Value, ok, c.want)
		}
	}
}

func TestImpliedTargets(t *testing.T) {
	got := Targets(nil)
	if len(got) != 2 || RecoveryAllowed(got, "any") != 5*time.Second {
		t.Errorf("got %v, want both figures judged", got)
	}
	mine, err := targets.Parse("fault.recovery <= 2s")
	if err != nil {
		t.Fatal(err)
	}
	if got := Targets([]targets.Target{mine}); len(got) != 2 || RecoveryAllowed(got, "any") != 2*time.Second {
		t.Errorf("got %v, want the user's sentence and the other figure", got)
	}
	sc, err := scenarios.Open("smoke")
	if err != nil {
		t.Fatal(err)
	}
	sc.Quick.Stages[0].Name = During
	if err := Check([]Fault{{}}, sc, "quick", 0); err == nil || !strings.Contains(err.Error(), "rename it") {
		t.Errorf("a phase of the fault's name: got %v", err)
	}
}
