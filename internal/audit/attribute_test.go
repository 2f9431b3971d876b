package audit

import (
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// What a probe that failed sent is not a second finding, wherever the invariants see it.
func TestViolationsOfAProbeThatFailed(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(1_000_000, 0).Add(time.Duration(ms) * time.Millisecond) }
	shown := func(ms ...int) (v limitcheck.Violation) {
		for _, one := range ms {
			v.Shown = append(v.Shown, limitcheck.Shown{At: at(one)})
		}
		return v
	}
	took := func(d time.Duration) Millis { return Millis(d) }
	findings := []Finding{
		{ID: "LK16", Status: Fail, Began: at(0), Took: took(time.Minute)}, // runs beside the others
		{ID: "LK17", Status: Fail, Began: at(1000), Took: took(50 * time.Millisecond)},
		{ID: "LK20", Status: Pass, Began: at(2000), Took: took(50 * time.Millisecond)},
	}
	violations := []limitcheck.Violation{shown(1001, 1049), shown(1001, 2010), shown(90_000), {}}
	attribute(violations, findings, "login")
	for i, want := range []string{"LK17", "LK16", "", ""} {
		if got := violations[i].Follows; got != want {
			t.Errorf("violation %d: got %q, want %q", i, got, want)
		}
	}
	// A limit that is broken throughout is told by the probe that is for it.
	findings = append(findings, Finding{ID: "LK2", Status: Fail, Began: at(5000)})
	violations = []limitcheck.Violation{shown(90_000), shown(1001), shown(90_000), shown(90_000)}
	violations[0].Rule, violations[0].Policy, violations[1].Rule, violations[1].Policy = "J1", "login", "J1", "api"
	violations[2].Rule, violations[2].Policy = "J4", "login"
	attribute(violations, findings, "login")
	for i, want := range []string{"LK2", "LK17", "", ""} {
		if got := violations[i].Follows; got != want {
			t.Errorf("violation %d: got %q, want %q", i, got, want)
		}
	}
}

// Where wrong passwords are answered as right ones, nobody knows how many counted: what was
// refused too early of them follows. Elsewhere it stands by itself.
func TestARefusalTooEarlyFollowsWrongAnswers(t *testing.T) {
	for id, want := range map[string]string{"LK1": "LK1", "LK2": ""} {
		violations := []limitcheck.Violation{{Rule: "J4", Policy: "login"}, {Rule: "J4", Policy: "api"}}
		attribute(violations, []Finding{{ID: id, Status: Fail}}, "login")
		if violations[0].Follows != want || violations[1].Follows != "" {
			t.Errorf("%s failed: got %q and %q, want %q and nothing", id, violations[0].Follows, violations[1].Follows, want)
		}
	}
}
