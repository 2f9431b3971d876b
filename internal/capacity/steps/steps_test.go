package steps_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/capacity"
	"vitals/internal/capacity/steps"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/scenarios"
	"vitals/targets"
)

// limited answers 8 requests at once, each after 20 ms: 400 a second, by
// arithmetic. A busy machine sleeps longer, so the server tells its limit by the
// times that it did take.
func limited(t *testing.T) (base *url.URL, limit func() float64) {
	t.Helper()
	slots := make(chan struct{}, 8)
	var held, n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		slots <- struct{}{}
		began := time.Now()
		time.Sleep(20 * time.Millisecond)
		held.Add(int64(time.Since(began)))
		n.Add(1)
		<-slots
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return base, func() float64 { return 8 / (time.Duration(held.Load()) / time.Duration(n.Load())).Seconds() }
}

// measured runs arrivals at a rate against the server.
func measured(ctx context.Context, base *url.URL, rate float64) (capacity.Step, error) {
	sc, err := scenarios.Read(strings.NewReader(fmt.Sprintf(`
name: limited
arrivals:
  stages:
    - {name: warm-up, from: %[1]g/s, to: %[1]g/s, for: 1s, judged: false}
    - {name: hold, from: %[1]g/s, to: %[1]g/s, for: 6s, judged: true}
journeys:
  - name: caller
    steps: [{name: call, get: /, anonymous: true}]
`, rate)), "limited.yaml")
	if err != nil {
		return capacity.Step{}, err
	}
	rec := measure.NewRecorder(load.Steps(sc), sc.Load.Phases(), measure.Options{})
	out, err := load.Run(ctx, sc, rec, load.Options{Base: base, Seed: 1, MaxLag: 100 * time.Millisecond})
	if err != nil {
		return capacity.Step{}, err
	}
	f := rec.Finish()
	r := &measure.Result{Scenario: sc.Name, Model: "arrivals", Took: out.Took, Window: 6 * time.Second, Phases: f.Phases, Series: f.Series, Health: out.Health}
	target, err := targets.Parse("p95 < 300ms")
	if err != nil {
		return capacity.Step{}, err
	}
	return steps.Of(r, targets.Judge([]targets.Target{target}, r)), nil
}

func TestKnownLimitIsBracketed(t *testing.T) {
	base, limit := limited(t)
	out, err := capacity.Search(t.Context(), capacity.Options{
		Start: 200, Precision: 0.02, Confirm: 1,
		Measure: func(ctx context.Context, rate float64) (capacity.Step, error) { return measured(ctx, base, rate) },
		Tell:    func(s capacity.Step) { t.Log(s.Line()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	known := limit()
	t.Logf("%s; the server's own limit was %.1f/s", out.Answer(), known)
	if out.Low < 0.95*known || out.High > 1.05*known || out.High/out.Low > 1.02 {
		t.Errorf("got %s, want %.1f within 5 %%", out.Answer(), known)
	}
	if out.USL == nil { // how near its limit is on a quiet machine: make capacity
		t.Error("no curve was fitted to the steps")
	}
}

// result is one step's run, changed.
func result(change func(*measure.Result)) *measure.Result {
	rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, []measure.Phase{{Name: "hold", To: 10 * time.Second, Judged: true}}, measure.Options{})
	sh := rec.Shard()
	for i := range 1000 {
		due := time.Duration(i) * 10 * time.Millisecond
		sh.Record(&measure.Sample{Due: due, Sent: due, Done: due + 20*time.Millisecond, Code: 200, Outcome: measure.Served, OK: true})
		rec.Add(0, due, measure.Counts{Planned: 1})
	}
	sh.Close()
	f := rec.Finish()
	r := &measure.Result{Model: "arrivals", Window: 10 * time.Second, Phases: f.Phases, Series: f.Series, Facts: []measure.Fact{{Name: "cpu", Value: 0.4}}}
	if change != nil {
		change(r)
	}
	return r
}

func TestOf(t *testing.T) {
	verdict := func(text string, s targets.Status) targets.Verdict {
		target, err := targets.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return targets.Verdict{Target: target, Status: s, Note: "why"}
	}
	for name, c := range map[string]struct {
		change   func(*measure.Result)
		verdicts []targets.Verdict
		meets    bool
		binding  string
		invalid  string
	}{
		"sound":            {verdicts: []targets.Verdict{verdict("p95 < 300ms", targets.Pass)}, meets: true},
		"a target missed":  {verdicts: []targets.Verdict{verdict("p95 < 300ms", targets.Fail)}, binding: "p95 < 300ms"},
		"a rate asked for": {verdicts: []targets.Verdict{verdict("rps >= 500", targets.Fail)}, meets: true},
		"no data":          {verdicts: []targets.Verdict{verdict("cpu < 70%", targets.NoData)}, invalid: "no data for cpu < 70%: why"},
		"our own fault":    {change: func(r *measure.Result) { r.Health.Invalid = []string{"generator: CPU contention"} }, invalid: "generator: CPU contention"},
		"the system's":     {change: func(r *measure.Result) { r.Health.Invalid = []string{"system: degraded"} }, binding: "system: degraded"},
		"not sent":         {change: func(r *measure.Result) { r.Phases[0].Steps[0].Counts.Planned = 1100 }, binding: "only 91 % of what was due could be sent"},
		"a growing queue": {change: func(r *measure.Result) {
			for i := range r.Series.Slices {
				r.Series.Slices[i].P95 = time.Duration(20+10*i) * time.Millisecond
			}
		}, binding: "the queue grew: p95 at the end 4.3 times that at the beginning"},
	} {
		s := steps.Of(result(c.change), c.verdicts)
		if s.Meets != c.meets || strings.Join(s.Binding, "; ") != c.binding || s.Invalid != c.invalid {
			t.Errorf("%s: got meets %v, binding %q, invalid %q", name, s.Meets, s.Binding, s.Invalid)
		}
		if s.Goodput != 100 || s.Requests != 1000 || s.CPU == nil {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}
