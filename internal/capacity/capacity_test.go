package capacity_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/capacity"
)

// system meets its target below a limit, give or take its noise.
type system struct {
	limit, noise float64
	r            *rand.Rand
	invalidAbove float64
	asked        []float64
}

func (s *system) measure(_ context.Context, rate float64) (capacity.Step, error) {
	s.asked = append(s.asked, rate)
	if s.invalidAbove > 0 && rate > s.invalidAbove {
		return capacity.Step{Invalid: "generator: CPU contention"}, nil
	}
	limit := s.limit * math.Exp(s.noise*s.r.NormFloat64())
	x := min(rate, limit)
	step := capacity.Step{Meets: rate < limit, Goodput: x, Mean: time.Duration(20e6 / max(0.05, 1-x/(limit*1.1))), Requests: 1000}
	if !step.Meets {
		step.Binding = []string{"p95 < 300ms"}
	}
	return step, nil
}

func of(limit, noise float64) *system {
	return &system{limit: limit, noise: noise, r: rand.New(rand.NewPCG(1, uint64(limit)))}
}

func search(t *testing.T, s *system, start, most float64) *capacity.Outcome {
	t.Helper()
	out, err := capacity.Search(t.Context(), capacity.Options{Start: start, Max: most, Precision: 0.05, Confirm: 2, Measure: s.measure})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBracket(t *testing.T) {
	for _, limit := range []float64{7, 33.3, 400, 12345} {
		for _, start := range []float64{1, 50, 20000} {
			s := of(limit, 0)
			out := search(t, s, start, 0)
			if out.Low >= limit || out.High < limit || out.High/out.Low > 1.05 || out.Open != "" {
				t.Errorf("limit %g from %g: got %s after %d steps", limit, start, out.Answer(), len(s.asked))
			}
			if len(s.asked) > 30 {
				t.Errorf("limit %g from %g: took %d steps", limit, start, len(s.asked))
			}
		}
	}
}

func TestNoisyLimitIsConfirmed(t *testing.T) {
	out := search(t, of(400, 0.03), 50, 0)
	if out.Low < 340 || out.High > 460 || out.Open != "" {
		t.Errorf("got %s", out.Answer())
	}
	met, n := 0, 0
	for _, s := range out.Steps {
		if s.Rate == out.Low {
			n++
			if s.Meets {
				met++
			}
		}
	}
	if n < 2 || 2*met <= n {
		t.Errorf("the answer rests on %d of %d measurements", met, n)
	}
	if !strings.Contains(out.Answer(), "bound by p95 < 300ms") {
		t.Errorf("got %s", out.Answer())
	}
}

func TestOpenEnds(t *testing.T) {
	if out := search(t, of(1e9, 0), 100, 1000); out.High != 0 || out.Low != 1000 || !strings.Contains(out.Answer(), "the highest rate that was allowed") {
		t.Errorf("got %s", out.Answer())
	}
	if out := search(t, of(0.1, 0), 100, 0); out.Low != 0 || !strings.Contains(out.Answer(), "no rate down to") {
		t.Errorf("got %s", out.Answer())
	}
	s := of(1e9, 0)
	s.invalidAbove = 300
	if out := search(t, s, 50, 0); out.Low != 200 || !strings.Contains(out.Answer(), "400/s could not be measured: generator: CPU contention") {
		t.Errorf("got %s", out.Answer())
	}
}

func TestErrorKeepsTheSteps(t *testing.T) {
	s := of(400, 0)
	n := 0
	out, err := capacity.Search(t.Context(), capacity.Options{Start: 50, Precision: 0.05, Confirm: 2, Measure: func(ctx context.Context, rate float64) (capacity.Step, error) {
		if n++; n > 3 {
			return capacity.Step{}, errors.New("gone")
		}
		return s.measure(ctx, rate)
	}})
	if err == nil || out == nil || len(out.Steps) != 3 || out.Low != 200 || !strings.Contains(out.Answer(), "cut short at 400/s") {
		t.Errorf("got %v, %v", out, err)
	}
	if _, err := capacity.Search(t.Context(), capacity.Options{}); err == nil {
		t.Error("no options: got no error")
	}
}

// NaN is in no order with anything: what is refused by being too small or too large is
// not refused by that.
func TestOptionsAreNumbers(t *testing.T) {
	good := capacity.Options{Start: 10, Precision: 0.05, Confirm: 1}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		for name, o := range map[string]capacity.Options{
			"start": {Start: v, Precision: 0.05, Confirm: 1}, "precision": {Start: 10, Precision: v, Confirm: 1}, "max": {Start: 10, Max: v, Precision: 0.05, Confirm: 1},
		} {
			if o.Check() == nil {
				t.Errorf("--%s %g was taken", name, v)
			}
		}
	}
}

// A rate at which a window would take too long is not tried.
func TestLowestRateThatIsTried(t *testing.T) {
	s := of(0.7, 0)
	out, err := capacity.Search(t.Context(), capacity.Options{Start: 10, Least: 2, Precision: 0.05, Confirm: 1, Measure: s.measure})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.asked, []float64{10, 5, 2.5}) || out.Answer() != "capacity: not found: no rate down to 2.5/s meets the targets, bound by p95 < 300ms" {
		t.Errorf("got %s by %g", out.Answer(), s.asked)
	}
}

func TestFit(t *testing.T) {
	truth := func(n float64) float64 { return 50 * n / (1 + 0.02*(n-1) + 0.0005*n*(n-1)) }
	r := rand.New(rand.NewPCG(5, 6))
	var steps []capacity.Step
	for i, n := range []float64{1, 2, 4, 8, 12, 20, 30, 45, 60, 80} {
		x := truth(n)
		steps = append(steps, capacity.Step{Rate: float64(i), Goodput: x, Mean: time.Duration(n / x * math.Exp(0.02*r.NormFloat64()) * 1e9)})
	}
	u := capacity.Fit(steps)
	peak := truth(math.Sqrt(0.98 / 0.0005))
	if u == nil || math.Abs(u.Peak/peak-1) > 0.05 || u.Between[0] > peak || u.Between[1] < peak || math.Abs(u.At-44) > 6 {
		t.Errorf("got %+v, want a peak of %.1f at 44", u, peak)
	}
	if capacity.Fit(steps[:3]) != nil {
		t.Error("3 rates: got a curve")
	}
	var linear []capacity.Step
	for i := range 6 {
		linear = append(linear, capacity.Step{Rate: float64(i), Goodput: float64(50 * (i + 1)), Mean: 20 * time.Millisecond})
	}
	if u := capacity.Fit(linear); u != nil && u.Peak < 1e6 {
		t.Errorf("no limit in sight: got %+v", u)
	}
}
