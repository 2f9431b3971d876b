package observe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vitals/internal/measure"
)

// Cause is one of the system's own figures that explains slow answers, in words and
// in figures.
type Cause struct {
	Gauge       string  `json:"gauge"`
	Words       string  `json:"words"`       // a sentence for people
	Correlation float64 `json:"correlation"` // Spearman's, of the gauge with p95 over the slices
	Before      float64 `json:"before"`      // median of the gauge in the faster half of the slices
	During      float64 `json:"during"`      // and in the slowest quarter
	P95Before   float64 `json:"p95_before_us"`
	P95During   float64 `json:"p95_during_us"`
	Share       float64 `json:"share,omitempty"` // of the time inside the server that it accounts for, 0 to 1; 0 = not accounted

	score float64 // causes are ranked by it
}

// What stands out: below these nothing is said.
const (
	fewestSlices   = 10   // slices with both figures
	highShare      = 4    // the slowest 1/4 of the slices are "high"
	leastRise      = 1.5  // of p95, of the high quarter over the low half
	leastRiseMs    = 5.0  // of p95, in milliseconds
	leastLink      = 0.6  // Spearman's correlation, of what is not accounted for
	leastGaugeRise = 1.25 // of a gauge, of its value before
	leastShare     = 0.5  // of the longer time inside the server: less is a symptom among others
	mostShare      = 0.75 // of it: no other cause is left
	mostCauses     = 3

	levelP95   = 20.0 // ms: of faster answers nobody asks why they are slow
	levelCall  = 5.0  // ms: a wait or call that takes so long on average is not well
	levelShare = 0.25 // of the time inside the server
	levelCPU   = 0.9  // of the cores it may use
	fullCPU    = 0.85 // of the cores it may use: everything else takes longer because of it
	throttled  = 0.25 // of the periods: a processor limit that is felt
	waitedCPU  = 0.5  // of the time that it was ready to run: everything takes twice as long
)

// kind is what a gauge means for the response time.
type kind struct {
	name  string  // in sentences
	unit  string  // "ms", "%" or none
	part  string  // gauge of what it takes of a request; "" = it is no part of a request's time
	rank  float64 // how near it is to a cause: what a request waits for, before what takes longer because others wait
	short float64 // value from which a resource is short; 0 = it has none such
}

// kinds are the gauges that may explain a slow answer. What grows with the load
// itself, or because requests wait (users, requests in flight, goroutines, memory,
// connections in use), is not among them.
var kinds = map[string]kind{
	"cpu":                       {"CPU", "%", "", 1.05, 0.60},
	"cpu_throttled":             {"the time for which the processor limit stopped it", "%", "", 1.10, throttled},
	"cpu_wait":                  {"the wait for a processor, of the time that it was ready to run", "%", "", 1.05, waitedCPU},
	"db_pool_acquire_ms":        {"the wait for a database connection", "ms", "request_db_wait_ms", 1.10, 0},
	"redis_call_ms":             {"the time of a Redis call", "ms", "request_redis_ms", 1.10, 0},
	"password_hash_wait_ms":     {"the wait for a turn to hash a password", "ms", "request_hash_wait_ms", 1.10, 0},
	"password_hash_queue_depth": {"the password hash queue", "", "", 1.10, 0},
	"password_hash_ms":          {"the time of a password hash", "ms", "", 0.95, 0},
	"pg_lock_waits":             {"the sessions that wait for a lock in Postgres", "", "", 1.05, 0},
	"gc_pause_ms":               {"garbage collection pauses", "ms", "", 0.80, 0},
	"rate_limit_degraded":       {"the rate limiter without Redis", "", "", 1.00, 0},
}

// leastPart is how much of p95's rise the rise of a wait must be to explain it: one
// request may wait several times, so it need not be all.
const leastPart = 0.1

// run is what is known of the slices of a run that served anything.
type run struct {
	slices         []measure.Slice
	p95            []float64 // ms
	low, high      []int     // the faster half, the slowest quarter
	before, during float64   // p95 there
}

