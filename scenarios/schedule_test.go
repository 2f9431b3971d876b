package scenarios_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vitals/scenarios"
)

func arrivals(stages ...scenarios.Stage) scenarios.Schedule {
	return scenarios.Load{Model: scenarios.Arrivals, Stages: stages}.Arrivals(0)
}

func stage(from, to float64, length time.Duration) scenarios.Stage {
	return scenarios.Stage{From: from, To: to, For: length}
}

func TestDue(t *testing.T) {
	for _, c := range []struct {
		name   string
		stages []scenarios.Stage
		total  uint64
		due    map[uint64]time.Duration
	}{
		{"constant", []scenarios.Stage{stage(100, 100, time.Second)}, 100,
			map[uint64]time.Duration{0: 0, 1: 10 * time.Millisecond, 99: 990 * time.Millisecond}},
		{"a third of a nanosecond is rounded up", []scenarios.Stage{stage(3, 3, time.Second)}, 3,
			map[uint64]time.Duration{1: 333333334, 2: 666666667}},
		{"below 1/s", []scenarios.Stage{stage(0.5, 0.5, 10*time.Second)}, 5,
			map[uint64]time.Duration{0: 0, 1: 2 * time.Second, 4: 8 * time.Second}},
		{"less than one in all", []scenarios.Stage{stage(0.01, 0.01, time.Second)}, 1, map[uint64]time.Duration{0: 0}},
		{"ramp from 0", []scenarios.Stage{stage(0, 10, 10*time.Second)}, 50,
			map[uint64]time.Duration{0: 0, 8: 4 * time.Second, 18: 6 * time.Second, 32: 8 * time.Second}},
		{"ramp to 0", []scenarios.Stage{stage(10, 0, 10*time.Second)}, 50,
			map[uint64]time.Duration{0: 0, 18: 2 * time.Second, 32: 4 * time.Second, 48: 8 * time.Second}},
		{"a gap belongs to the stage after it", []scenarios.Stage{stage(10, 10, time.Second), stage(0, 0, time.Second), stage(10, 10, time.Second)}, 20,
			map[uint64]time.Duration{9: 900 * time.Millisecond, 10: 2 * time.Second, 19: 2900 * time.Millisecond}},
		{"a gap first", []scenarios.Stage{stage(0, 0, time.Second), stage(1, 1, time.Second)}, 1, map[uint64]time.Duration{0: time.Second}},
		{"a gap last", []scenarios.Stage{stage(1, 1, time.Second), stage(0, 0, time.Hour)}, 1, map[uint64]time.Duration{0: 0}},
		{"a remainder is carried over", []scenarios.Stage{stage(1, 1, 1500*time.Millisecond), stage(2, 2, time.Second)}, 4,
			map[uint64]time.Duration{1: time.Second, 2: 1750 * time.Millisecond, 3: 2250 * time.Millisecond}},
		{"a step without length", []scenarios.Stage{stage(1, 1, time.Second), stage(1, 9, 0), stage(9, 9, time.Second)}, 10, map[uint64]time.Duration{1: time.Second}},
		{"nothing", []scenarios.Stage{stage(0, 0, time.Hour)}, 0, nil},
		{"no stage", nil, 0, nil},
		{"the bounds", []scenarios.Stage{stage(0, scenarios.MaxRate, scenarios.MaxStage)}, 1_296_000_000_000,
			map[uint64]time.Duration{0: 0, 324_000_000_000: 15 * 24 * time.Hour}},
	} {
		s := arrivals(c.stages...)
		if s.Total() != c.total {
			t.Errorf("%s: got %d arrivals, want %d", c.name, s.Total(), c.total)
		}
		for n, want := range c.due {
			if got, ok := s.Due(n); got != want || !ok {
				t.Errorf("%s: arrival %d: got %s, %t, want %s", c.name, n, got, ok, want)
			}
		}
		if at, ok := s.Due(c.total); ok {
			t.Errorf("%s: got an arrival past the last, at %s", c.name, at)
		}
	}
}

