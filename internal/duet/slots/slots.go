// Package slots makes the runs of a duet with the harness: each a fresh start of
// the arm's build, with fresh data, in a folder of its own.
package slots

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"vitals/internal/baseline"
	"vitals/internal/duet"
	"vitals/internal/harness"
	"vitals/report"
)

// Build is one of the two versions, where it can be started or reached: a
// program, an image, or the URL of a deployment that is up.
type Build struct {
	Subject baseline.Subject // as the user named it
	Binary  string           // path of a vitals program; "" = not one
	Image   string           // API image; with the container stack
	URL     string
}

// Runner makes runs.
type Runner struct {
	Options    harness.Options // what both arms share
	Base, Cand Build
	Measure    harness.Window // Warmup is the slot's
	Kill       context.Context
	Out        string // folder that gets slots/NN-A and so on
	last       *report.Document
}

// Run makes the run of a slot.
func (r *Runner) Run(ctx context.Context, s duet.Slot) (*baseline.File, error) {
	o, b := r.Options, r.Base
	if s.Arm == duet.Cand {
		b = r.Cand
	}
	o.Out = filepath.Join(r.Out, "slots", fmt.Sprintf("%02d-%s", s.Index+1, s.Arm))
	o.Seed = s.Seed
	w := r.Measure
	w.Warmup = s.Warmup
	o.Window = &w
	o.URL = b.URL
	o.Binary = cmp.Or(b.Binary, o.Binary)
	o.Images.API = cmp.Or(b.Image, o.Images.API)
	d, err := harness.Quiet(ctx, r.Kill, o)
	if err != nil {
		return nil, err
	}
	r.last = d
	return harness.Baseline(d), nil
}

// Document is a comparison with what is known of where it was made; it holds no
// runs, which stand in the baseline files.
func (r *Runner) Document(c *baseline.Comparison) *report.Document {
	d := &report.Document{Schema: report.Schema, Tool: r.Options.Tool, Command: r.Options.Command, Note: r.Options.Note}
	if r.last != nil {
		d.Created, d.Stack, d.Machine, d.Limits, d.Deviations = r.last.Created, r.last.Stack, r.last.Machine, r.last.Limits, r.last.Deviations
	}
	d.Comparison, d.Reasons = c, c.Reasons
	return d
}
