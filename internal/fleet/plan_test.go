package fleet

import (
	"math"
	"strings"
	"testing"
)

func TestParseMember(t *testing.T) {
	for text, want := range map[string]Member{"0/1": {0, 1}, "3/4": {3, 4}, "199/200": {199, 200}} {
		if got, err := ParseMember(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "4/4", "-1/4", "0/0", "a/b", "1/2/3"} {
		if got, err := ParseMember(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// 60 % of a generator is what it can be trusted with.
func TestWorkers(t *testing.T) {
	for _, tt := range []struct {
		rate, capacity float64
		want           int
	}{{500, 60_000, 1}, {36_000, 60_000, 1}, {36_001, 60_000, 2}, {1_000_000, 8_334, 200}} {
		if got, err := Workers(tt.rate, tt.capacity); err != nil || got != tt.want {
			t.Errorf("%v at %v: got %d, %v, want %d", tt.rate, tt.capacity, got, err, tt.want)
		}
	}
	for _, bad := range [][2]float64{{0, 1}, {1, 0}, {-1, 5}} {
		if _, err := Workers(bad[0], bad[1]); err == nil {
			t.Errorf("%v was answered", bad)
		}
	}
}

// Every field of the plan is part of its identity.
func TestPlanID(t *testing.T) {
	base := Plan{Version: "v1", Geometry: "g", Scenarios: []Scenario{{"a", "1"}}, Pace: "quick", Seed: 1, Members: 2, URL: "http://h"}
	ids := map[string]bool{base.ID(): true}
	for _, change := range []func(p *Plan){
		func(p *Plan) { p.Version = "v2" }, func(p *Plan) { p.Geometry = "h" }, func(p *Plan) { p.Scenarios = []Scenario{{"a", "2"}} },
		func(p *Plan) { p.Pace = "full" }, func(p *Plan) { p.Seed = 2 }, func(p *Plan) { p.Members = 3 },
		func(p *Plan) { p.URL = "http://i" }, func(p *Plan) { p.Profile = "x" },
	} {
		p := base
		change(&p)
		if ids[p.ID()] {
			t.Errorf("%+v has the identity of another plan", p)
		}
		ids[p.ID()] = true
	}
}

// A plan is told in commands that can be typed, or refused with what is wrong.
func TestPropose(t *testing.T) {
	measure := func() (float64, error) { return 60_000, nil }
	for _, c := range []struct {
		capacity     float64
		members, why string
		want, not    string
		refused      bool
	}{
		{60_000, "0", "", "1 needed\n  vitals run peak …", "--member", false},
		{0, "auto", "", "1 needed", "--member", false},
		{10, "0", "", "--member 0/84 …", "--member 11/84", false},
		{100, "1", "", "1 are fewer", "", false},
		{60_000, "2", "rehearsal", "--member 1/2 …", "", false},
		{60_000, "2", "", "one machine suffices", "", true},
		{60_000, "2", "fun", "--because fun", "", true},
		{0, "0", "", "vitals probe-generator", "", true},
		{-5, "0", "", "--capacity -5", "", true},
		{math.NaN(), "0", "", "--capacity NaN", "", true},
		{math.Inf(1), "0", "", "--capacity +Inf", "", true},
		{1e-9, "0", "", "want at most 10000", "", true},
		{60_000, "many", "", "--workers many", "", true},
	} {
		var out strings.Builder
		err := Propose(&out, "peak", c.capacity, c.members, c.why, measure)
		said := out.String()
		if err != nil {
			said = err.Error()
		}
		if (err != nil) != c.refused || !strings.Contains(said, c.want) || c.not != "" && strings.Contains(said, c.not) {
			t.Errorf("%+v: got %v and\n%s", c, err, out.String())
		}
	}
}