// The tables of vegeta's own pacers. Vegeta sends hit n at the end of its
// interval, we at the start, so its hit n is our arrival n+1.
func TestVegetaTables(t *testing.T) {
	for _, c := range []struct {
		rate    float64
		elapsed time.Duration
		hits    uint64
		wait    time.Duration
	}{
		{1, time.Second, 0, 0},
		{1, 2 * time.Second, 0, 0},
		{1, time.Second, 1, time.Second},
		{1, time.Second, 2, 2 * time.Second},
		{1, time.Second, 10, 10 * time.Second},
		{1, 11 * time.Second, 10, 0},
		{2, 4900 * time.Millisecond, 9, 100 * time.Millisecond},
	} {
		s := arrivals(stage(c.rate, c.rate, time.Minute))
		due, _ := s.Due(c.hits + 1)
		if got := max(0, due-c.elapsed); got != c.wait {
			t.Errorf("%+v: got a wait of %s", c, got)
		}
	}
	linear := arrivals(stage(100, 1380, 128*time.Second)) // slope 10
	for elapsed, hits := range map[time.Duration]uint64{
		0: 0, time.Second: 105, 2 * time.Second: 220, 4 * time.Second: 480, 8 * time.Second: 1120,
		16 * time.Second: 2880, 32 * time.Second: 8320, 64 * time.Second: 26880,
	} {
		if got, _ := linear.Due(hits); got != elapsed {
			t.Errorf("linear hit %d: got %s, want %s", hits, got, elapsed)
		}
		if got := linear.Before(elapsed); got != hits {
			t.Errorf("linear hits before %s: got %d, want %d", elapsed, got, hits)
		}
	}
	if got := linear.Before(500 * time.Millisecond); got != 52 { // 51.25, and the first is at 0
		t.Errorf("linear hits before 0.5s: got %d, want 52", got)
	}
	if got := linear.Total(); got != 94720 {
		t.Errorf("linear total: got %d, want 94720", got)
	}
}

// curve draws stages that a plan may have: ramps up, down and to 0, gaps, rates
// below 1, odd lengths.
func curve(r *rand.Rand) (stages []scenarios.Stage) {
	level := func() float64 {
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return float64(r.IntN(1000)) / 1000
		case 2:
			return float64(r.IntN(50))
		}
		return float64(r.IntN(2_000_000)) / 1e4
	}
	for range 1 + r.IntN(5) {
		s := stage(level(), 0, time.Duration(1+r.Int64N(int64(20*time.Second))))
		if s.To = s.From; r.IntN(3) > 0 {
			s.To = level()
		}
		stages = append(stages, s)
	}
	return stages
}

// integral is N(t) in exact fractions, computed in another way.
func integral(stages []scenarios.Stage, at time.Duration) *big.Rat {
	rat := func(v float64) *big.Rat { return big.NewRat(int64(math.Round(v*1e6)), 1e6) }
	sum := new(big.Rat)
	for _, s := range stages {
		t := min(at, s.For)
		x, length := big.NewRat(int64(t), 1e9), big.NewRat(int64(s.For), 1e9)
		rise := new(big.Rat).Sub(rat(s.To), rat(s.From))
		rise.Quo(rise, length)
		area := new(big.Rat).Mul(rat(s.From), x)
		half := new(big.Rat).Mul(rise, new(big.Rat).Mul(x, x))
		area.Add(area, half.Mul(half, big.NewRat(1, 2)))
		sum.Add(sum, area)
		if at -= t; at <= 0 {
			break
		}
	}
	return sum
}

func TestDueIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 80 {
		stages := curve(r)
		if i%4 == 0 { // as long and steep as the bounds allow
			stages = []scenarios.Stage{
				stage(0, r.Float64()*scenarios.MaxRate, time.Duration(1+r.Int64N(int64(scenarios.MaxStage)))),
				stage(r.Float64()*scenarios.MaxRate, r.Float64(), time.Duration(1+r.Int64N(int64(scenarios.MaxStage)))),
			}
		}
		s := arrivals(stages...)
		end := scenarios.Load{Stages: stages}.Total()
		area := integral(stages, end)
		whole := new(big.Int).Quo(area.Num(), area.Denom())
		if !area.IsInt() {
			whole.Add(whole, big.NewInt(1))
		}
		if s.Total() != whole.Uint64() {
			t.Fatalf("%+v: got %d arrivals, want %s", stages, s.Total(), area.FloatString(6))
		}
		last := time.Duration(-1)
		for n := uint64(0); n < s.Total(); n += 1 + s.Total()/100 {
			due, ok := s.Due(n)
			if !ok || due < last || due >= end+1 {
				t.Fatalf("%+v: arrival %d at %s after %s, end %s", stages, n, due, last, end)
			}
			last = due
			want := new(big.Rat).SetUint64(n)
			if integral(stages, due).Cmp(want) < 0 {
				t.Fatalf("%+v: arrival %d at %s: the integral is %s there", stages, n, due, integral(stages, due).FloatString(9))
			}
			if due > 0 && integral(stages, due-1).Cmp(want) >= 0 && integral(stages, due-1).Cmp(integral(stages, due)) != 0 {
				t.Fatalf("%+v: arrival %d at %s is late: the integral is %s before it", stages, n, due, integral(stages, due-1).FloatString(9))
			}
			if before := s.Before(due); s.Total() < 1e6 && before > n {
				t.Fatalf("%+v: %d arrivals before number %d", stages, before, n)
			}
		}
	}
}

// Shards n mod N of one plan have the same union for every N, and so does what
// each request is.
func TestShardsUnite(t *testing.T) {
	type request struct {
		due  time.Duration
		kind uint64
	}
	for _, poisson := range []bool{false, true} {
		l := scenarios.Load{Model: scenarios.Arrivals, Poisson: poisson, Grid: time.Millisecond, Stages: []scenarios.Stage{
			stage(0, 300, 3*time.Second), stage(300, 300, 2*time.Second), stage(900, 900, time.Second), stage(0, 0, time.Second), stage(300, 0, 4*time.Second),
		}}
		union := func(shards uint64) (all []request) {
			for i := range shards {
				s := l.Arrivals(42) // each shard plans for itself
				for n := i; n < s.Total(); n += shards {
					due, _ := s.Due(n)
					all = append(all, request{due, scenarios.Hash(42, n)})
				}
			}
			slices.SortFunc(all, func(a, b request) int {
				if a.due != b.due {
					return int(a.due - b.due)
				}
				return map[bool]int{true: -1, false: 1}[a.kind < b.kind]
			})
			return all
		}
		want := union(1)
		if !poisson && len(want) != 2550 {
			t.Errorf("got %d arrivals, want 2550", len(want))
		}
		for _, shards := range []uint64{2, 3, 7, 200} {
			if got := union(shards); !slices.Equal(got, want) {
				t.Errorf("poisson %t: %d shards differ from one", poisson, shards)
			}
		}
		for _, r := range want {
			if r.due%time.Millisecond != 0 {
				t.Fatalf("got %s, want it on the grid of 1ms", r.due)
			}
		}
	}
}

func TestPoisson(t *testing.T) {
	l := scenarios.Load{Model: scenarios.Arrivals, Poisson: true, Stages: []scenarios.Stage{stage(1000, 1000, 100*time.Second)}}
	s := l.Arrivals(7)
	if got := float64(s.Total()); math.Abs(got-100_000) > 4*math.Sqrt(100_000) {
		t.Errorf("got %g arrivals, want about 100000", got)
	}
	var sum, squares, above float64
	last := time.Duration(0)
	for n := range s.Total() {
		due, _ := s.Due(n)
		if due < last {
			t.Fatalf("arrival %d at %s after %s", n, due, last)
		}
		gap := (due - last).Seconds() * 1000
		sum, squares, last = sum+gap, squares+gap*gap, due
		if gap > 3 {
			above++
		}
	}
	n := float64(s.Total())
	mean := sum / n
	if variance := squares/n - mean*mean; math.Abs(mean-1) > 0.015 || math.Abs(variance-1) > 0.05 {
		t.Errorf("got gaps of mean %.3f and variance %.3f, want 1 and 1", mean, variance)
	}
	if share, want := above/n, math.Exp(-3); math.Abs(share-want) > 0.004 {
		t.Errorf("got %.4f of the gaps above 3, want %.4f", share, want)
	}
	if other, same := l.Arrivals(8), l.Arrivals(7); first(other) == first(s) || first(same) != first(s) {
		t.Errorf("got first arrivals %s, %s, %s for seeds 7, 8, 7", first(s), first(other), first(same))
	}
}

