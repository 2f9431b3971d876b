package observe

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"vitals/internal/measure"
)

// Cause is one gauge that rose together with p95, in words and in figures.
type Cause struct {
	Gauge       string  `json:"gauge"`
	Words       string  `json:"words"`       // a sentence for people
	Correlation float64 `json:"correlation"` // Spearman's, with p95 over the slices; 0.6 to 1
	Before      float64 `json:"before"`      // median of the gauge while p95 was at its usual
	During      float64 `json:"during"`      // and while it was high
	P95Before   float64 `json:"p95_before_us"`
	P95During   float64 `json:"p95_during_us"`
}

// What stands out: below these nothing is said.
const (
	fewestSlices   = 10   // slices with both figures
	highShare      = 4    // the slowest 1/4 of the slices are "high"
	leastRise      = 1.5  // of p95, of the high quarter over the low half
	leastRiseMs    = 5.0  // of p95, in milliseconds
	leastLink      = 0.6  // Spearman's correlation
	leastGaugeRise = 1.25 // of a gauge, of its value before
	mostCauses     = 3
)

// kind is what a gauge means for the response time.
type kind struct {
	name  string  // in sentences
	unit  string  // "ms", "%" or none
	rank  float64 // how near it is to a cause: what a request waits for, before what takes longer because others wait
	short float64 // value from which a resource is short; 0 = it has none such
}

// kinds are the gauges that may explain a slow answer. What grows with the load
// itself, or because requests wait (users, requests in flight, goroutines, memory,
// connections in use), is not among them.
var kinds = map[string]kind{
	"cpu":                       {"CPU", "%", 1.05, 0.60},
	"db_pool_acquire_ms":        {"the wait for a database connection", "ms", 1.10, 0},
	"redis_call_ms":             {"the time of a Redis call", "ms", 1.10, 0},
	"password_hash_queue_depth": {"the password hash queue", "", 1.10, 0},
	"password_hash_ms":          {"the time of a password hash", "ms", 0.95, 0},
	"gc_pause_ms":               {"garbage collection pauses", "ms", 0.80, 0},
	"rate_limit_degraded":       {"the rate limiter without Redis", "", 1.00, 0},
}

// leastPart is how much of p95's rise the rise of a wait must be to explain it: one
// request may wait several times, so it need not be all.
const leastPart = 0.1

// Attribute tells what rose together with p95: gauges of the same clock, ranked, each
// in a sentence that says by how much, what stayed flat, and how close the two moved.
// It is silent when p95 did not rise, or nothing moved with it. A correlation is no
// proof: the sentences say "rose together".
//
// The slices' p95 are compared with each gauge by Spearman's rank correlation
// (C. Spearman, "The proof and measurement of association between two things", 1904);
// the slowest quarter is set against the faster half.
func Attribute(s measure.Series) []Cause {
	var p95 []float64
	var served []measure.Slice
	for _, sl := range s.Slices {
		if sl.Counts.Served > 0 {
			p95, served = append(p95, sl.P95.Seconds()*1000), append(served, sl)
		}
	}
	if len(p95) < fewestSlices {
		return nil
	}
	low, high := halves(p95)
	before, during := median(pick(p95, low)), median(pick(p95, high))
	if during < leastRise*before || during-before < leastRiseMs {
		return nil
	}
	var out []Cause
	var flat []string
	for _, gauge := range gaugesOf(served) {
		k, ok := kinds[gauge]
		if !ok {
			continue
		}
		c, moved := beside95(gauge, k, served, p95, before, during)
		switch {
		case moved:
			out = append(out, c)
		case c.Gauge != "":
			flat = append(flat, strings.TrimPrefix(k.name, "the "))
		}
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(score(b), score(a)) })
	out = out[:min(len(out), mostCauses)]
	for i := range out {
		out[i].Words = out[i].sentence(kinds[out[i].Gauge], flat)
		flat = nil // said once
	}
	return out
}

