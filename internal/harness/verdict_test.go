package harness

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/limitcheck"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/report"
	"vitals/targets"
)

func judged(t *testing.T, status targets.Status, text string) targets.Verdict {
	t.Helper()
	target, err := targets.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return targets.Verdict{Target: target, Status: status}
}

// What a run's verdict is, and what it says first, from all that was measured.
func TestVerdictOfARun(t *testing.T) {
	const pass, fail, none = targets.Pass, targets.Fail, targets.NoData
	late := []string{"requests were sent late by ourselves"}
	for name, c := range map[string]struct {
		targets map[string]targets.Status
		result  measure.Result
		run     report.Run
		abort   string
		nothing bool
		want    string
		first   string // in the first reason
		reasons int    // how many; 0 = any
	}{
		"all met":               {targets: map[string]targets.Status{"p95 < 1s": pass}, want: report.Pass},
		"missed":                {targets: map[string]targets.Status{"p95 < 1s": fail}, want: report.Fail, first: "p95 < 1s"},
		"without data":          {targets: map[string]targets.Status{"p95 < 1s": none, "errors < 1%": pass}, want: report.NoData, first: "p95 < 1s"},
		"nothing asked":         {want: report.NoData, first: "no target is asked"},
		"nothing wanted":        {nothing: true, want: report.NoData, first: "nothing was judged: no target was asked for (--targets none)"},
		"invariants alone":      {nothing: true, run: report.Run{Invariants: &report.Invariants{Answers: 7}}, want: report.Pass},
		"invariants unjudged":   {nothing: true, run: report.Run{Invariants: &report.Invariants{Answers: 7, Unjudged: "the limiter is off"}}, want: report.NoData, first: "nothing was judged"},
		"sign-in refused":       {targets: map[string]targets.Status{"p95 < 1s": none}, result: measure.Result{Partial: true, EndedBy: measure.NoSignIn, EndedEarly: "sign in account 1 of 3: got 401"}, want: report.NoData, first: "the load did not begin: sign in account 1 of 3"},
		"missed beats no data":  {targets: map[string]targets.Status{"p95 < 1s": none, "rps >= 5": fail}, want: report.Fail, first: "rps >= 5"},
		"aborted":               {targets: map[string]targets.Status{"p50 < 1s": pass}, abort: "errors > 20% for 2s", result: measure.Result{Partial: true, EndedBy: measure.Aborted, EndedEarly: "errors > 20% for 2s: 48 % at the worst"}, want: report.Fail, first: "an abort rule ended it after"},
		"aborted, ours late":    {targets: map[string]targets.Status{"p50 < 1s": pass}, abort: "p95 > 2s for 2s", result: measure.Result{Partial: true, EndedBy: measure.Aborted, EndedEarly: "p95 > 2s", Health: measure.Health{Invalid: late, Late: late}}, want: report.Invalid, first: "late by ourselves"},
		"aborted by errors":     {targets: map[string]targets.Status{"p50 < 1s": pass}, abort: "errors > 20% for 2s", result: measure.Result{Partial: true, EndedBy: measure.Aborted, EndedEarly: "errors > 20%", Health: measure.Health{Invalid: late, Late: late}}, want: report.Fail, first: "an abort rule"},
		"dead":                  {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Partial: true, EndedBy: measure.TargetDead, EndedEarly: "the target is dead", Took: 3 * time.Second}, want: report.NoData, first: "ended early, after 3s: the target is dead"},
		"dead and errors":       {targets: map[string]targets.Status{"errors < 1%": fail}, result: measure.Result{Partial: true, EndedBy: measure.TargetDead, EndedEarly: "the target is dead"}, want: report.Fail, first: "errors < 1%"},
		"no account":            {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Partial: true, EndedBy: measure.NoAccount, EndedEarly: "no account is left", Took: 2 * time.Second}, want: report.NoData, first: "no account is left"},
		"refused as asked":      {targets: map[string]targets.Status{"failed < 1%": pass}, result: measure.Result{Phases: []measure.PhaseResult{{Steps: []measure.StepResult{{Counts: measure.Counts{Planned: 9, Sent: 9, Refused: 9}}}}}}, want: report.Pass},
		"nobody served":         {targets: map[string]targets.Status{"failed < 1%": pass}, result: measure.Result{Phases: []measure.PhaseResult{{Steps: []measure.StepResult{{Counts: measure.Counts{Planned: 9, Sent: 9, Refused: 9, Errors: 9}}}}}}, want: report.NoData, first: "nobody was served: all 9 requests were refused"},
		"one was served":        {targets: map[string]targets.Status{"failed < 1%": pass}, result: measure.Result{Phases: []measure.PhaseResult{{Steps: []measure.StepResult{{Counts: measure.Counts{Planned: 9, Sent: 9, Served: 1, Refused: 8}}}}}}, want: report.Pass},
		"interrupted":           {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Partial: true, EndedBy: measure.Interrupted, Took: 3 * time.Second}, want: report.NoData, first: "interrupted after 3s"},
		"late":                  {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Health: measure.Health{Invalid: late, Late: late}}, want: report.Invalid, first: "invalid: requests were sent late"},
		"late and slow":         {targets: map[string]targets.Status{"p95 < 1s": fail}, result: measure.Result{Health: measure.Health{Invalid: late, Late: late}}, want: report.Invalid, first: "invalid: "},
		"late and wrong":        {targets: map[string]targets.Status{"p95 < 1s": fail, "errors < 1%": fail}, result: measure.Result{Health: measure.Health{Invalid: late, Late: late}}, want: report.Fail, first: "errors < 1%"},
		"turned away":           {nothing: true, result: measure.Result{Health: measure.Health{Away: []string{"users turned away"}}}, want: report.NoData, first: "turned away"},
		"turned away and late":  {targets: map[string]targets.Status{"p95 < 1s": fail}, result: measure.Result{Health: measure.Health{Away: []string{"users turned away"}, Invalid: late, Late: late}}, want: report.NoData, first: "turned away"},
		"turned away, errors":   {targets: map[string]targets.Status{"errors < 1%": fail}, result: measure.Result{Health: measure.Health{Away: []string{"users turned away"}, Invalid: late, Late: late}}, want: report.Fail, first: "errors < 1%"},
		"our own errors":        {targets: map[string]targets.Status{"errors < 1%": fail}, result: measure.Result{Health: measure.Health{Invalid: []string{"out of local ports"}}}, want: report.Invalid, first: "invalid: out of local ports"},
		"counts disagree":       {targets: map[string]targets.Status{"errors < 1%": fail}, run: report.Run{Reconciliation: &observe.Reconciliation{Findings: []string{"the system restarted mid-run"}}}, want: report.Invalid, first: "invalid: the system restarted"},
		"any password":          {targets: map[string]targets.Status{"lockout.admitted == 5": fail, "intruders.leaked == 0": fail, "intruders.excess == 0": fail}, want: report.Fail, first: "attackers were let in"},
		"granted, not asked":    {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Granted: []string{"3 of 3 wrong credentials were accepted"}}, want: report.Fail, first: "3 of 3 wrong"},
		"granted, none asked":   {nothing: true, result: measure.Result{Granted: []string{"3 of 3 wrong credentials were accepted"}}, want: report.Fail, first: "3 of 3 wrong"},
		"granted, allowed":      {targets: map[string]targets.Status{"intruders.leaked <= 3": pass}, result: measure.Result{Granted: []string{"3 of 3 wrong credentials were accepted"}}, want: report.Pass},
		"a silent intruder":     {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{Silent: []string{"guesser"}, NotShown: []string{"intruder \"guesser\" shows nothing"}}, want: report.NoData, first: "intruder \"guesser\" shows nothing"},
		"silent, none asked":    {nothing: true, run: report.Run{Invariants: &report.Invariants{Answers: 7}}, result: measure.Result{Silent: []string{"guesser"}, NotShown: []string{"intruder \"guesser\" shows nothing"}}, want: report.NoData, first: "intruder \"guesser\""},
		"another not shown":     {targets: map[string]targets.Status{"lockout.admitted == 5": none}, result: measure.Result{NotShown: []string{"lockout.retry_after: no refusal had one"}}, want: report.NoData, first: "lockout.admitted == 5", reasons: 1},
		"a figure not shown":    {targets: map[string]targets.Status{"p95 < 1s": pass}, result: measure.Result{NotShown: []string{"lockout.retry_after: no refusal had one"}}, want: report.Pass},
		"leak while invalid":    {targets: map[string]targets.Status{"lockout.admitted == 5": fail}, result: measure.Result{Health: measure.Health{Invalid: []string{"out of local ports"}}}, want: report.Fail, first: "lockout.admitted was"},
		"leak around a fault":   {targets: map[string]targets.Status{"fault.leaked == 0": fail}, result: measure.Result{Health: measure.Health{Invalid: late, Late: late}}, want: report.Fail, first: "fault.leaked was"},
		"an invariant":          {targets: map[string]targets.Status{"p95 < 1s": pass}, run: report.Run{Invariants: &report.Invariants{Violations: []limitcheck.Violation{{Rule: "J1", Policy: "login", Key: "127.0.0.1", Words: "6 judged"}}}}, want: report.Fail, first: "J1 login 127.0.0.1: 6 judged"},
		"leak of an aborted":    {targets: map[string]targets.Status{"lockout.leaked == 0": fail}, abort: "errors > 1% for 2s", result: measure.Result{Partial: true, EndedBy: measure.Aborted, EndedEarly: "errors > 1%"}, want: report.Fail, first: "lockout.leaked"},
		"missed by interrupted": {targets: map[string]targets.Status{"errors < 1%": fail}, result: measure.Result{Partial: true, EndedBy: measure.Interrupted}, want: report.Fail, first: "errors < 1%"},
	} {
		run := c.run
		run.Result = &c.result
		for text, s := range c.targets {
			run.Verdicts = append(run.Verdicts, judged(t, s, text))
		}
		a := asked{nothing: c.nothing}
		if c.abort != "" {
			rule := judged(t, pass, c.abort).Target
			a.abort = &rule
		}
		got, reasons := decide(&run, a)
		if got != c.want || (len(reasons) == 0) != (c.first == "") || c.first != "" && !strings.Contains(reasons[0], c.first) {
			t.Errorf("%s: got %s %q, want %s and %q first", name, got, reasons, c.want, c.first)
		}
		if c.reasons > 0 && len(reasons) != c.reasons {
			t.Errorf("%s: got %d reasons %q, want %d", name, len(reasons), reasons, c.reasons)
		}
		if len(c.result.Granted) > 0 && strings.Contains(strings.Join(reasons, "\n"), "nothing was judged") {
			t.Errorf("%s: it was judged: %q", name, reasons)
		}
		if c.result.EndedBy != measure.Interrupted && strings.Contains(strings.Join(reasons, "\n"), "interrupted") {
			t.Errorf("%s: nobody interrupted it: %q", name, reasons)
		}
	}
}