func first(s scenarios.Schedule) time.Duration { due, _ := s.Due(0); return due }

func TestSpans(t *testing.T) {
	l := scenarios.Load{Stages: []scenarios.Stage{
		stage(0, 50, 10*time.Second), stage(50, 50, 20*time.Second), stage(50, 10, 4*time.Second), stage(10, 20, time.Second), stage(20, 20, 5*time.Second),
	}}
	p := l.Users()
	if p.Max() != 50 {
		t.Errorf("got %d users, want 50", p.Max())
	}
	for v, want := range map[int][]scenarios.Span{
		0:  {{200 * time.Millisecond, 40 * time.Second}},
		9:  {{2 * time.Second, 40 * time.Second}},
		14: {{3 * time.Second, 33500 * time.Millisecond}, {34500 * time.Millisecond, 40 * time.Second}},
		49: {{10 * time.Second, 30 * time.Second}},
		50: nil,
	} {
		if got := p.Spans(v); !slices.Equal(got, want) {
			t.Errorf("user %d: got %v, want %v", v, got, want)
		}
	}
	// Whole nanoseconds: never before the level is reached, never after it is left.
	thirds := scenarios.Load{Stages: []scenarios.Stage{stage(0, 3, time.Second), stage(3, 0, time.Second)}}.Users()
	if got := thirds.Spans(0); !slices.Equal(got, []scenarios.Span{{333333334, 1666666666}}) {
		t.Errorf("thirds: got %d", got)
	}
	atOnce := scenarios.Load{Stages: []scenarios.Stage{stage(3, 3, time.Second)}}.Users()
	if got := atOnce.Spans(2); !slices.Equal(got, []scenarios.Span{{0, time.Second}}) {
		t.Errorf("all at once: got %v", got)
	}
}

// At any time as many users are active as the level says.
func TestSpansAddUpToTheLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var l scenarios.Load
		for range 1 + r.IntN(5) {
			s := stage(float64(r.IntN(60)), float64(r.IntN(60)), time.Duration(1+r.Int64N(int64(10*time.Second))))
			if r.IntN(2) == 0 {
				s.To = s.From
			}
			l.Stages = append(l.Stages, s)
		}
		p := l.Users()
		for range 20 {
			at := time.Duration(r.Int64N(int64(l.Total())))
			active := 0
			for v := range p.Max() {
				for i, s := range p.Spans(v) {
					if s.From >= s.To || i > 0 && s.From <= p.Spans(v)[i-1].To {
						t.Fatalf("%+v: user %d has spans %v", l.Stages, v, p.Spans(v))
					}
					if s.From <= at && at < s.To {
						active++
					}
				}
			}
			if want := p.Level(at); active != want {
				t.Fatalf("%+v: at %s: got %d users active, want %d", l.Stages, at, active, want)
			}
		}
	}
}

// The values are fixed: a plan made today must be the plan made next year.
func TestHash(t *testing.T) {
	// splitmix64 of 0 begins with this (Vigna's reference implementation).
	if got := scenarios.Hash(0); got != 0xe220a8397b1dcdaf {
		t.Errorf("got %#x, want 0xe220a8397b1dcdaf", got)
	}
	seen := map[uint64]bool{}
	for seed := range uint64(10) {
		for n := range uint64(100) {
			for k := range uint64(10) {
				seen[scenarios.Hash(seed, n, k)] = true
			}
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("got %d distinct values of 10000", len(seen))
	}
}

func BenchmarkDue(b *testing.B) {
	for name, l := range map[string]scenarios.Load{
		"constant": {Stages: []scenarios.Stage{stage(10_000, 10_000, time.Hour)}},
		"ramp":     {Stages: []scenarios.Stage{stage(0, 20_000, time.Hour)}},
		"poisson":  {Stages: []scenarios.Stage{stage(10_000, 10_000, 10*time.Second)}, Poisson: true},
	} {
		s := l.Arrivals(1)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				s.Due(n)
				n = (n + 997) % s.Total()
			}
		})
	}
}