// beside95 sets one gauge beside p95. The cause has a name when there is enough of the
// gauge to tell; moved says that it rose with p95.
func beside95(gauge string, k kind, all []measure.Slice, p95 []float64, before, during float64) (c Cause, moved bool) {
	var gs, ps []float64
	for i, sl := range all {
		if v, ok := sl.Gauges[gauge]; ok {
			gs, ps = append(gs, v), append(ps, p95[i])
		}
	}
	if len(gs) < fewestSlices {
		return Cause{}, false
	}
	low, high := halves(ps)
	c = Cause{
		Gauge: gauge, Correlation: spearman(gs, ps), Before: median(pick(gs, low)), During: median(pick(gs, high)),
		P95Before: before * 1000, P95During: during * 1000,
	}
	rose := c.During > c.Before*leastGaugeRise && c.During-c.Before > least(k.unit)
	explains := k.unit != "ms" || c.During-c.Before >= leastPart*(during-before)
	return c, rose && explains && c.During >= k.short && c.Correlation >= leastLink
}

// least is the rise below which a gauge has not moved, in its unit.
func least(unit string) float64 {
	switch unit {
	case "ms":
		return 1
	case "%":
		return 0.10
	}
	return 0.5
}

// score ranks causes: how close a gauge moved with p95, how near it is to a cause,
// and for a wait, how much of the rise its own could be.
func score(c Cause) float64 {
	k := kinds[c.Gauge]
	s := c.Correlation * k.rank
	if k.unit == "ms" {
		s *= 0.5 + 0.5*min(1, 2*(c.During-c.Before)*1000/(c.P95During-c.P95Before))
	}
	return s
}

func (c Cause) sentence(k kind, flat []string) string {
	words := fmt.Sprintf("p95 rose from %s to %s together with %s, from %s to %s (correlation %.2f)",
		millis(c.P95Before/1000), millis(c.P95During/1000), k.name, inUnit(c.Before, k.unit), inUnit(c.During, k.unit), c.Correlation)
	if len(flat) > 0 {
		words += "; flat stayed " + strings.Join(flat, ", ")
	}
	return words
}

func millis(v float64) string { return inUnit(v, "ms") }

func inUnit(v float64, unit string) string {
	switch unit {
	case "%":
		return fmt.Sprintf("%.0f%%", v*100)
	case "ms":
		if v >= 1000 {
			return fmt.Sprintf("%.3gs", v/1000)
		}
		return fmt.Sprintf("%.3gms", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func gaugesOf(all []measure.Slice) []string {
	names := map[string]bool{}
	for _, sl := range all {
		for name := range sl.Gauges {
			names[name] = true
		}
	}
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// halves are the places of the lower half of the values, and of the highest quarter.
func halves(vs []float64) (low, high []int) {
	order := make([]int, len(vs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(vs[a], vs[b]) })
	return order[:(len(vs)+1)/2], order[len(vs)-max(1, len(vs)/highShare):]
}

func pick(vs []float64, at []int) []float64 {
	out := make([]float64, len(at))
	for i, p := range at {
		out[i] = vs[p]
	}
	return out
}

func median(vs []float64) float64 {
	vs = slices.Sorted(slices.Values(vs))
	n := len(vs)
	if n == 0 {
		return 0
	}
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// spearman is the correlation of the values' ranks, equal values sharing theirs; 0
// where one of the two does not vary.
func spearman(a, b []float64) float64 {
	ra, rb := ranks(a), ranks(b)
	n := float64(len(a))
	var sa, sb, saa, sbb, sab float64
	for i := range ra {
		sa, sb = sa+ra[i], sb+rb[i]
		saa, sbb, sab = saa+ra[i]*ra[i], sbb+rb[i]*rb[i], sab+ra[i]*rb[i]
	}
	d := math.Sqrt((n*saa - sa*sa) * (n*sbb - sb*sb))
	if d == 0 {
		return 0
	}
	return (n*sab - sa*sb) / d
}

func ranks(vs []float64) []float64 {
	order := make([]int, len(vs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(vs[a], vs[b]) })
	out := make([]float64, len(vs))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && vs[order[j]] == vs[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			out[at] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}
