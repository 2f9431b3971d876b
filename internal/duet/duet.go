// Package duet compares two builds by interleaved pairs of runs: A B, B A, A B…
// Whatever drifts or steps on the machine meanwhile meets both alike. It is the
// one comparison that may fail a build by itself. How a run is made is the
// caller's; when to stop, what to repeat and what to say is decided here.
package duet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
)

// Arm is one of the two builds.
type Arm string

// The arms, as baseline files name them.
const (
	Base Arm = "A"
	Cand Arm = "B"
)

// Slot is one run to make: a fresh start with fresh data, a warm-up that is not
// measured, then the measured window.
type Slot struct {
	Arm    Arm
	Pair   int // from 0
	Index  int // in the order of the whole duet, from 0
	Repeat int // of this pair, from 0
	Warmup time.Duration
	Seed   uint64 // the same for both runs of a pair
}

// Options of a duet.
type Options struct {
	Looks   stats.Looks
	Warmup  time.Duration
	Measure time.Duration
	Seed    uint64
	Session string // ID of both files
	Note    string
	Subject [2]baseline.Subject // as the user named them; what a run knows of itself is added
	Compare baseline.Options
	Fixed   bool // run all pairs of the last look, whatever the earlier ones say (qualification)

	// Qualified is asked once, when the environment is known from the first run.
	// Without a qualification that is still good the duet judges as ever, but
	// fails nothing. Nil is for a duet that is none of a gate's business.
	Qualified func(class string) (*Qualification, error)

	// Run makes one run and gives it as a baseline file of its own.
	Run func(ctx context.Context, s Slot) (*baseline.File, error)
	// Tell is called after every pair; nil is not.
	Tell func(Progress)
}

// Progress is the duet after a pair.
type Progress struct {
	Pairs, Of  int
	Comparison *baseline.Comparison // nil before there is anything to compare
	Word       string               // what happened to the pair, when it was repeated
}

// Outcome is a finished duet.
type Outcome struct {
	Base, Cand *baseline.File
	Comparison *baseline.Comparison
	Slots      int
	Repeated   int // pairs that were run again
}

// Bounds of what is repeated.
const (
	maxRepeats   = 2    // of a pair whose run is invalid
	maxExtension = 2    // of the warm-up, by its own length each
	maxInvalid   = 0.25 // share of invalid runs past which the whole is
	leastSlots   = 8    // before that share is looked at
)

// Play runs the duet to its verdict. When ctx ends, what was measured so far is
// given together with the context's error.
func Play(ctx context.Context, o Options) (*Outcome, error) {
	if err := o.Looks.Check(); err != nil {
		return nil, err
	}
	d := &duet{o: o, warmup: o.Warmup}
	for _, look := range o.Looks {
		for d.pairs < look {
			word, err := d.pair(ctx)
			if err != nil {
				d.finish()
				d.invalid(fmt.Sprintf("the duet was cut short after %d of %d pairs: %v", d.pairs, o.Looks.Max(), err))
				return &d.out, err
			}
			d.pairs++
			d.tell(word)
			if why := d.spoilt(); why != "" {
				d.finish()
				d.invalid(why)
				return &d.out, nil
			}
		}
		if !o.Fixed && d.out.Comparison != nil && d.out.Comparison.Verdict != baseline.OverallInconclusive {
			break
		}
	}
	d.finish()
	return &d.out, nil
}

// duet is one while it is played.
type duet struct {
	o       Options
	out     Outcome
	pairs   int
	slots   int
	bad     int // invalid runs
	warmup  time.Duration
	extends int
	unfit   string // why this gate may not fail a build
	gate    *baseline.Gate
}

// pair runs both arms next to each other, and both again when one is invalid.
// All runs are kept in the files; those that do not count say why.
func (d *duet) pair(ctx context.Context) (word string, err error) {
	order := [2]Arm{Base, Cand}
	if d.pairs%2 == 1 {
		order = [2]Arm{Cand, Base}
	}
	var words []string
	for repeat := 0; ; repeat++ {
		var runs [2]*baseline.File
		for i, arm := range order {
			f, err := d.o.Run(ctx, Slot{Arm: arm, Pair: d.pairs, Index: d.slots, Repeat: repeat, Warmup: d.warmup, Seed: d.o.Seed + uint64(d.pairs)})
			if err != nil {
				return strings.Join(words, "; "), fmt.Errorf("pair %d, build %s: %w", d.pairs+1, arm, err)
			}
			if err := d.qualify(f); err != nil {
				return "", err
			}
			d.place(f, arm)
			runs[i] = f
		}
		why, unsteady := faults(runs[:])
		if why != "" {
			spoil(runs[:], "the other run of its pair: "+why)
			d.bad++
		}
		again := why != "" && repeat < maxRepeats
		if why == "" && unsteady != "" && d.extends < maxExtension {
			d.extends++
			d.warmup += d.o.Warmup
			why, again = "warm-up: "+unsteady, true
			spoil(runs[:], "warm-up was too short: "+unsteady)
		}
		for i, arm := range order {
			d.keep(arm, runs[i])
		}
		if !again && why != "" {
			words = append(words, "left out: "+why)
		}
		if !again {
			return strings.Join(words, "; "), nil
		}
		d.out.Repeated++
		words = append(words, "repeated: "+why)
	}
}

// Class names the environment of a run, without the limits of the system under
// test: two builds may differ in those, and the machine's noise is the same.
func Class(f *baseline.File) string { return baseline.Class(f.Env.Machine()) }

