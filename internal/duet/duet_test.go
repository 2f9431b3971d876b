package duet_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
	"vitals/internal/duet"
	"vitals/internal/measure"
)

// machine makes runs whose p95 is 200 ms with noise of its own, a drift from
// slot to slot, and a candidate that is slower.
type machine struct {
	r          *rand.Rand
	own, drift float64
	slower     float64
	slots      []string
	invalid    func(duet.Slot) string
	unsteady   func(duet.Slot) string
	lastWarm   time.Duration
}

func (m *machine) run(_ context.Context, s duet.Slot) (*baseline.File, error) {
	m.slots = append(m.slots, string(s.Arm))
	m.lastWarm = s.Warmup
	level := m.own*m.r.NormFloat64() + m.drift*float64(s.Index)
	if s.Arm == duet.Cand {
		level += math.Log1p(m.slower)
	}
	h := measure.NewHistogram()
	for range 1200 {
		h.Record(time.Duration(200 * math.Exp(level) * float64(time.Millisecond)))
	}
	p95, _ := h.Quantile(0.95)
	run := baseline.Run{
		ID: fmt.Sprint(s.Index), Valid: true, Window: 60e6, Offered: 1200, Sent: 1200, Completed: 1200, Achieved: 1,
		Endpoints: []baseline.Endpoint{{Name: "list", N: 1200, Hist: h, P95: p95.Microseconds()}},
	}
	if m.invalid != nil {
		run.Invalid = m.invalid(s)
		run.Valid = run.Invalid == ""
	}
	if m.unsteady != nil {
		run.Unsteady = m.unsteady(s)
	}
	f := baseline.From(baseline.About{Session: baseline.Session{ID: "slot"}}, nil)
	f.Scenarios = []baseline.Scenario{{Name: "normal", Model: "arrivals", Config: "c", LoadModel: "l", Runs: []baseline.Run{run}}}
	return f, nil
}

func quiet(seed uint64) *machine {
	return &machine{r: rand.New(rand.NewPCG(seed, 1)), own: 0.02}
}

func options(m *machine) duet.Options {
	return duet.Options{Looks: stats.DefaultLooks(), Warmup: 30 * time.Second, Measure: time.Minute, Session: "d1", Run: m.run,
		Subject: [2]baseline.Subject{{Ref: "v1"}, {Ref: "v2"}}}
}

