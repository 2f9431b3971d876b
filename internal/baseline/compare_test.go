package baseline_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

// runOf is a run of one endpoint whose 2000 requests all took the given ms, so
// that its p95 is that figure within a bin.
func runOf(arm string, pair int, ms float64) baseline.Run {
	h := measure.NewHistogram()
	for range 2000 {
		h.Record(time.Duration(ms * float64(time.Millisecond)))
	}
	q := func(p float64) int64 { d, _ := h.Quantile(p); return d.Microseconds() }
	return baseline.Run{
		ID: arm, Arm: arm, Pair: pair, Valid: true, Window: 40e6, Offered: 2000, Sent: 2000, Completed: 2000, Achieved: 1,
		Endpoints: []baseline.Endpoint{{Name: "list", N: 2000, Hist: h, P50: q(.5), P90: q(.9), P95: q(.95), P99: q(.99), Max: q(1)}},
	}
}

// duet are the two arms of one session.
func duet(old, new []float64) (a, b *baseline.File) {
	arm := func(name string, ms []float64) *baseline.File {
		f := baseline.From(baseline.About{Session: baseline.Session{ID: "s1", Started: began}, Subject: baseline.Subject{Ref: name}}, nil)
		f.Design = baseline.Design{Mode: baseline.ModeDuet, Order: "ABBA", Looks: []int{5, 10, 15}}
		sc := baseline.Scenario{Name: "normal", Model: "arrivals", Config: "c", LoadModel: "l"}
		for i, v := range ms {
			sc.Runs = append(sc.Runs, runOf(name, i, v))
		}
		f.Scenarios = []baseline.Scenario{sc}
		return f
	}
	return arm("A", old), arm("B", new)
}

func row(t *testing.T, c *baseline.Comparison, metric string) baseline.Row {
	t.Helper()
	i := slices.IndexFunc(c.Rows, func(r baseline.Row) bool { return r.Metric == metric && r.Endpoint == "" })
	if i < 0 {
		t.Fatalf("no row %s", metric)
	}
	return c.Rows[i]
}

func compare(t *testing.T, a, b *baseline.File, opt baseline.Options) *baseline.Comparison {
	t.Helper()
	c, err := baseline.Compare(a, b, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var o5 = []float64{200, 203, 198, 201, 199}

func TestDuetLine(t *testing.T) {
	a, b := duet(o5, []float64{240, 243, 239, 238, 244})
	c := compare(t, a, b, baseline.Options{Rates: true})
	r := row(t, c, "p95")
	if want := "p95 normal: WORSE +20.3 % [+17.8, +22.8] k=5 tol 10 % (wholly beyond the tolerance)"; r.Line() != want {
		t.Errorf("got  %s\nwant %s", r.Line(), want)
	}
	if c.Verdict != baseline.OverallWorse || len(c.Reasons) == 0 || !strings.Contains(strings.Join(c.Reasons, "\n"), "p95(list) normal: WORSE") {
		t.Errorf("got %s for %q, want worse, and the endpoint named", c.Verdict, c.Reasons)
	}
	if r.Rates == nil || r.Rates.FalseAlarm > 0.015 || r.Rates.Finds < 0.98 || !strings.Contains(r.RatesLine(), "false alarm <") {
		t.Errorf("got %+v, %q", r.Rates, r.RatesLine())
	}
	back := compare(t, b, a, baseline.Options{}) // C8
	if r := row(t, back, "p95"); r.Change != baseline.Better || back.Verdict != baseline.OverallPass {
		t.Errorf("swapped: got %s and %s, want better and pass", r.Change, back.Verdict)
	}
}

func TestDuetUndecided(t *testing.T) {
	a, b := duet(o5, []float64{260, 198.9, 233.6, 205, 226.9}) // P6
	c := compare(t, a, b, baseline.Options{})
	r := row(t, c, "p95")
	if r.Change != baseline.Inconclusive || r.NeedN != 13 || c.Verdict != baseline.OverallInconclusive || !strings.Contains(r.Line(), "needs 13 pairs") {
		t.Errorf("got %s and %s", r.Line(), c.Verdict)
	}
	a, b = duet(o5[:2], []float64{240, 243}) // P18
	if r := row(t, compare(t, a, b, baseline.Options{}), "p95"); r.Change != baseline.Inconclusive || r.Interval != nil {
		t.Errorf("two pairs: got %s", r.Line())
	}
}

func TestDuetOfUnlikeMachines(t *testing.T) { // C2: both arms ran on one
	a, b := duet(o5, o5)
	a.Env.Hard = map[string]any{"cpu_model": "EPYC", "limit HASH_SLOTS": "2"}
	b.Env.Hard = map[string]any{"cpu_model": "Xeon", "limit HASH_SLOTS": "2"}
	if c := compare(t, a, b, baseline.Options{}); c.Verdict != baseline.OverallPass {
		t.Errorf("got %s %q", c.Verdict, c.Reasons)
	}
	b.Env.Hard["limit HASH_SLOTS"] = "4"
	_, err := baseline.Compare(a, b, baseline.Options{})
	refused(t, err, "env.limit HASH_SLOTS differs: 2 against 4")
}

// Runs of another number of members are compared only once it is known what that
// difference does by itself, and the words say how to find out.
func TestRunsOfOtherMembers(t *testing.T) {
	old, new := solo("a", 200), solo("b", 200)
	for _, f := range []*baseline.File{old, new} {
		f.Env.Hard = map[string]any{"cpu_model": "EPYC"}
	}
	new.Env.Hard["members"] = 4
	_, err := baseline.Compare(old, new, baseline.Options{})
	refused(t, err, "env.members differs: (none) against 4")
	refused(t, err, "first run ONE build with both (vitals fleet run --workers 1, and --workers 4)")
	old.Env.Hard["members"] = 4
	if _, err := baseline.Compare(old, new, baseline.Options{}); err != nil {
		t.Errorf("the same number: got %v", err)
	}
}

func TestDuetDropsInvalidPairs(t *testing.T) { // C5
	a, b := duet([]float64{200, 203, 198, 201, 199, 200}, []float64{240, 243, 239, 238, 244, 900})
	a.Scenarios[0].Runs[5].Valid, a.Scenarios[0].Runs[5].Invalid = false, "achieved 0.90 of what was due"
	c := compare(t, a, b, baseline.Options{})
	if r := row(t, c, "p95"); r.K != 5 || math.Abs(r.Delta-0.203) > 0.001 {
		t.Errorf("got %s", r.Line())
	}
	if !slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, "achieved 0.90") }) {
		t.Errorf("got notes %q, want the reason", c.Notes)
	}
}