// Why a control's figure is absent stands beside its target, where that is known.
func TestWhyAFigureIsAbsent(t *testing.T) {
	wanted, err := targets.Parse("intruders.harmed == 0")
	if err != nil {
		t.Fatal(err)
	}
	run := &report.Run{Result: &measure.Result{NotShown: []string{"intruders.harmed: the limit counts by account", "lockout.retry_after: none"}}}
	if v := verdicts([]targets.Target{wanted}, run)[0]; v.Status != targets.NoData || v.Note != "the limit counts by account" {
		t.Errorf("got %v %q", v.Status, v.Note)
	}
}

// Who has no profile is told what was asked for instead.
func TestTheAskedLockIsNamedWithoutAProfile(t *testing.T) {
	run := report.Run{Result: &measure.Result{}, Verdicts: []targets.Verdict{judged(t, targets.Fail, "intruders.excess == 0")}}
	for bare, want := range map[bool]bool{true: true, false: false} {
		_, reasons := decide(&run, asked{bare: bare})
		if got := strings.Contains(strings.Join(reasons, "\n"), "against the published one: 5 wrong passwords in 5 minutes, by address (--profile)"); got != want {
			t.Errorf("without a profile %v: got %q", bare, reasons)
		}
	}
}

// A session's verdict and exit code: a failure first, and nothing that did not go
// to its end passes.
func TestVerdictOfASession(t *testing.T) {
	run := func(verdict string) report.Run {
		return report.Run{Verdict: verdict, Result: &measure.Result{Scenario: "smoke"}}
	}
	for name, c := range map[string]struct {
		runs    []string
		end     sessionEnd
		want    string
		exit    int
		partial bool
	}{
		"passed":             {runs: []string{report.Pass, report.Pass}, want: report.Pass},
		"a failure":          {runs: []string{report.Pass, report.Fail, report.Invalid}, want: report.Fail, exit: exit.Fail},
		"invalid":            {runs: []string{report.NoData, report.Invalid, report.Pass}, want: report.Invalid, exit: exit.NoAnswer},
		"no data":            {runs: []string{report.Pass, report.NoData}, want: report.NoData, exit: exit.NoAnswer},
		"nothing ran":        {want: report.NoData, exit: exit.NoAnswer, partial: true},
		"going on":           {runs: []string{report.Pass}, end: sessionEnd{left: []string{"peak"}}, want: report.NoData, exit: exit.NoAnswer, partial: true},
		"failed, going on":   {runs: []string{report.Fail}, end: sessionEnd{left: []string{"peak"}}, want: report.Fail, exit: exit.Fail, partial: true},
		"interrupted":        {runs: []string{report.NoData}, end: sessionEnd{interrupted: true}, want: report.NoData, exit: exit.Interrupted, partial: true},
		"interrupted after":  {runs: []string{report.Pass}, end: sessionEnd{interrupted: true, left: []string{"peak"}}, want: report.NoData, exit: exit.Interrupted, partial: true},
		"failed, then ended": {runs: []string{report.Fail}, end: sessionEnd{interrupted: true}, want: report.Fail, exit: exit.Interrupted, partial: true},
		"system gone":        {runs: []string{report.Pass}, end: sessionEnd{left: []string{"peak"}, err: exit.With(exit.NoSystem, errors.New("gone"))}, want: report.NoData, exit: exit.NoSystem, partial: true},
	} {
		var runs []report.Run
		for _, v := range c.runs {
			runs = append(runs, run(v))
		}
		verdict, reasons, code, partial := conclude(runs, c.end)
		if verdict != c.want || code != c.exit || partial != c.partial {
			t.Errorf("%s: got %s, exit %d, partial %v, want %s, %d, %v", name, verdict, code, partial, c.want, c.exit, c.partial)
		}
		if c.partial && len(runs) > 0 && len(reasons) == 0 && !c.end.interrupted {
			t.Errorf("%s: it does not say why it is partial", name)
		}
	}
}

