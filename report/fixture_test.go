package report_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/limitcheck"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/report"
	"vitals/targets"
)

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

// result is a short run with every outcome in it, the same each time.
func result(t testing.TB, name string, slow float64) *measure.Result {
	t.Helper()
	steps := []measure.Step{
		{Journey: "patient", Name: "list medications"},
		{Journey: "patient", Name: "create medication"},
		{Journey: "password guessing", Name: "guess", Intruder: true},
	}
	phases := []measure.Phase{{Name: "ramp", To: 5 * time.Second}, {Name: "hold", From: 5 * time.Second, To: 25 * time.Second, Judged: true}}
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	sh := rec.Shard()
	for i := range 12_500 {
		due := time.Duration(i) * 2 * ms
		sent := due + time.Duration(i%7)*100*time.Microsecond
		took := time.Duration(slow * (10 + 30*math.Pow(float64(i*37%101)/100, 6) + float64(i%13)) * float64(ms)).Truncate(time.Microsecond)
		s := measure.Sample{
			Step: i % 2, Due: due, Sent: sent, Done: sent + took, Code: 200, Bytes: 400, Outcome: measure.Served, OK: true,
			RequestID: fmt.Sprintf("0197-%06d", i),
		}
		switch {
		case i%1000 == 500 && i < 11_000:
			s.Step, s.Code, s.Outcome, s.OK = 2, 401, measure.Served, true
		case i%1000 == 501:
			s.Step, s.Code, s.Outcome, s.OK = 2, 429, measure.Refused, true
		case i == 7003:
			s.Code, s.Outcome, s.OK, s.Class = 500, measure.Failed, false, measure.BadStatus
		case i == 9100:
			s.Code, s.Outcome, s.OK, s.Class, s.RequestID = 0, measure.Failed, false, measure.TimeoutAnswer, ""
		}
		sh.Record(&s)
		rec.Add(s.Step, due, measure.Counts{Planned: 1})
		if i%500 == 0 {
			rec.Gauge(due, "cpu", 0.2+float64(i)/50_000)
			rec.Gauge(due, "db pool in use", float64(i/500%5))
		}
	}
	rec.Add(0, 24*time.Second, measure.Counts{Planned: 2, Dropped: 2})
	sh.Close()
	f := rec.Finish()
	f.Failures[0].Why, f.Failures[0].Body = "want 201, got 500", `{"detail":"the database did not answer"}`
	lag := measure.NewHistogram()
	var busy *measure.CPUProfile
	if slow >= 10 {
		busy = &measure.CPUProfile{
			Target: "p95 < 300ms", At: measure.Micros(9 * time.Second), Took: measure.Micros(5 * time.Second), CPU: measure.Micros(7400 * ms), Rest: 0.012, Samples: 740, File: name + ".cpu.pprof",
			Functions: []measure.FunctionTime{
				{Name: "golang.org/x/crypto/argon2.processBlocks.func1", Own: 0.612, Whole: 0.64},
				{Name: "encoding/json.(*encodeState).marshal", Own: 0.07, Whole: 0.11},
				{Name: "main.sorted[example.com/x/clinic.Reminder]", Own: 0.031, Whole: 0.05},
				{Name: "net/http.(*conn).serve", Whole: 0.93},
			},
		}
	}
	for i := range 1000 {
		lag.Record(time.Duration(i%50) * 10 * time.Microsecond)
	}
	return &measure.Result{
		Schema: 1, Scenario: name, Pace: "quick", Model: "users", Seed: 42, Hash: "9f8e7d6c",
		Began: began, Took: 25400 * ms, Window: 20 * time.Second, Client: "net/http: the base URL is https",
		Phases: f.Phases, Series: f.Series, Slowest: f.Slowest, Failures: f.Failures,
		Facts: []measure.Fact{
			{Name: "lockout.admitted", Value: 5, N: 4},
			{Name: "lockout.leaked", Value: 0, N: 4},
			{Name: "lockout.bystanders", Value: 0, N: 12_000, Note: "counted over every honest request of the run"},
			{Name: "cpu", Value: 0.4213, Unit: "%", N: 25},
			{Name: "recovery", Value: 12.5, Unit: "s"},
		},
		Health:     measure.Health{Lag: lag, CPU: 0.085, GCPauseMax: 340 * time.Microsecond, Peak: 50, CapWait: 120 * ms},
		CPUProfile: busy,
		Notes:      []string{"users were signed in before the measured window, 10 to an account, because signing in costs a hash each; the ramp therefore shows no sign-ins at all"},
	}
}

