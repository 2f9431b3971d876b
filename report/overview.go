package report

import (
	"vitals/internal/measure"
	"vitals/targets"
)

// overview is one line per scenario.
func overview(d *Document) grid {
	g := grid{cols: []column{
		{title: "scenario", words: true}, {title: "verdict", words: true}, {title: "targets met"},
		{title: "requests"}, {title: "served"}, {title: "p95"}, {title: "errors"},
	}}
	for i := range d.Runs {
		r := &d.Runs[i]
		total := r.Result.Total(true, true)
		met := 0
		for _, v := range r.Verdicts {
			if v.Status == targets.Pass {
				met++
			}
		}
		g.rows = append(g.rows, []string{
			d.title(i), r.Verdict, count(int64(met)) + " of " + count(int64(len(r.Verdicts))), requests(r.Result, total.Counts.Sent),
			rate(total.Counts.Timely(), r.Result.Window), p95(r.Result, total), share(total.Counts.Errors, total.Counts.Judged()),
		})
	}
	return g
}

// requests are those of the judged window. Where that has none, those outside it show
// that something was sent, and answered or not.
func requests(r *measure.Result, judged int64) string {
	if all := r.Total(true, false).Counts.Sent; judged == 0 && all > 0 {
		return "0 (" + count(all) + " unjudged)"
	}
	return count(judged)
}

// p95 is that of the response time, with our own lag beside it where it is a relevant
// part.
func p95(r *measure.Result, total measure.StepResult) string {
	text := quantile(total.Response, 0.95)
	if d, ok := total.Response.Quantile(0.95); ok {
		if lag, relevant := r.Health.Own(d); relevant {
			text += " (own lag " + took(lag) + ")"
		}
	}
	return text
}