// Attribute tells which of the system's own figures explain slow answers, ranked,
// each in a sentence. Two questions are asked. When p95 rose within the run: what
// rose with it? When it did not, and is slow throughout: where did the time go?
//
// Where the page says what requests took inside the server, a wait is held against
// that time: its share is accounting, not correlation. A processor at its limit comes
// first, because everything takes longer then. All else is compared by Spearman's
// rank correlation (C. Spearman, "The proof and measurement of association between
// two things", 1904), the slowest quarter of the slices against the faster half.
//
// It is silent when nothing stands out.
func Attribute(s measure.Series) []Cause {
	var r run
	for _, sl := range s.Slices {
		if sl.Counts.Served > 0 {
			r.p95, r.slices = append(r.p95, sl.P95.Seconds()*1000), append(r.slices, sl)
		}
	}
	if len(r.p95) < fewestSlices {
		return nil
	}
	r.low, r.high = halves(r.p95)
	r.before, r.during = median(pick(r.p95, r.low)), median(pick(r.p95, r.high))
	var out []Cause
	if r.during >= leastRise*r.before && r.during-r.before >= leastRiseMs {
		out = r.rising()
	}
	if len(out) == 0 && median(r.p95) >= levelP95 {
		out = r.lasting()
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(b.score, a.score) })
	return out[:min(len(out), mostCauses)]
}

// rising are the figures that rose with p95.
func (r run) rising() (out []Cause) {
	var flat []string
	for _, gauge := range gaugesOf(r.slices) {
		k, ok := kinds[gauge]
		if !ok || gauge == "password_hash_queue_depth" && r.has("request_hash_wait_ms") {
			continue // the wait says the same, in time
		}
		c, enough := r.beside95(gauge)
		if !enough {
			continue
		}
		if r.moved(&c, k) {
			out = append(out, c)
		} else if c.During <= c.Before*leastGaugeRise {
			flat = append(flat, strings.TrimPrefix(k.name, "the "))
		}
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(b.score, a.score) })
	for i := range out {
		out[i].Words = out[i].rose(kinds[out[i].Gauge], flat)
		flat = nil // said once
	}
	return out
}

// beside95 sets one gauge beside p95; enough says that there is enough of it to tell.
func (r run) beside95(gauge string) (c Cause, enough bool) {
	gs, ps := r.pairs(gauge)
	if k := kinds[gauge]; k.part != "" && r.has(k.part) { // known of every second, though not always there was one
		return Cause{
			Gauge: gauge, Correlation: spearman(r.pairs(k.part)), Before: r.at(gauge, r.low), During: r.at(gauge, r.high),
			P95Before: r.before * 1000, P95During: r.during * 1000,
		}, true
	}
	if len(gs) < fewestSlices {
		return Cause{}, false
	}
	low, high := halves(ps)
	return Cause{
		Gauge: gauge, Correlation: spearman(gs, ps), Before: median(pick(gs, low)), During: median(pick(gs, high)),
		P95Before: r.before * 1000, P95During: r.during * 1000,
	}, true
}

// pairs are the values of a gauge, and p95 of the same slices.
func (r run) pairs(gauge string) (gs, ps []float64) {
	for i, sl := range r.slices {
		if v, ok := sl.Gauges[gauge]; ok {
			gs, ps = append(gs, v), append(ps, r.p95[i])
		}
	}
	return gs, ps
}

// moved tells whether a figure rose with p95 so that it explains it, and ranks it.
func (r run) moved(c *Cause, k kind) bool {
	rise := c.During - c.Before
	if c.During <= c.Before*leastGaugeRise || rise <= least(k.unit) || c.During < k.short {
		return false
	}
	if k.part != "" && r.has(requestGauge) && r.has(k.part) {
		longer := r.at(requestGauge, r.high) - r.at(requestGauge, r.low)
		// Fast refusals lower the mean of all requests: a wait that is long itself counts, too.
		if longer <= 0 || max(longer, rise) < leastPart*(r.during-r.before) {
			return false // the time was not lost inside the server
		}
		c.Share = min(1, (r.at(k.part, r.high)-r.at(k.part, r.low))/longer)
		c.score = c.Share
		return c.Share >= leastShare
	}
	starved, score := r.starvation(c.Gauge, r.high, c.During, fullCPU)
	if c.Gauge == "cpu_wait" && !starved || c.Correlation < leastLink && !starved || k.unit == "ms" && rise < leastPart*(r.during-r.before) {
		return false
	}
	c.score = c.Correlation * k.rank
	if k.unit == "ms" {
		c.score *= 0.5 + 0.5*min(1, 2*rise/(r.during-r.before))
	}
	switch {
	case starved:
		c.score = score // everything else takes longer because of it
	case r.has(requestGauge):
		c.score *= 0.5 // moving together proves less than a share does
	}
	return true
}

