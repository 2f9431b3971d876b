package scenarios_test

import (
	"testing"
	"time"

	"vitals/scenarios"
	"vitals/targets"
)

func open(t *testing.T, name string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestLibraryReads(t *testing.T) {
	for _, name := range scenarios.All() {
		if sc := open(t, name); sc.Name != name {
			t.Errorf("%s: got name %q", name, sc.Name)
		}
	}
	want := []string{"normal", "peak", "stress", "spike"}
	for i, name := range scenarios.Names() {
		if name != want[i] {
			t.Errorf("got %q at %d, want %q", name, i, want[i])
		}
	}
}

// The shapes of the origin's benchmark guide.
func TestFullShapes(t *testing.T) {
	for name, want := range map[string]struct {
		users int
		rate  float64 // spawned per second in the first ramp
		total time.Duration
	}{
		"normal": {50, 5, 5 * time.Minute},
		"peak":   {500, 25, 10 * time.Minute},
		"stress": {2000, 50, 15 * time.Minute},
		"spike":  {500, 100. / 120, 6 * time.Minute},
	} {
		l := open(t, name).Load
		ramp := l.Stages[0]
		if got := ramp.To / ramp.For.Seconds(); l.Users().Max() != want.users || got != want.rate || l.Total() != want.total {
			t.Errorf("%s: got %d users at %g/s for %s, want %+v", name, l.Users().Max(), got, l.Total(), want)
		}
	}
}

// The whole set at quick pace: in 90 s with a common sign-in, and within the
// requests that 400 accounts may make in an hour, with a sixth to spare.
func TestQuickBudget(t *testing.T) {
	const accounts, each = 400, 90
	var requests float64
	var length time.Duration
	var set []*scenarios.Scenario
	for _, name := range scenarios.Names() {
		sc := open(t, name)
		l := sc.Quick
		if l.SignIn != scenarios.Before || sc.Accounts.Requests != each {
			t.Errorf("%s: got sign-in %q, %d requests each", name, l.SignIn, sc.Accounts.Requests)
		}
		if users := (l.Users().Max() + l.Share - 1) / l.Share; users > accounts {
			t.Errorf("%s: %d accounts are needed at once, there are %d", name, users, accounts)
		}
		requests += l.Requests(sc.Journeys)
		length += l.Total()
		set = append(set, sc)
		t.Logf("%-7s %5.0f requests in %s, %d accounts", name, l.Requests(sc.Journeys), l.Total(), sc.Accounts.Needed(l, sc.Journeys))
	}
	t.Logf("the set: %.0f requests in %s, %d accounts", requests, length, scenarios.Needed("quick", set...))
	if limit := 0.85 * accounts * each; requests > limit {
		t.Errorf("got %.0f requests, want at most %.0f", requests, limit)
	}
	if got := scenarios.Needed("quick", set...); got > accounts {
		t.Errorf("got %d accounts, want at most %d", got, accounts)
	}
	// 25 sign-ins a second is what two cores give with argon2 beside all else.
	if signIn := accounts / 25 * time.Second; length+signIn > 90*time.Second {
		t.Errorf("got %s of load and %s of signing in, want at most 90s", length, signIn)
	}
}

// 500 users make the 500 requests/s that peak is judged by as long as answers
// come within 150 ms on average; with 20 ms they make about 590.
func TestPeakRate(t *testing.T) {
	sc := open(t, "peak")
	for _, l := range []scenarios.Load{sc.Load, sc.Quick} {
		// A second more of the hold, so that each user's first request is not counted.
		hold, longer := l.Stages[1], l.Stages[1]
		longer.For += time.Second
		most := scenarios.Load{Model: l.Model, Stages: []scenarios.Stage{longer}}.Requests(sc.Journeys) -
			scenarios.Load{Model: l.Model, Stages: []scenarios.Stage{hold}}.Requests(sc.Journeys)
		if most < 590 || most > 610 {
			t.Errorf("got %.0f requests/s at most, want 590 to 610", most)
		}
		perTask := most * 0.85 / 500
		if at150 := 500 * perTask / (0.85 + perTask*0.150); at150 < 500 {
			t.Errorf("got %.0f requests/s with answers in 150 ms, want 500", at150)
		}
		if hold.For < 10*time.Second {
			t.Errorf("got a hold of %s, want at least 10s", hold.For)
		}
	}
}

// Every quantile that is asked of a built-in scenario gets the answers it needs
// at either pace, even from a system that answers in 150 ms: no sentence of ours
// is NO DATA by design.
func TestQuantilesGetTheirData(t *testing.T) {
	need := map[string]float64{"p50": 20, "p90": 100, "p95": 200, "p99": 1000, "p99.9": 10_000}
	for _, name := range scenarios.All() {
		sc := open(t, name)
		for _, s := range append(targets.Production(), sc.Targets...) {
			if need[s.Metric] == 0 || !s.Asked(name) || s.Step != "" {
				continue
			}
			for _, pace := range []string{"full", "quick"} {
				l := sc.At(pace)
				judged := scenarios.Load{Model: l.Model}
				for _, stage := range l.Stages {
					if s.During == "" && stage.Judged || s.During != "" && stage.Name == s.During {
						judged.Stages = append(judged.Stages, stage)
					}
				}
				n := (judged.Requests(sc.Journeys) - judged.Peak()) * 0.85 / (0.85 + 0.15)
				if n < need[s.Metric] {
					t.Errorf("%s at %s pace: %q gets %.0f answers, needs %.0f", name, pace, s.Text, n, need[s.Metric])
				}
			}
		}
	}
}
