// Package capacity searches for the highest rate at which a system still meets
// its targets. How a rate is measured is the caller's; which rate comes next, and
// when the answer is sure enough, is decided here.
package capacity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Step is one measurement at one rate.
type Step struct {
	Rate     float64       `json:"rate"`              // arrivals a second
	Meets    bool          `json:"meets"`             // every target
	Binding  []string      `json:"binding,omitempty"` // the targets that were missed, or what showed that the system fell behind
	Invalid  string        `json:"invalid,omitempty"` // why it measured something else; then nothing else counts
	Goodput  float64       `json:"goodput"`           // requests a second that went as expected
	P95      time.Duration `json:"p95_ns"`
	Mean     time.Duration `json:"mean_ns"`
	Errors   float64       `json:"errors"`  // share of requests
	Refused  float64       `json:"refused"` // share of requests that a limit turned away
	Broken   float64       `json:"broken"`  // share of requests without a proper answer: timeouts, resets
	CPU      *float64      `json:"cpu,omitempty"`
	Requests int64         `json:"requests"`
}

// Options of a search.
type Options struct {
	Start     float64 // first rate
	Max       float64 // never above it; 0 = 1 000 000
	Least     float64 // not below it, unless Start is; 0 = 0.5
	Precision float64 // of the bracket: 0.05 is 5 %
	Confirm   int     // measurements that each end of the bracket rests on
	Measure   func(ctx context.Context, rate float64) (Step, error)
	Tell      func(Step) // after every measurement; nil is not
}

// Outcome is what a search found.
type Outcome struct {
	Low     float64  `json:"low"`  // highest rate that meets the targets; 0 when none did
	High    float64  `json:"high"` // lowest rate that does not; 0 when none was found
	Binding []string `json:"binding,omitempty"`
	Open    string   `json:"open,omitempty"` // why the bracket has no other end
	Steps   []Step   `json:"steps"`          // in the order they were taken
	USL     *USL     `json:"usl,omitempty"`
}

// Bounds of a search.
const (
	maxSteps   = 60
	maxInvalid = 3 // measurements at one rate
	lowestRate = 0.5
	defaultMax = 1e6
)

// Check says what is wrong with the options.
func (o Options) Check() error {
	var errs []error
	// NaN is in no order: a bound must be asked for, not looked past.
	if !(o.Max >= 0) || math.IsInf(o.Max, 0) {
		errs = append(errs, fmt.Errorf("highest rate %g: want a rate, or 0 for no bound", o.Max))
	}
	if !(o.Start >= lowestRate && o.Start <= cmp.Or(o.Max, defaultMax)) {
		errs = append(errs, fmt.Errorf("start at %g: want a rate from %g up to the maximum", o.Start, lowestRate))
	}
	if !(o.Precision >= 0.005 && o.Precision <= 1) {
		errs = append(errs, fmt.Errorf("precision %g: want 0.005 to 1", o.Precision))
	}
	if o.Confirm < 1 {
		errs = append(errs, errors.New("each end of the bracket needs one measurement at least"))
	}
	return errors.Join(errs...)
}

// Search doubles the rate until a target is missed, bisects until the bracket is
// narrow enough, and measures both ends again: a rate counts as met when more
// than half of its measurements meet every target. When ctx ends, the steps so
// far are given with the error.
func Search(ctx context.Context, o Options) (*Outcome, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &search{o: o}
	s.o.Max, s.o.Least = cmp.Or(o.Max, defaultMax), max(o.Least, lowestRate)
	for len(s.out.Steps) < maxSteps {
		rate, done := s.next()
		if done {
			break
		}
		step, err := o.Measure(ctx, rate)
		if err != nil {
			s.conclude()
			s.out.Open = fmt.Sprintf("the search was cut short at %.4g/s", rate)
			return &s.out, fmt.Errorf("at %.4g/s: %w", rate, err)
		}
		step.Rate = rate
		s.out.Steps = append(s.out.Steps, step)
		if o.Tell != nil {
			o.Tell(step)
		}
	}
	s.conclude()
	return &s.out, nil
}

type search struct {
	o   Options
	out Outcome
}

// next is the rate to measure, or that the search is over.
func (s *search) next() (rate float64, done bool) {
	if rate, why := s.invalid(); why != "" {
		if s.count(rate, true) >= maxInvalid {
			return 0, true
		}
		return rate, false
	}
	low, high := s.bracket()
	switch {
	case low == 0 && high == 0:
		return s.o.Start, false
	case high == 0 && low >= s.o.Max:
		return s.confirm(low)
	case high == 0:
		return min(2*low, s.o.Max), false
	case low == 0 && high/2 < s.o.Least:
		return s.confirm(high)
	case low == 0:
		return high / 2, false
	case high/low > 1+s.o.Precision:
		return round(math.Sqrt(low * high)), false
	}
	if rate, done := s.confirm(low); !done {
		return rate, false
	}
	return s.confirm(high)
}

// round keeps rates readable, and different ones apart.
func round(rate float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(rate))-3)
	return math.Round(rate/unit) * unit
}

func (s *search) confirm(rate float64) (float64, bool) {
	return rate, s.count(rate, false) >= s.o.Confirm
}

// invalid is the rate of the last step, if it measured something else and its
// rate has no valid step yet.
func (s *search) invalid() (rate float64, why string) {
	n := len(s.out.Steps)
	if n == 0 || s.out.Steps[n-1].Invalid == "" {
		return 0, ""
	}
	return s.out.Steps[n-1].Rate, s.out.Steps[n-1].Invalid
}

func (s *search) count(rate float64, invalid bool) (n int) {
	for _, step := range s.out.Steps {
		if step.Rate == rate && (step.Invalid != "") == invalid {
			n++
		}
	}
	return n
}

// meets says whether most measurements at a rate met the targets.
func (s *search) meets(rate float64) bool {
	met, n := 0, 0
	for _, step := range s.out.Steps {
		if step.Rate == rate && step.Invalid == "" {
			n++
			if step.Meets {
				met++
			}
		}
	}
	return 2*met > n
}

// bracket are the lowest rate that misses a target, and the highest below it
// that meets all; 0 for an end that is not known.
func (s *search) bracket() (low, high float64) {
	for _, step := range s.out.Steps {
		if step.Invalid == "" && !s.meets(step.Rate) && (high == 0 || step.Rate < high) {
			high = step.Rate
		}
	}
	for _, step := range s.out.Steps {
		if step.Invalid == "" && s.meets(step.Rate) && (high == 0 || step.Rate < high) {
			low = max(low, step.Rate)
		}
	}
	return low, high
}

// conclude sets the bracket, what bound it, and the curve through the steps.
func (s *search) conclude() {
	o := &s.out
	o.Low, o.High = s.bracket()
	for _, step := range o.Steps {
		if step.Rate == o.High && step.Invalid == "" {
			for _, b := range step.Binding {
				if !slices.Contains(o.Binding, b) {
					o.Binding = append(o.Binding, b)
				}
			}
		}
	}
	rate, why := s.invalid()
	switch {
	case why != "":
		o.Open = fmt.Sprintf("%.4g/s could not be measured: %s", rate, why)
	case len(o.Steps) >= maxSteps:
		o.Open = fmt.Sprintf("no agreement after %d measurements: the system's limit moves", maxSteps)
	case o.High == 0 && o.Low > 0:
		o.Open = fmt.Sprintf("every target is met up to %.4g/s, the highest rate that was allowed", o.Low)
	case o.Low == 0 && o.High > 0:
		o.Open = fmt.Sprintf("no rate down to %.4g/s meets the targets", o.High)
	}
	o.USL = Fit(o.Steps)
}
