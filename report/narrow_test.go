package report

import (
	"strings"
	"testing"
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