// Milliseconds of our own lateness are held against those alone who ask for times.
func TestLateness(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"errors < 1%": time.Second, "p95 < 300ms": 30 * time.Millisecond, "max < 5ms": 2 * time.Millisecond, "p95 >= 1ms": time.Second, "rps >= 5": time.Second,
	} {
		ts := []targets.Target{judged(t, targets.Pass, text).Target}
		if got := maxLag(ts, "smoke"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if got, want := noTimes(ts, "smoke"), slices.Contains([]string{"errors < 1%"}, text); got != want {
			t.Errorf("%s: asks for no time: got %v, want %v", text, got, want)
		}
		ts[0].Only = []string{"peak"}
		if got := maxLag(ts, "smoke"); got != time.Second {
			t.Errorf("%s, of another scenario: got %s", text, got)
		}
	}
}

// A run that measured its generator judges no time and no rate, met or missed; what it
// cannot have caused stays judged. One across a restart, or beside others, judges nothing.
func TestInvalidRunsJudgeNoTimes(t *testing.T) {
	var wanted []targets.Target
	for _, text := range []string{"p95 < 1ms", "p50 < 1m", "errors < 1%"} {
		target, err := targets.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		wanted = append(wanted, target)
	}
	rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, []measure.Phase{{Name: "hold", To: 10 * time.Second, Judged: true}}, measure.Options{})
	sh := rec.Shard()
	for i := range 1000 {
		due := time.Duration(i) * 10 * time.Millisecond
		sh.Record(&measure.Sample{Due: due, Sent: due, Done: due + 20*time.Millisecond, Code: 200, Outcome: measure.Served, OK: true})
	}
	sh.Close()
	f := rec.Finish()
	for _, c := range []struct {
		invalid, found []string
		want           []targets.Status
		note           string
	}{
		{nil, nil, []targets.Status{targets.Fail, targets.Pass, targets.Pass}, ""},
		{[]string{"generator: CPU contention"}, nil, []targets.Status{targets.NoData, targets.NoData, targets.Pass}, "was measured, and it is partly the generator's own"},
		{nil, []string{measure.CauseRestarted + ": its start time changed"}, []targets.Status{targets.NoData, targets.NoData, targets.NoData}, "was measured, and the system was restarted meanwhile"},
		{nil, []string{"GET /x 200: sent 1000, counted 2000"}, []targets.Status{targets.NoData, targets.NoData, targets.NoData}, "was measured, and the server counted other requests than were sent"},
	} {
		invalid := c.invalid
		res := &measure.Result{Model: "users", Window: 10 * time.Second, Phases: f.Phases, Series: f.Series, Health: measure.Health{Invalid: invalid, Late: invalid}}
		run := &report.Run{Result: res}
		if c.found != nil {
			run.Reconciliation = &observe.Reconciliation{Findings: c.found}
		}
		run.Verdicts = verdicts(wanted, run)
		for i, v := range run.Verdicts {
			if v.Status != c.want[i] || v.Status == targets.NoData && !strings.Contains(v.Note, c.note) {
				t.Errorf("%+v: got %s", c, v)
			}
		}
		if got, reasons := decide(run, asked{}); invalid != nil && (got != report.Invalid || strings.Contains(strings.Join(reasons, "\n"), "FAIL p95")) {
			t.Errorf("got %s, %q", got, reasons)
		}
	}
}