// judged are verdicts as targets.Judge would give them.
func judged(fail bool) []targets.Verdict {
	v := func(text, metric, op string, limit float64, st targets.Status, got float64, n int64, note string) targets.Verdict {
		return targets.Verdict{Target: targets.Target{Metric: metric, Op: op, Limit: limit, Text: text}, Status: st, Got: got, N: n, Note: note}
	}
	p95 := v("p95 < 300ms", "p95", "<", float64(300*ms), targets.Pass, float64(38*ms), 9978, "")
	if fail {
		p95.Status, p95.Got = targets.Fail, float64(412*ms)
	}
	return []targets.Verdict{
		p95,
		v("errors < 0.1%", "errors", "<", 0.001, targets.Pass, 0.0002, 9980, ""),
		v("cpu < 70%", "cpu", "<", 0.7, targets.NoData, 0, 0, "the system under test gave no CPU figure: its admin listener could not be reached from here, so nothing is known of it"),
		v("lockout.admitted == 5", "lockout.admitted", "==", 5, targets.Pass, 5, 4, "4 addresses"),
	}
}

func document(t testing.TB) *report.Document {
	t.Helper()
	return &report.Document{
		Schema: report.Schema, Tool: "vitals 0.1.0", Created: began.Add(time.Minute), Command: []string{"vitals", "run", "normal", "peak"},
		Stack:      report.Stack{Kind: "embedded", URL: "http://127.0.0.1:18080", Info: map[string]string{"database": "SQLite 3.50", "limiter": "in process"}},
		Machine:    report.Machine{OS: "linux", Arch: "amd64", Kernel: "6.1", CPU: "AMD EPYC", Cores: 2, MemMiB: 8192, Go: "go1.26.0", Class: "0123456789ab"},
		Subject:    report.Subject{GitRev: "3f2a9c1", Dirty: true},
		Limits:     []report.Limit{{Name: "login", Value: "5 failures in 300s, locked for 900s"}, {Name: "api", Value: "100 in 60s"}},
		Deviations: []string{"api limit raised from 100 to 10000 in 60s, so that few accounts can carry the load of many users on one machine"},
		Runs: []report.Run{
			{Result: result(t, "normal", 1), Verdicts: judged(false), Verdict: report.NoData, Evidence: []report.Evidence{{Name: "rows in intake_logs", Before: 1200, After: 3456}},
				Invariants: &report.Invariants{Answers: 9_998, Profile: "clinic"},
				Reconciliation: &observe.Reconciliation{Requests: 12_500, Routes: 2, Rows: []observe.Row{
					{Method: "POST", Route: "/api/v1/auth/login", Status: 401, Ours: 9, Theirs: 9}, {Method: "GET", Route: "/api/v1/medications", Status: 200, Ours: 12_491, Theirs: 12_492},
				}, Explained: []string{"1 request had no whole answer; the server counted 1 of them"}}},
			{Result: result(t, "peak", 10), Verdicts: judged(true), Verdict: report.Fail, Invariants: &report.Invariants{
				Answers: 9_998, Profile: "clinic", Doubts: []string{"api: 2,000 in 1h is above 200, where a limiter estimates: not judged"}, More: 3,
				Violations: []limitcheck.Violation{{Rule: "J1", Policy: "login", Key: "127.16.0.9", Words: "6 failures judged within 1.2s, allowed are 5 in 5m0s", Shown: []limitcheck.Shown{
					{At: began, Took: 41.5, Step: "POST /api/v1/auth/login", Status: 401, Remaining: 0, RetryAfter: -1, ID: "0197-000001"},
					{At: began.Add(time.Second), Took: 40, Step: "POST /api/v1/auth/login", Status: 401, Remaining: 0, RetryAfter: -1, ID: "0197-000002"},
				}}},
			}, Reconciliation: &observe.Reconciliation{Requests: 12_500, Routes: 2, Rows: []observe.Row{
				{Method: "POST", Route: "/api/v1/auth/login", Status: 401, Ours: 9, Theirs: 9}, {Method: "GET", Route: "/api/v1/users", Status: 200, Theirs: 10, Found: true},
			}, Findings: []string{"GET /api/v1/users 200: we counted 0, the server 10: somebody else uses it"}}, Faults: []report.Fault{
				{Part: "redis", Action: "stop", At: 10 * time.Second, Took: 5 * time.Second},
				{Part: "api", Action: "kill", At: 20 * time.Second, Error: "no such part of this stack"},
			}},
		},
		Verdict: report.Fail, Reasons: []string{"peak: p95 < 300ms was 412ms", "no data for cpu is not a pass"}, Exit: 1,
	}
}

// comparison is a baseline against a slower one.
func comparison(t testing.TB) *baseline.Comparison {
	t.Helper()
	about := baseline.About{Subject: baseline.Subject{GitRev: "3f2a9c1"}, Env: baseline.Env{Hard: map[string]any{"arch": "amd64"}}, Session: baseline.Session{ID: "old"}}
	old := baseline.From(about, []*measure.Result{result(t, "normal", 1)})
	about.Subject.GitRev, about.Session.ID = "77aa001", "new"
	about.Env.Hard = map[string]any{"arch": "arm64"}
	now := baseline.From(about, []*measure.Result{result(t, "normal", 1.5), result(t, "peak", 1)})
	now.Scenarios[0].Runs[0].Endpoints = now.Scenarios[0].Runs[0].Endpoints[:1]
	c, err := baseline.Compare(old, now, baseline.Options{AllowEnvMismatch: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
