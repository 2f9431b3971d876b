package report

import (
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"vitals/internal/measure"
	"vitals/targets"
)

// OpenMetrics renders the figures of the judged windows as gauges: GitLab shows
// such a file beside a merge request. A figure that there is not has no line.
func OpenMetrics(w io.Writer, d *Document) error {
	reg := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	var (
		p50      = gauge("vitals_response_p50_seconds", "Median response time from the due time, judged window; step is empty for all honest steps.", "scenario", "step")
		p95      = gauge("vitals_response_p95_seconds", "95th percentile of the response time, judged window.", "scenario", "step")
		p99      = gauge("vitals_response_p99_seconds", "99th percentile of the response time, judged window.", "scenario", "step")
		rps      = gauge("vitals_served_per_second", "Requests served per second, judged window.", "scenario")
		errors   = gauge("vitals_error_ratio", "Share of the requests that did not go as expected.", "scenario")
		requests = gauge("vitals_requests", "Requests sent in the judged window.", "scenario")
		met      = gauge("vitals_target_met", "1 where a target was met, 0 where it was missed or has no data.", "scenario", "target")
		facts    = gauge("vitals_fact", "Figures that are no latency, as the document names them.", "scenario", "name")
		passed   = gauge("vitals_passed", "1 where the verdict is PASS.")
		verdict  = gauge("vitals_verdict", "1 for the verdict of the whole.", "verdict")
	)
	for i := range d.Runs {
		r := &d.Runs[i]
		name := strip(d.title(i))
		total := r.Result.Total(true, true)
		steps := map[string]*measure.Histogram{"": total.Response}
		for _, s := range r.Result.Steps(true) {
			if !s.Step.Intruder {
				steps[s.Step.Name] = s.Response
			}
		}
		for step, h := range steps {
			for q, g := range map[float64]*prometheus.GaugeVec{0.50: p50, 0.95: p95, 0.99: p99} {
				if v, ok := h.Quantile(q); ok {
					g.WithLabelValues(name, strip(step)).Set(v.Seconds())
				}
			}
		}
		requests.WithLabelValues(name).Set(float64(total.Counts.Sent))
		if total.Counts.Sent > 0 {
			errors.WithLabelValues(name).Set(float64(total.Counts.Errors) / float64(max(1, total.Counts.Judged())))
		}
		if r.Result.Window > 0 {
			rps.WithLabelValues(name).Set(float64(total.Counts.Timely()) / r.Result.Window.Seconds())
		}
		for _, v := range r.Verdicts {
			g := met.WithLabelValues(name, strip(v.Target.Text))
			if g.Set(0); v.Status == targets.Pass {
				g.Set(1)
			}
		}
		for _, f := range r.Result.Facts {
			facts.WithLabelValues(name, strip(f.Name)).Set(f.Value)
		}
	}
	verdict.WithLabelValues(strip(d.Verdict)).Set(1)
	if g := passed.WithLabelValues(); d.Verdict == Pass {
		g.Set(1)
	}
	families, err := reg.Gather()
	if err != nil {
		return fmt.Errorf("write OpenMetrics: %w", err)
	}
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return fmt.Errorf("write OpenMetrics: %w", err)
		}
	}
	if c, ok := enc.(expfmt.Closer); ok {
		return c.Close()
	}
	return nil
}

// secondsOf is a quantile in seconds, or "" of nothing.
func secondsOf(h *measure.Histogram, q float64) string {
	d, ok := h.Quantile(q)
	if !ok {
		return ""
	}
	return plainSeconds(d)
}

func plainSeconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