// Figures are of what was served: a system that serves nobody from some moment on looks
// well by them.
func TestNobodyServedToTheEndIsNoAnswer(t *testing.T) {
	sl := func(at int, served, refused, failed int64) measure.Slice {
		return measure.Slice{At: time.Duration(at) * time.Second, Counts: measure.Counts{Sent: served + refused + failed, Served: served, Refused: refused, Failed: failed, Errors: refused + failed}}
	}
	asked := sl(7, 0, 5, 0)
	asked.Counts.Errors = 0
	for name, c := range map[string]struct {
		slices []measure.Slice
		want   string
	}{
		"served to the end":     {[]measure.Slice{sl(0, 50, 0, 0), sl(10, 50, 0, 9), sl(16, 1, 0, 9)}, ""},
		"hung":                  {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 0, 5), sl(4, 0, 0, 0), sl(7, 0, 0, 5)}, "nobody was served from 3s to the end: all requests failed (10 or more)"},
		"refused":               {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 5, 0), sl(7, 0, 5, 0)}, "nobody was served from 3s to the end: all requests were refused (10 or more)"},
		"refused as expected":   {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 5, 0), asked}, ""},
		"hung and refused":      {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 5, 0), sl(7, 0, 0, 5)}, "nobody was served from 3s to the end: requests failed (5 or more) or were refused (5 or more)"},
		"silent, nobody failed": {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 0, 0), sl(7, 0, 0, 0)}, ""},
		"a blip at the end":     {[]measure.Slice{sl(0, 50, 0, 0), sl(15, 0, 0, 50)}, ""},
		"one that failed":       {[]measure.Slice{sl(0, 50, 0, 0), sl(3, 0, 0, 1)}, ""},
	} {
		r := &measure.Result{Took: 17 * time.Second, Series: measure.Series{Every: time.Second, Slices: c.slices}}
		if got := unserved(r); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	// In the second in which a server hangs others were served, and nothing is due after it.
	rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, []measure.Phase{{Name: "hold", To: 17 * time.Second, Judged: true}}, measure.Options{})
	sh := rec.Shard()
	for i := range 50 {
		due := time.Duration(i) * 70 * time.Millisecond
		sh.Record(&measure.Sample{Due: due, Sent: due, Done: due + 5*time.Millisecond, Code: 200, Outcome: measure.Served, OK: true})
	}
	for range 5 {
		sh.Record(&measure.Sample{Due: 3500 * time.Millisecond, Sent: 3500 * time.Millisecond, Done: 23500 * time.Millisecond, Class: measure.TimeoutAnswer})
	}
	sh.Close()
	f := rec.Finish()
	r := &measure.Result{Took: 17 * time.Second, Series: f.Series, Unserved: &f.Unserved}
	if got, want := unserved(r), "nobody was served from 3.4s to the end: all requests failed (5 or more)"; got != want {
		t.Errorf("hung in the middle of a second: got %q, want %q", got, want)
	}
	for ok, want := range map[bool]string{true: "", false: "nobody was served from 1s to the end: all requests were refused (5 or more)"} {
		rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, []measure.Phase{{Name: "hold", To: 17 * time.Second, Judged: true}}, measure.Options{})
		sh := rec.Shard()
		sh.Record(&measure.Sample{Done: time.Second, Code: 200, Outcome: measure.Served, OK: true})
		for range 5 {
			sh.Record(&measure.Sample{Due: 16 * time.Second, Sent: 16 * time.Second, Done: 16 * time.Second, Code: 429, Outcome: measure.Refused, OK: ok})
		}
		sh.Close()
		f := rec.Finish()
		if got := unserved(&measure.Result{Took: 17 * time.Second, Series: f.Series, Unserved: &f.Unserved}); got != want {
			t.Errorf("refused, expected %v: got %q, want %q", ok, got, want)
		}
	}
}