// place numbers the runs of a slot.
func (d *duet) place(f *baseline.File, arm Arm) {
	for i := range f.Scenarios {
		for k := range f.Scenarios[i].Runs {
			r := &f.Scenarios[i].Runs[k]
			r.Arm, r.Pair, r.Slot = string(arm), d.pairs, d.slots
		}
	}
	d.slots++
	d.out.Slots = d.slots
}

// faults are the first reason why a run is invalid, and the first why one was
// not warm.
func faults(files []*baseline.File) (invalid, unsteady string) {
	for _, f := range files {
		for _, s := range f.Scenarios {
			for _, r := range s.Runs {
				if !r.Valid && invalid == "" {
					invalid = fmt.Sprintf("%s of build %s: %s", s.Name, r.Arm, r.Invalid)
				}
				if r.Unsteady != "" && unsteady == "" {
					unsteady = fmt.Sprintf("%s of build %s: %s", s.Name, r.Arm, r.Unsteady)
				}
			}
		}
	}
	return invalid, unsteady
}

// spoil takes the valid runs of a pair out of the comparison.
func spoil(files []*baseline.File, why string) {
	for _, f := range files {
		for i := range f.Scenarios {
			for k := range f.Scenarios[i].Runs {
				if r := &f.Scenarios[i].Runs[k]; r.Valid {
					r.Valid, r.Invalid = false, why
				}
			}
		}
	}
}

// keep adds a slot's runs to the file of its arm.
func (d *duet) keep(arm Arm, f *baseline.File) {
	into, subject := &d.out.Base, d.o.Subject[0]
	if arm == Cand {
		into, subject = &d.out.Cand, d.o.Subject[1]
	}
	if *into != nil {
		(*into).Take(f)
		return
	}
	f.Session.ID, f.Session.Note = d.o.Session, d.o.Note
	f.Subject = named(f.Subject, subject)
	f.Design = baseline.Design{
		Mode: baseline.ModeDuet, Order: "ABBA", Planned: d.o.Looks.Max(), Warmup: d.o.Warmup.Microseconds(), Measure: d.o.Measure.Microseconds(),
		Slice: f.Design.Slice, Looks: d.o.Looks, Alpha: d.o.Looks.Alpha(), Seed: d.o.Seed,
		Gate: d.gate,
	}
	*into = f
}

// compare judges what there is so far.
func (d *duet) compare(rates bool) {
	if d.out.Base == nil || d.out.Cand == nil {
		return
	}
	d.out.Base.Summarise()
	d.out.Cand.Summarise()
	opt := d.o.Compare
	opt.Rates = rates
	c, err := baseline.Compare(d.out.Base, d.out.Cand, opt)
	var not *baseline.NotComparable
	if errors.As(err, &not) {
		c = &baseline.Comparison{Old: baseline.SideOf(d.out.Base), New: baseline.SideOf(d.out.Cand), Verdict: baseline.OverallNotCompared, Reasons: []string{err.Error()}, Looks: d.o.Looks}
	}
	d.out.Comparison = c
}

func (d *duet) tell(word string) {
	d.compare(false)
	if d.o.Tell != nil {
		d.o.Tell(Progress{Pairs: d.pairs, Of: d.o.Looks.Max(), Comparison: d.out.Comparison, Word: word})
	}
}

// finish judges the whole, with the gate's own error rates. A gate that may not
// fail a build leaves the rows as they are and the whole undecided.
func (d *duet) finish() {
	d.compare(true)
	c := d.out.Comparison
	if d.unfit == "" || c == nil {
		return
	}
	c.CannotFail(d.unfit)
}

// spoilt says why the measurement as a whole is invalid.
func (d *duet) spoilt() string {
	if d.slots < leastSlots || float64(d.bad) <= maxInvalid*float64(d.slots)/2 {
		return ""
	}
	return fmt.Sprintf("%d of %d pairs were invalid, more than %.0f %%", d.bad, d.slots/2, 100*maxInvalid)
}

// invalid ends a duet without an answer: both files say why, to who compares them, and
// so does the comparison.
func (d *duet) invalid(why string) {
	for _, f := range []*baseline.File{d.out.Base, d.out.Cand} {
		if f != nil {
			g := baseline.Gate{}
			if d.gate != nil {
				g = *d.gate
			}
			g.Ended = why
			f.Design.Gate = &g
		}
	}
	if d.out.Comparison != nil {
		d.out.Comparison.Verdict, d.out.Comparison.Decides = baseline.OverallInvalid, ""
		d.out.Comparison.Reasons = append([]string{why}, firstReasons(d.out.Base, d.out.Cand)...)
	}
}

// firstReasons are why runs were invalid, each reason once.
func firstReasons(files ...*baseline.File) (out []string) {
	for _, f := range files {
		if f != nil {
			if why := f.InvalidRuns(); why != "" {
				out = append(out, why)
			}
		}
	}
	return out
}

// Spread is the standard deviation of the log ratios of a figure over the valid
// pairs, and those ratios, by "scenario metric".
func (o *Outcome) Spread() map[string][]float64 {
	out := map[string][]float64{}
	for name, d := range baseline.PairRatios(o.Base, o.Cand) {
		if len(d) >= 2 && !math.IsNaN(stats.SD(d)) {
			out[name] = d
		}
	}
	return out
}

// named is what a run knows of its build, with what the user called it.
func named(own, user baseline.Subject) baseline.Subject {
	if user.Ref != "" {
		own.Ref = user.Ref
	}
	if user.GitRev != "" {
		own.GitRev, own.Dirty = user.GitRev, user.Dirty
	}
	return own
}
