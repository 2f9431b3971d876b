package report

import (
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/targets"
)

// A page too narrow for a table names its rows so that each is told from the others.
func TestNarrowRowsAreToldApart(t *testing.T) {
	cols := []column{{title: "scenario", words: true}, {title: "requests"}}
	rows := [][]string{{"checkout-of-the-east", "100"}, {"checkout-of-the-west", "200"}}
	for width := 24; width < 60; width++ {
		p := page{Style: Style{Width: width}}
		p.table(cols, rows)
		text := strings.Join(strings.Fields(p.String()), "")
		if p.err != nil || !strings.Contains(text, "the-e") || !strings.Contains(text, "the-w") {
			t.Errorf("%d columns: %v\n%s", width, p.err, p.String())
		}
	}
	p := page{Style: Style{Width: 26}}
	if p.table(cols, [][]string{{"normal-of-a-clinic", "1"}, {"peak", "2"}}); !strings.Contains(p.String(), "normal-o") || !strings.Contains(p.String(), "…") {
		t.Errorf("got %s, want names that differ cut short", p.String())
	}
}

// Why a load did not begin comes first and whole, however many targets have no data for it.
func TestTheWeightiestReasonComesFirst(t *testing.T) {
	why := "desk: the load did not begin: sign in account 4 of 90 before the load: " + strings.Repeat("want any 2xx, ", 3) + "got 503: busy"
	d := &Document{Verdict: NoData, Reasons: []string{why}, Runs: []Run{{Verdict: NoData, Result: &measure.Result{Scenario: "desk"}}}}
	for _, text := range []string{"p50 < 1s", "p95 < 1s", "p99 < 1s", "errors < 1%", "failed < 1%", "refused < 1%", "rps > 1", "max < 9s", "mean < 1s"} {
		asked, err := targets.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		v := targets.Verdict{Target: asked, Status: targets.NoData, Note: "nothing was measured"}
		d.Runs[0].Verdicts = append(d.Runs[0].Verdicts, v)
		d.Reasons = append(d.Reasons, "desk: "+v.String())
	}
	p := page{Style: Style{Width: 100}}
	p.missed(d)
	said := strings.Join(strings.Fields(p.String()), " ")
	if !strings.HasPrefix(said, "! "+why) || strings.Count(said, "?") != 9 {
		t.Errorf("got\n%s", p.String())
	}
}
