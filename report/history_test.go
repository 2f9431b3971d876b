package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline/history"
)

// forty nights of p95 around 200 ms, 15 % slower from the 20th on.
func nights(t *testing.T) *history.Store {
	t.Helper()
	h, err := history.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		mean := math.Log(200_000) + 0.02*math.Sin(float64(i*i))
		if i >= 20 {
			mean += math.Log(1.15)
		}
		h.Nights = append(h.Nights, history.Night{
			Session: fmt.Sprintf("s<%d>", i), Time: time.Date(2026, 9, 1+i, 3, 0, 0, 0, time.UTC), Rev: fmt.Sprintf("%012d", i),
			Class: "c1", Scenario: "normal", Load: "l", Metric: "p95", Mean: mean, Sd: 0.02, K: 3,
		})
	}
	return h
}

func TestHistoryHTML(t *testing.T) {
	h := nights(t)
	render := func() string {
		var b strings.Builder
		if err := HistoryHTML(&b, h, h.Series()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	page := render()
	for _, want := range []string{"40 sessions, 2026-09-01 to 2026-10-10", "change &#43;15", "CHANGE &#43;15", "s&lt;20&gt;", " ms</td>", `<circle class="c0"`} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#43;", "+")) {
			t.Errorf("no %q on the page", want)
		}
	}
	if got := strings.Count(page, "<circle"); got != 40 {
		t.Errorf("got %d nights drawn, want 40", got)
	}
	if strings.Contains(page, "s<20>") || strings.Contains(page, "<script") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("an unescaped name, a script or an address on the page")
	}
	for i := range h.Nights[30:] { // the next level is another change
		h.Nights[30+i].Mean += math.Log(1.15)
	}
	h.Accepted = []history.Accepted{{Session: "s<20>", Reason: "encryption at rest"}}
	page = render()
	for _, want := range []string{"accepted +15", ": encryption at rest", "change +15"} {
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), want) {
			t.Errorf("accepted: no %q on the page", want)
		}
	}
}