func play(t *testing.T, o duet.Options) *duet.Outcome {
	t.Helper()
	out, err := duet.Play(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOrderIsABBAAndStopsEarly(t *testing.T) {
	m := quiet(1)
	m.slower = 0.20
	out := play(t, options(m))
	if got := strings.Join(m.slots, ""); got != "ABBAABBAAB" {
		t.Errorf("got order %s", got)
	}
	if out.Comparison.Verdict != baseline.OverallWorse || len(out.Base.Scenarios[0].Runs) != 5 {
		t.Errorf("got %s after %d pairs, want worse after 5", out.Comparison.Verdict, len(out.Base.Scenarios[0].Runs))
	}
	if out.Base.Subject.Ref != "v1" || out.Cand.Subject.Ref != "v2" || out.Base.Session.ID != out.Cand.Session.ID {
		t.Errorf("got subjects %+v and %+v", out.Base.Subject, out.Cand.Subject)
	}
	if r := out.Comparison.Rows[0]; r.Rates == nil || r.K != 5 {
		t.Errorf("got %+v, want the gate's own error rates", r)
	}
}

func TestDriftMeetsBothAlike(t *testing.T) {
	for seed := range uint64(20) {
		m := quiet(seed)
		m.drift = 0.01
		if out := play(t, options(m)); out.Comparison.Verdict == baseline.OverallWorse {
			t.Errorf("seed %d: got worse between equal builds: %q", seed, out.Comparison.Reasons)
		}
	}
}

func TestUndecidedGoesOn(t *testing.T) {
	m := quiet(3)
	m.own = 0.20
	var told []int
	o := options(m)
	o.Tell = func(p duet.Progress) { told = append(told, p.Pairs) }
	out := play(t, o)
	if n := len(out.Base.Scenarios[0].Runs); n < 10 || len(told) != n {
		t.Errorf("got %d pairs, told of %d, want more than the first look", n, len(told))
	}
}

func TestInvalidPairsAreRunAgainWhole(t *testing.T) {
	m := quiet(4)
	m.invalid = func(s duet.Slot) string {
		if s.Pair == 1 && s.Repeat == 0 && s.Arm == duet.Cand {
			return "generator: CPU contention"
		}
		return ""
	}
	out := play(t, options(m))
	if got := strings.Join(m.slots, ""); got != "ABBABAABBAAB" || out.Repeated != 1 {
		t.Errorf("got order %s, %d repeated", got, out.Repeated)
	}
	var why []string
	for _, f := range []*baseline.File{out.Base, out.Cand} {
		for _, r := range f.Scenarios[0].Runs {
			if !r.Valid {
				why = append(why, r.Invalid)
			}
		}
	}
	want := []string{"the other run of its pair: normal of build B: generator: CPU contention", "generator: CPU contention"}
	if diff := cmp.Diff(why, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if r := out.Comparison.Rows[0]; r.K != 5 {
		t.Errorf("got %d pairs, want 5", r.K)
	}
}

func TestTooManyInvalid(t *testing.T) {
	m := quiet(5)
	m.invalid = func(s duet.Slot) string {
		if s.Arm == duet.Cand && s.Pair%2 == 0 {
			return "system: restarted"
		}
		return ""
	}
	var told strings.Builder
	o := options(m)
	o.Tell = func(p duet.Progress) { told.WriteString(p.Lines()) }
	out := play(t, o)
	if want := "left out: normal of build B: system: restarted\n"; !strings.Contains(told.String(), want) || strings.Contains(told.String(), "pair  1/15  done") {
		t.Errorf("got\n%s\nwant %q", told.String(), want)
	}
	if out.Comparison.Verdict != baseline.OverallInvalid || !strings.Contains(strings.Join(out.Comparison.Reasons, " "), "system: restarted") {
		t.Errorf("got %s, %q", out.Comparison.Verdict, out.Comparison.Reasons)
	}
}

func TestWarmUpIsMadeLonger(t *testing.T) {
	m := quiet(6)
	m.unsteady = func(s duet.Slot) string {
		if s.Warmup < 60*time.Second {
			return "p95 of the first 10s is +40 % from the rest"
		}
		return ""
	}
	out := play(t, options(m))
	if m.lastWarm != time.Minute || out.Repeated != 1 || out.Comparison.Rows[0].K != 5 {
		t.Errorf("got warm-up %s, %d repeated, k %d", m.lastWarm, out.Repeated, out.Comparison.Rows[0].K)
	}
}

func TestRunThatCannotBeMade(t *testing.T) {
	m := quiet(7)
	m.slower = 0.2
	o := options(m)
	o.Run = func(ctx context.Context, s duet.Slot) (*baseline.File, error) {
		if s.Index == 6 {
			return nil, errors.New("no such image")
		}
		return m.run(ctx, s)
	}
	out, err := duet.Play(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "pair 4, build B: no such image") {
		t.Errorf("got %v", err)
	}
	if out == nil || out.Comparison == nil || out.Comparison.Rows[0].K != 3 {
		t.Error("what was measured until then is lost")
	}
	if g := out.Base.Design.Gate; g == nil || !strings.HasPrefix(g.Ended, "the duet was cut short after 3 of 15 pairs: ") {
		t.Errorf("the file says %+v of its gate", g)
	}
	if c := out.Comparison; c.Verdict != baseline.OverallInvalid || len(c.Reasons) == 0 || c.Reasons[0] != out.Base.Design.Gate.Ended {
		t.Errorf("the comparison is %s by %q, the files say %q", c.Verdict, c.Reasons, out.Base.Design.Gate.Ended)
	}
}

func TestQualification(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	q, err := duet.ReadQualification(dir, "abc", now)
	if err != nil || !strings.Contains(q.Refused(), "no qualification") {
		t.Fatalf("got %v, %q", err, q.Refused())
	}
	m := quiet(8)
	m.own = 0.05
	o := options(m)
	o.Fixed, o.Looks = true, stats.Looks{11}
	out := play(t, o)
	if err := q.Add(duet.AADuet{At: now, Ref: "v1", Ratios: out.Spread()}); err != nil {
		t.Fatal(err)
	}
	q, err = duet.ReadQualification(dir, "abc", now.AddDate(0, 0, 29))
	if err != nil || q.Refused() != "" {
		t.Fatalf("29 days later: got %v, %q", err, q.Refused())
	}
	if p := q.Prior("normal", "p95"); p == nil || p.Nu != 10 || math.Abs(math.Sqrt(p.Variance)-0.07) > 0.03 {
		t.Errorf("got prior %+v", p)
	}
	small := q.Smallest(stats.DefaultLooks())
	if s := small["normal p95"]; s < 0.03 || s > 0.12 {
		t.Errorf("got smallest %v", small)
	}
	if fine := q.TooFine(stats.DefaultLooks(), baseline.Options{Tolerance: map[string]float64{"p95": 0.01}}); len(fine) != 1 || !strings.HasPrefix(fine[0], "normal p95: tolerance 1.0 %") {
		t.Errorf("a tolerance of 1 %%: got %q", fine)
	}
	q, err = duet.ReadQualification(dir, "abc", now.AddDate(0, 0, 31))
	if err != nil || !strings.Contains(q.Refused(), "31 days old") {
		t.Errorf("31 days later: got %v, %q", err, q.Refused())
	}
	q, err = duet.ReadQualification(dir, "abc", now.AddDate(0, 0, 91))
	if err != nil || q.Prior("normal", "p95") != nil {
		t.Errorf("91 days later: got %v and a prior", err)
	}
}

func TestUnqualifiedGateFailsNothing(t *testing.T) {
	m := quiet(9)
	m.slower = 0.20
	o := options(m)
	dir := t.TempDir()
	o.Qualified = func(class string) (*duet.Qualification, error) {
		return duet.ReadQualification(dir, class, time.Now())
	}
	out := play(t, o)
	if out.Comparison.Verdict != baseline.OverallInconclusive || out.Comparison.Rows[0].Change != baseline.Worse {
		t.Errorf("got %s, %s", out.Comparison.Verdict, out.Comparison.Rows[0].Line())
	}
	if n := strings.Join(out.Comparison.Notes, " "); !strings.Contains(n, "cannot fail a build: no qualification") {
		t.Errorf("got notes %q", n)
	}
	if g := out.Cand.Design.Gate; g == nil || !strings.HasPrefix(g.Unfit, "no qualification") { // for who compares the files
		t.Errorf("the file says %+v of its gate", g)
	}
}