func TestFilesWithoutHistory(t *testing.T) {
	for _, c := range []struct {
		by      float64
		verdict baseline.Overall
		line    string
	}{
		{1.0, baseline.OverallInconclusive, "INCONCLUSIVE"},
		{1.15, baseline.OverallConfirm, "p95 normal: CONFIRM +15.0 % [-12.9, +51.7] 1+1 sessions, assumed noise, tol 10 %"},
		{1.40, baseline.OverallWorse, "p95 normal: WORSE +40.0 % [+6.1, +84.7] 1+1 sessions, assumed noise, tol 10 %"},
	} {
		old, now := solo("a", 200), solo("b", 200*c.by)
		got := compare(t, old, now, baseline.Options{})
		if l := row(t, got, "p95").Line(); got.Verdict != c.verdict || !strings.Contains(l, c.line) {
			t.Errorf("x%g: got %s, %s", c.by, got.Verdict, l)
		}
		if decides := "vitals duet normal --base rev-a --cand rev-b"; c.verdict != baseline.OverallWorse && got.Decides != decides {
			t.Errorf("x%g: got %q, want %q", c.by, got.Decides, decides)
		}
	}
}

func solo(id string, ms float64) *baseline.File {
	f, _ := duet([]float64{ms}, nil)
	f.Session.ID, f.Design, f.Subject = id, baseline.Design{Mode: baseline.ModeSolo}, baseline.Subject{GitRev: "rev-" + id}
	return f
}

func TestFilesWithHistory(t *testing.T) {
	past := func(scenario, metric string) baseline.Past {
		if metric != "p95" {
			return baseline.Past{}
		}
		var xs []float64
		for i := range 20 { // spread of about 4 %
			xs = append(xs, math.Log(200e3)+0.04*float64(i%3-1))
		}
		return baseline.Past{Segments: [][]float64{xs}, Old: xs[10:]}
	}
	c := compare(t, solo("a", 200), solo("b", 240), baseline.Options{Past: past})
	if r := row(t, c, "p95"); r.Change != baseline.Worse || r.Method != baseline.BySessions || r.OldK != 10 || c.Verdict != baseline.OverallWorse {
		t.Errorf("got %s", r.Line())
	}
}

func TestManyErrorsMoreAreWorse(t *testing.T) {
	a, b := duet(o5, o5)
	for i := range b.Scenarios[0].Runs {
		b.Scenarios[0].Runs[i].Endpoints[0].Errors.Server = int64(38 + i)
		a.Scenarios[0].Runs[i].Endpoints[0].Errors.Server = int64(8 + i)
	}
	r := row(t, compare(t, a, b, baseline.Options{}), "errors")
	if r.Change != baseline.Worse || !strings.HasPrefix(r.Line(), "errors normal: WORSE +1.50 pp [") {
		t.Errorf("got %s", r.Line())
	}
}

func TestFewErrorsInOneRunAreChance(t *testing.T) {
	old, now := solo("a", 200), solo("b", 200)
	now.Scenarios[0].Runs[0].Endpoints[0].Errors.Server = 3
	if r := row(t, compare(t, old, now, baseline.Options{}), "errors"); r.Change == baseline.Worse || r.Interval == nil {
		t.Errorf("3 errors of 2000 against none: got %s", r.Line())
	}
	now.Scenarios[0].Runs[0].Endpoints[0].Errors.Server = 100
	if r := row(t, compare(t, old, now, baseline.Options{}), "errors"); r.Change != baseline.Worse {
		t.Errorf("100 errors of 2000 against none: got %s", r.Line())
	}
	bad := now.Scenarios[0].Runs[0]
	bad.Valid, bad.Invalid = false, "clock"
	now.Scenarios[0].Runs = append(now.Scenarios[0].Runs, bad)
	now.Scenarios[0].Runs[0].Endpoints = []baseline.Endpoint{old.Scenarios[0].Runs[0].Endpoints[0]}
	if r := row(t, compare(t, old, now, baseline.Options{}), "errors"); r.Change != baseline.NoChange {
		t.Errorf("errors of an invalid run only: got %s", r.Line())
	}
}

