package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vitals/internal/baseline"
	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/report"
)

// earlier is what a session is held against at its end; read before anything is
// started.
type earlier struct {
	old     *baseline.File // nil = nothing to compare with
	history *history.Store // nil = none
}

// readAgainst reads the baseline and the history that were named.
func (o Options) readAgainst() (a earlier, err error) {
	if o.Member != "" && o.Baseline+o.History != "" {
		return a, fmt.Errorf("--member excludes --baseline and --history: what the members measured is compared when it is merged")
	}
	var errs []error
	if o.Baseline != "" {
		if a.old, err = baseline.Open(o.Baseline); err != nil {
			errs = append(errs, fmt.Errorf("--baseline: %w", err))
		}
	}
	if o.History != "" {
		if a.history, err = history.Open(o.History); err != nil {
			errs = append(errs, fmt.Errorf("--history: %w", err))
		}
	}
	return a, errors.Join(errs...)
}

// compare sets a whole session beside what it is held against. A figure that is worse
// fails it; files that cannot be compared leave no answer to what was asked.
func (ses *session) compare(ctx context.Context) {
	a, d := ses.p.against, ses.doc
	now := Baseline(d)
	if a.history != nil {
		d.History = report.HistoryOf(a.history, now)
	}
	if a.old == nil {
		return
	}
	o := gate.Options{History: ses.p.o.History, Policy: gate.Warn}
	c, err := o.Compare(ctx, a.old, now)
	if err != nil {
		lower(d, report.NoData, exit.NoAnswer, "not compared with the baseline: "+err.Error())
		return
	}
	d.Comparison = c
	switch code := o.Policy.Exit(c.Verdict); code {
	case exit.Pass:
	case exit.Fail:
		lower(d, report.Fail, code, prefixed("compared with the baseline: ", c.Reasons)...)
	default:
		lead := "compared with the baseline: "
		if c.Verdict == baseline.OverallNotCompared {
			lead = "not compared with the baseline: "
		}
		lower(d, report.NoData, code, lead+strings.Join(c.Reasons, "; "))
	}
}

// lower gives a document a verdict, unless the one that it has is weightier, and the
// reasons in any case.
func lower(d *report.Document, verdict string, code int, reasons ...string) {
	if worse(verdict, d.Verdict) {
		d.Verdict, d.Exit = verdict, code
	}
	d.Reasons = append(d.Reasons, reasons...)
}

func prefixed(lead string, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = lead + l
	}
	return out
}
