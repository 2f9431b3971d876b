package capacity

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Line is a step in one line.
func (s Step) Line() string {
	if s.Invalid != "" {
		return fmt.Sprintf("%8.4g/s  INVALID  %s", s.Rate, s.Invalid)
	}
	word := "meets"
	if !s.Meets {
		word = "MISSES"
	}
	cpu := "  –"
	if s.CPU != nil {
		cpu = fmt.Sprintf("%3.0f", 100**s.CPU)
	}
	line := fmt.Sprintf("%8.4g/s  %-7s  p95 %8s  errors %6.2f %%  goodput %7.4g/s  cpu %s %%  n %d",
		s.Rate, word, s.P95.Round(100*time.Microsecond), 100*s.Errors, s.Goodput, cpu, s.Requests)
	if len(s.Binding) > 0 {
		line += "  " + strings.Join(s.Binding, "; ")
	}
	return line
}

// ByRate are the steps, the lowest rate first.
func (o *Outcome) ByRate() []Step {
	return slices.SortedStableFunc(slices.Values(o.Steps), func(a, b Step) int { return cmp.Compare(a.Rate, b.Rate) })
}

// Write tells the outcome: the curve by rate, the bracket and what bound it, the
// knee, and how the system behaved past it.
func (o *Outcome) Write(w io.Writer) error {
	var b strings.Builder
	for _, s := range o.ByRate() {
		b.WriteString("  " + s.Line() + "\n")
	}
	b.WriteString("\n" + o.Answer() + "\n")
	for _, words := range o.Remarks() {
		b.WriteString(words + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Remarks are what is told beside the answer: the curve through the steps, and how the
// system behaved past the bracket.
func (o *Outcome) Remarks() (out []string) {
	if o.USL != nil {
		out = append(out, o.law())
	}
	if past := o.past(); past != "" {
		out = append(out, past)
	}
	return out
}

// law is the curve through the steps, which is no measurement.
func (o *Outcome) law() string {
	u := o.USL
	if why := o.doubt(); why != "" {
		return "the scalability law is left out: " + why
	}
	words := fmt.Sprintf("extrapolated, not measured, and whatever the targets: the scalability law through %d steps has its limit at %.4g requests/s (95 %%: %.4g to %.4g)",
		u.Points, u.Peak, u.Between[0], u.Between[1])
	if u.At > 0 {
		words += fmt.Sprintf(", with %.0f in the system", u.At)
	}
	return words + fmt.Sprintf("; σ %.3f, κ %.5f", u.Sigma, u.Kappa)
}

// mostMisfit is how far the curve may lie from the response times that were measured.
const mostMisfit = 0.25

// mostBeyond is how far past what was measured a curve may tell of a limit.
const mostBeyond = 2

// doubt is why the curve through the steps is not to be shown beside what was measured;
// "" when it agrees with it.
func (o *Outcome) doubt() string {
	u, most, sum, n := o.USL, 0.0, 0.0, 0
	for _, s := range o.Steps {
		if s.Invalid == "" && s.Goodput > 0 && s.Mean > 0 {
			off := math.Log(s.Mean.Seconds() / u.response(s.Goodput*s.Mean.Seconds()))
			most, sum, n = max(most, s.Goodput), sum+off*off, n+1
		}
	}
	misfit := math.Sqrt(sum / float64(max(1, n)))
	switch {
	case misfit > mostMisfit:
		return fmt.Sprintf("it misses the measured response times by %.0f %%", 100*math.Expm1(misfit))
	case u.Between[1] >= math.MaxFloat64:
		return "the steps do not bound it"
	case u.Between[1] < most:
		return fmt.Sprintf("its limit, %.4g requests/s, is below the %.4g that were measured", u.Peak, most)
	case u.Peak > mostBeyond*most:
		return fmt.Sprintf("its limit, %.4g requests/s, is more than twice the %.4g that were measured", u.Peak, most)
	}
	return ""
}

// Answer is the bracket in one line.
func (o *Outcome) Answer() string {
	bound := ""
	if len(o.Binding) > 0 {
		bound = ", bound by " + strings.Join(o.Binding, "; ")
	}
	switch {
	case o.Low > 0 && o.High > 0 && o.Open == "":
		return fmt.Sprintf("capacity: between %.4g and %.4g arrivals/s%s", o.Low, o.High, bound)
	case o.Low > 0 && o.High > 0:
		return fmt.Sprintf("capacity: at least %.4g arrivals/s, less than %.4g%s; NOT CONFIRMED: %s", o.Low, o.High, bound, o.Open)
	case o.Low > 0:
		return fmt.Sprintf("capacity: at least %.4g arrivals/s; %s", o.Low, o.Open)
	case o.Open != "":
		return "capacity: not found: " + o.Open + bound
	}
	return "capacity: nothing was measured"
}

// past says how the system behaved at rates that it could not carry: a limit
// that answers is orderly, a connection that breaks or hangs is not.
func (o *Outcome) past() string {
	var refused, broken float64
	n := 0
	for _, s := range o.Steps {
		if s.Invalid == "" && !s.Meets {
			refused, broken = max(refused, s.Refused), max(broken, s.Broken)
			n++
		}
	}
	switch {
	case n == 0:
		return ""
	case broken > 0:
		return fmt.Sprintf("past it: NOT ORDERLY: up to %.2f %% of requests got no proper answer (timeouts, broken connections), %.2f %% were refused", 100*broken, 100*refused)
	case refused > 0:
		return fmt.Sprintf("past it: orderly: up to %.2f %% of requests were refused by a limit, none was left without an answer", 100*refused)
	}
	return "past it: slower, and every request was answered; no limit turned any away"
}
