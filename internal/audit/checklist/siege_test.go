package checklist

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/harness"
	"vitals/internal/machine"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// What the probe asks for is a run that can be read, and its accounts are the
// target's ordinary ones.
func TestSiegeRun(t *testing.T) {
	g := &audit.Target{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Accounts: []audit.Account{
		{Email: "a@x.example", Password: `p,"w`}, {Email: "boss@x.example", Password: "b", Role: "admin"},
	}}
	for i := range 2200 {
		g.Accounts = append(g.Accounts, audit.Account{Email: fmt.Sprintf("b%d@x.example", i), Password: "c"})
	}
	for _, quick := range []bool{false, true} {
		opt, err := siegeRun(t.TempDir(), g, quick)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := harness.Read(opt); err != nil {
			t.Errorf("quick %v: %v", quick, err)
		}
		list, err := harness.ReadAccounts(opt.Accounts)
		if err != nil || len(list) != 2201 || list[0].Password != `p,"w` {
			t.Errorf("got %d accounts, %v, want the 2201 ordinary ones", len(list), err)
		}
		if info, err := os.Stat(opt.Accounts); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the accounts' file: %v, %v, want it for nobody else", info.Mode(), err)
		}
	}
}

// A run that was invalid, or that lacks a figure, proves nothing; one that missed a
// target says which.
func TestSieged(t *testing.T) {
	ok := targets.Verdict{Target: targets.Target{Text: "p95 < 300ms"}, Status: targets.Pass}
	bad, none := ok, ok
	bad.Status, none.Status = targets.Fail, targets.NoData
	run := func(verdict string, why []string, vs ...targets.Verdict) report.Run {
		return report.Run{Verdict: verdict, Verdicts: vs, Result: &measure.Result{Health: measure.Health{Invalid: why}}}
	}
	felt := func(cpu float64) report.Run {
		r := run(report.Fail, nil, bad)
		r.Result.Began, r.Result.Series.Every = time.Unix(1000, 0), time.Second
		r.Result.Phases = []measure.PhaseResult{{Phase: measure.Phase{Name: "attacked", To: 6 * time.Second}}, {Phase: measure.Phase{Name: "quiet", From: 6 * time.Second, To: 9 * time.Second}}}
		for at := range 9 {
			s := measure.Slice{At: time.Duration(at) * time.Second, P95: 50 * time.Millisecond, Gauges: map[string]float64{"cpu": cpu}}
			if at >= 2 { // quick, or nobody's business
				s.P95, s.Gauges = time.Duration(at)*time.Millisecond, map[string]float64{"cpu": 0.1}
			}
			r.Result.Series.Slices = append(r.Result.Series.Slices, s)
		}
		return r
	}
	busy := func(share float64) (out []machine.Reading) {
		for n := range 18 {
			x := machine.Reading{At: time.Unix(1000, int64(n+1)*5e8), Busy: share}
			if n > 4 { // where it was quick
				x.Busy = 1 - share
			}
			out = append(out, x)
		}
		return out
	}
	for _, c := range []struct {
		name                   string
		r                      report.Run
		busy                   []machine.Reading
		held, missed, unproved int
	}{
		{"held", run(report.Pass, nil, ok, ok), nil, 2, 0, 0},
		{"missed", run(report.Fail, nil, ok, bad), nil, 1, 1, 0},
		{"no data", run(report.NoData, nil, ok, none), nil, 1, 0, 1},
		{"invalid", run(report.Invalid, []string{"lag"}, ok), nil, 1, 0, 1},
		{"no processor left for the API", felt(0.4), busy(0.99), 0, 1, 1},
		{"the API took the processors itself", felt(0.9), busy(0.99), 0, 1, 0},
		{"processors to spare", felt(0.4), busy(0.7), 0, 1, 0},
		{"nobody knows", felt(0.4), nil, 0, 1, 0},
	} {
		s := sieged(c.r, c.busy)
		if len(s.Held) != c.held || len(s.Missed) != c.missed || len(s.Unproved) != c.unproved {
			t.Errorf("%s: got %+v", c.name, s)
		}
		if strings.Contains(strings.Join(s.Missed, ""), "PASS") {
			t.Errorf("%s: a target that held was told missed: %v", c.name, s.Missed)
		}
	}
}
