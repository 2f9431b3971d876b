package report

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"strings"
	"time"
)

var (
	//go:embed assets/live.html
	liveHTML string
	//go:embed assets/live.js
	liveJS string
)

var liveTemplate = template.Must(template.New("live").Parse(liveHTML))

// LivePage writes the page that shows a run while it lasts. It reads /events of the
// server that it came from, and nothing else.
func LivePage(w io.Writer) error {
	return liveTemplate.Execute(w, map[string]any{
		"CSP": policy("connect-src 'self'; ", liveJS), "PlotCSS": template.CSS(plotCSS), "CSS": template.CSS(pageCSS), "PlotJS": template.JS(plotJS), "JS": template.JS(liveJS),
	})
}

// liveEvent is a state of a run as the live page takes it. Times are seconds,
// latencies milliseconds; a null is no data.
type liveEvent struct {
	Scenario string      `json:"scenario"`
	Phase    string      `json:"phase"`
	Elapsed  float64     `json:"elapsed"`
	Total    float64     `json:"total"`
	Served   *float64    `json:"served"` // per second
	Planned  *float64    `json:"planned"`
	Users    int         `json:"users"`
	P50      *float64    `json:"p50"`
	P95      *float64    `json:"p95"`
	P99      *float64    `json:"p99"`
	Errors   *float64    `json:"errors"` // per second
	Facts    [][2]string `json:"facts"`
	Losing   []string    `json:"losing"`
}

// Event is the state as the live page's server sends it, in JSON.
func (n Now) Event() ([]byte, error) {
	e := liveEvent{Scenario: n.Scenario, Phase: n.Phase, Elapsed: n.Elapsed.Seconds(), Total: n.Total.Seconds(), Users: n.Users, Losing: n.lost()}
	if s, ok := n.latest(); ok {
		every := n.Snapshot.Every.Seconds()
		e.Served, e.Errors = new(rounded(float64(s.Counts.Served)/every)), new(rounded(float64(s.Counts.Errors)/every))
		if s.Counts.Served > 0 {
			ms := func(d time.Duration) *float64 { return new(rounded(d.Seconds() * 1000)) }
			e.P50, e.P95, e.P99 = ms(s.P50), ms(s.P95), ms(s.P99)
		}
	}
	if n.Rate > 0 {
		e.Planned = &n.Rate
	}
	c := n.Snapshot.Counts
	for _, f := range [][2]string{
		{"served", n.achieved()}, {"errors", strings.TrimPrefix(share(c.Errors, c.Judged()), "–")}, {"requests", count(c.Sent)},
		{"generator", n.generator()},
	} {
		if f[1] != "" {
			e.Facts = append(e.Facts, f)
		}
	}
	if n.Users > 0 {
		e.Facts = append(e.Facts, [2]string{"users", count(int64(n.Users))})
	}
	if n.Answers > 0 {
		e.Facts = append(e.Facts, [2]string{"limits", plural64(n.Violations, "violation") + " in " + plural64(n.Answers, "answer")})
	}
	return json.Marshal(e)
}

// EndEvent is the document's verdict as the live page's server sends it, in JSON.
func (d *Document) EndEvent() ([]byte, error) {
	return json.Marshal(map[string]any{"verdict": d.Verdict, "class": class(d.Verdict), "headline": headline(d)})
}
