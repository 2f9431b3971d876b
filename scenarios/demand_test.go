package scenarios_test

import (
	"testing"
	"time"

	"vitals/scenarios"
)

// Half of the tasks think 1 s and make one request, half 3 s and two: a user
// draws one every 2 s and makes 0.75 requests a second.
func TestDemand(t *testing.T) {
	second := func(n int) scenarios.Range {
		return scenarios.Range{From: time.Duration(n) * time.Second / 2, To: time.Duration(n) * time.Second * 3 / 2}
	}
	journeys := []scenarios.Journey{{Name: "a", Think: second(1), Tasks: []scenarios.Task{
		{Name: "one", Steps: make([]scenarios.Step, 1)},
		{Name: "two", Think: second(3), Steps: make([]scenarios.Step, 2)},
	}}}
	accounts := scenarios.Accounts{Requests: 90}
	for _, c := range []struct {
		name     string
		load     scenarios.Load
		requests float64
		accounts int
	}{
		{"a hold", scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{stage(100, 100, 60*time.Second)}}, 100*60*0.75 + 100*1.5, 100},
		{"a ramp and a hold", scenarios.Load{Model: scenarios.Users, Share: 2, Stages: []scenarios.Stage{stage(0, 100, 20*time.Second), stage(100, 100, 50*time.Second)}}, 100*60*0.75 + 100*1.5, 62},
		{"shared", scenarios.Load{Model: scenarios.Users, Share: 2, Stages: []scenarios.Stage{stage(101, 101, time.Second)}}, 101 * 2.25, 51},
		{"arrivals", scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{stage(50, 50, 60*time.Second)}}, 50 * 60 * 1.5, 60},
	} {
		if got := c.load.Requests(journeys); got != c.requests {
			t.Errorf("%s: got %g requests, want %g", c.name, got, c.requests)
		}
		if got := accounts.Needed(c.load, journeys); got != c.accounts {
			t.Errorf("%s: got %d accounts, want %d", c.name, got, c.accounts)
		}
	}
	if got := (scenarios.Load{}).Requests(nil); got != 0 {
		t.Errorf("no journeys: got %g requests", got)
	}
}
