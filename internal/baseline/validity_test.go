package baseline_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

// sliced is a run of 40 one-second slices in its judged window whose p95 is
// what at says.
func sliced(model string, at func(i int) float64) *measure.Result {
	r := result("normal", 1, 100)
	r.Model = model
	r.Series = measure.Series{Every: time.Second}
	for i := range 50 {
		r.Series.Slices = append(r.Series.Slices, measure.Slice{At: time.Duration(i) * time.Second, P95: time.Duration(at(i-10) * float64(time.Millisecond))})
	}
	return r
}

func flat(i int) float64 { return 100 + 3*math.Sin(float64(i*i)) }

func TestValidity(t *testing.T) {
	growing := func(i int) float64 { return flat(i) * math.Exp(float64(i)*0.02) }
	for name, c := range map[string]struct {
		model  string
		at     func(int) float64
		change func(*measure.Result)
		want   string
	}{
		"sound":                         {model: "arrivals", at: flat},
		"a queue that grows":            {model: "arrivals", at: growing, want: "the queue grew: p95 at the end 2."},
		"users wait: no queue to grow":  {model: "users", at: growing},
		"stolen time":                   {at: flat, change: func(r *measure.Result) { r.Health.Steal = 0.08 }, want: "8 % of the machine was stolen"},
		"a generator that is too large": {at: flat, change: func(r *measure.Result) { r.Health.CPU = 0.8 }, want: "the generator took 80 %"},
		"our own lateness": {at: flat, change: func(r *measure.Result) {
			r.Health.Lag = measure.NewHistogram()
			r.Health.Lag.Record(80 * time.Millisecond)
		}, want: "our own lag, p99 80.06ms, is a relevant part of p95 "},
		"a restart": {at: flat, change: func(r *measure.Result) { r.Facts = []measure.Fact{{Name: "restarts", Value: 1}} }, want: "the system restarted"},
		"less than was due": {model: "arrivals", at: flat, change: func(r *measure.Result) {
			r.Phases[1].Steps[0].Counts.Sent -= 400
		}, want: "achieved 0.90 of what was due"},
	} {
		r := sliced(c.model, c.at)
		if c.change != nil {
			c.change(r)
		}
		run := baseline.From(baseline.About{}, []*measure.Result{r}).Scenarios[0].Runs[0]
		if run.Valid != (c.want == "") || !strings.HasPrefix(run.Invalid, c.want) {
			t.Errorf("%s: got valid %v, %q, want %q", name, run.Valid, run.Invalid, c.want)
		}
	}
}

func TestWarmUpIsSeen(t *testing.T) {
	cold := func(i int) float64 {
		if i < 8 {
			return 1.5 * flat(i)
		}
		return flat(i)
	}
	for name, c := range map[string]struct {
		at   func(int) float64
		want string
	}{
		"warm": {flat, ""},
		"cold": {cold, "p95 of the first 6s is +5"},
	} {
		run := baseline.From(baseline.About{}, []*measure.Result{sliced("users", c.at)}).Scenarios[0].Runs[0]
		if (run.Unsteady == "") != (c.want == "") || !strings.HasPrefix(run.Unsteady, c.want) {
			t.Errorf("%s: got %q, want %q", name, run.Unsteady, c.want)
		}
	}
}