// starvation tells whether the system had too little of a processor, and how near the
// figure v is to why, as a score: that a limit of its own stopped it says more than that
// all it has is used, and this more than that it waited for one, which follows from
// either and from other work on the machine.
//
// Half of a little is little: a wait counts only where the time that the system ran or
// wanted to run comes near all of the processors that it may use. It comes after what
// most of a request's time is accounted to.
func (r run) starvation(gauge string, at []int, v, full float64) (starved bool, score float64) {
	switch gauge {
	case "cpu_throttled":
		return v >= throttled, 3 + v
	case "cpu":
		return v >= full, 2 + v
	case "cpu_wait":
		if r.has("cpu") && r.at("cpu", at) < fullCPU*(1-v) {
			return false, 0
		}
		if r.has(requestGauge) {
			return v >= waitedCPU, mostShare
		}
		return v >= waitedCPU, 1 + v
	}
	return false, 0
}

// lasting are the figures that are high throughout.
func (r run) lasting() (out []Cause) {
	whole := make([]int, len(r.slices))
	for i := range whole {
		whole[i] = i
	}
	p95, request := median(r.p95), r.at(requestGauge, whole)
	for _, gauge := range gaugesOf(r.slices) {
		k, ok := kinds[gauge]
		if !ok || !r.has(gauge) && (k.part == "" || !r.has(k.part)) {
			continue
		}
		usual := r.at(gauge, whole)
		c := Cause{Gauge: gauge, Before: usual, During: usual, P95Before: p95 * 1000, P95During: p95 * 1000}
		starved, score := r.starvation(gauge, whole, usual, levelCPU)
		switch {
		case starved:
			c.score = score
			c.Words = fmt.Sprintf("p95 was %s throughout, and so was %s: %s", millis(p95), k.name, inUnit(usual, k.unit))
		case k.part != "" && request > 0 && usual >= levelCall:
			part := r.at(k.part, whole)
			if c.Share = min(1, part/request); c.Share < levelShare {
				continue
			}
			c.score = c.Share
			c.Words = fmt.Sprintf("p95 was %s throughout: of the %s that a request was inside the server on average, %s (%.0f%%) went into %s, %s each",
				millis(p95), millis(request), millis(part), c.Share*100, k.name, millis(usual))
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// has tells whether there is enough of a gauge to tell.
func (r run) has(gauge string) bool {
	n := 0
	for _, sl := range r.slices {
		if _, ok := sl.Gauges[gauge]; ok {
			if n++; n == fewestSlices {
				return true
			}
		}
	}
	return false
}

// at is the median of a gauge over some slices.
func (r run) at(gauge string, places []int) float64 {
	var vs []float64
	for _, i := range places {
		if v, ok := r.slices[i].Gauges[gauge]; ok {
			vs = append(vs, v)
		}
	}
	return median(vs)
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

func (c Cause) rose(k kind, flat []string) string {
	words := fmt.Sprintf("p95 rose from %s to %s together with %s, from %s to %s", millis(c.P95Before/1000), millis(c.P95During/1000), k.name,
		inUnit(c.Before, k.unit), inUnit(c.During, k.unit))
	if c.Share > 0 {
		words += fmt.Sprintf(" (%.0f%% of what requests took longer inside the server)", c.Share*100)
	} else {
		words += fmt.Sprintf(" (correlation %.2f)", c.Correlation)
	}
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