func TestFallingRateIsWorse(t *testing.T) {
	a, b := duet(o5, o5)
	for i := range b.Scenarios[0].Runs {
		b.Scenarios[0].Runs[i].Achieved = 0.90
	}
	r := row(t, compare(t, a, b, baseline.Options{}), "achieved")
	if r.Change != baseline.Worse || !strings.HasPrefix(r.Line(), "achieved normal: WORSE -10.0 % [-11.") {
		t.Errorf("got %s", r.Line())
	}
}

func TestStressExplainsOnly(t *testing.T) {
	a, b := duet(o5, []float64{400, 410, 420, 400, 405})
	a.Scenarios[0].Name, b.Scenarios[0].Name = "stress", "stress"
	c := compare(t, a, b, baseline.Options{})
	if r := row(t, c, "p95"); r.Gating || r.Change != baseline.Worse || c.Verdict != baseline.OverallNotCompared {
		t.Errorf("got %s, %s", r.Line(), c.Verdict)
	}
	if c := compare(t, a, b, baseline.Options{Explain: []string{}}); c.Verdict != baseline.OverallWorse {
		t.Errorf("asked to gate: got %s", c.Verdict)
	}
}

func TestUnlikeMachinesAreNeverJudged(t *testing.T) {
	old, now := solo("a", 200), solo("b", 400)
	old.Env.Hard, now.Env.Hard = map[string]any{"vcpu": 2}, map[string]any{"vcpu": 4}
	c := compare(t, old, now, baseline.Options{AllowEnvMismatch: true})
	if r := row(t, c, "p95"); r.Change != baseline.Inconclusive || c.Verdict == baseline.OverallWorse {
		t.Errorf("got %s, %s", r.Line(), c.Verdict)
	}
	now = solo("b", 230) // between the tolerance and the noise: not to be confirmed either
	now.Env.Hard = map[string]any{"vcpu": 4}
	c = compare(t, old, now, baseline.Options{AllowEnvMismatch: true})
	if r := row(t, c, "p95"); r.Confirm || c.Verdict != baseline.OverallNotCompared || !strings.Contains(r.Line(), "unlike machines: never judged") {
		t.Errorf("got %s, %s", r.Line(), c.Verdict)
	}
}

// A share that is never below 98 % in a valid run is not taken to differ by 10 %
// between sessions, as latencies are.
func TestAchievedWithoutHistory(t *testing.T) {
	c := compare(t, solo("a", 200), solo("b", 200), baseline.Options{})
	if r := row(t, c, "achieved"); r.Change != baseline.NoChange {
		t.Errorf("all was sent in both: got %s", r.Line())
	}
}

func TestAgeAndCommits(t *testing.T) {
	old, now := solo("a", 200), solo("b", 200)
	c := compare(t, old, now, baseline.Options{
		Now:     began.Add(41 * 24 * time.Hour),
		Commits: func(string, string) (int, bool) { return 17, true },
	})
	want := []string{
		"WARNING: the old file is 41 days old, more than 30 days: machines and data change meanwhile, record a new one",
		"17 commits from the old build to the new",
	}
	if diff := cmp.Diff(c.Notes, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestSmallestChangeOfAQualification(t *testing.T) {
	a, b := duet(o5, []float64{240, 243, 239, 238, 244})
	c := compare(t, a, b, baseline.Options{Smallest: map[string]float64{"normal p95": 0.25}})
	if r := row(t, c, "p95"); r.Change != baseline.Inconclusive || !strings.Contains(r.Note, "nothing below +25 % worse (the qualification)") {
		t.Errorf("+20 %% where 25 %% is the smallest that may fail: got %s, %q", r.Line(), r.Note)
	}
}

func TestDuetFilesThereAndBack(t *testing.T) {
	a, b := duet(o5, []float64{240, 243, 239, 238, 244})
	a.Session.Note = "before the index"
	a.Summarise()
	b.Summarise()
	dir := t.TempDir()
	for name, f := range map[string]*baseline.File{"a.json.gz": a, "b.json": b} {
		if err := baseline.Write(filepath.Join(dir, name), f); err != nil {
			t.Fatal(err)
		}
	}
	ra, err := baseline.Read(filepath.Join(dir, "a.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	rb, err := baseline.Read(filepath.Join(dir, "b.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := compare(t, ra, rb, baseline.Options{})
	if c.Verdict != baseline.OverallWorse || c.Old.Note != "before the index" {
		t.Errorf("got %s, note %q", c.Verdict, c.Old.Note)
	}
	if r := row(t, c, "p95"); r.Change != baseline.Worse {
		t.Errorf("got %+v", r)
	}
}
