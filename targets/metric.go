package targets

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unit is a metric's base unit.
type Unit uint8

// The units.
const (
	Number  Unit = iota // a plain number
	Time                // nanoseconds; written 300ms, 1.5s
	Share               // a fraction; written 0.1%
	PerRate             // per second; written 500 or 500/s
)

// Format writes a value of the unit as a person would.
func (u Unit) Format(v float64) string {
	switch u {
	case Time:
		return rounded(time.Duration(v)).String()
	case Share:
		return strconv.FormatFloat(v*100, 'g', 4, 64) + "%"
	case PerRate:
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// rounded keeps four digits; the histograms have three.
func rounded(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*10_000 <= d {
		unit *= 10
	}
	return d.Round(unit)
}

// metric is what may be asked of a result.
type metric struct {
	unit  Unit
	q     float64 // of a latency quantile, else 0
	step  bool    // may name a step
	phase bool    // may name a phase
	live  bool    // may be an abort rule: the live slices have it
	about string
	takes string // what it takes to measure it, where not every run does
}

// measured tells whether the metric is a time out of a histogram, which holds none
// that is longer than measure.Longest.
func (m metric) measured() bool { return m.unit == Time && m.phase }

// What it takes to measure figures of one kind.
const (
	aGuesser    = "an intruder that guesses passwords to its end"
	anyIntruder = "intruders that work to their end"
	aFault      = "a fault (--fault)"
)

// metrics is the closed set of words that a sentence may begin with. The
// dotted ones are facts of a result; a misspelt one is found when the file is
// read and not after the run.
var metrics = map[string]metric{
	"p50":   {unit: Time, q: 0.50, step: true, phase: true, live: true, about: "median response time of what was served, from the due time"},
	"p90":   {unit: Time, q: 0.90, step: true, phase: true, about: "90th percentile of the response times"},
	"p95":   {unit: Time, q: 0.95, step: true, phase: true, live: true, about: "95th percentile of the response times"},
	"p99":   {unit: Time, q: 0.99, step: true, phase: true, live: true, about: "99th percentile of the response times"},
	"p99.9": {unit: Time, q: 0.999, step: true, phase: true, about: "99.9th percentile of the response times"},
	"max":   {unit: Time, q: 1, step: true, phase: true, live: true, about: "longest response time"},

	"mean": {unit: Time, step: true, phase: true, about: "mean response time"},

	"rps":     {unit: PerRate, step: true, phase: true, live: true, about: "requests served as expected per second"},
	"errors":  {unit: Share, step: true, phase: true, live: true, about: "share of the sent that did not go as expected, refusals among them"},
	"failed":  {unit: Share, step: true, phase: true, live: true, about: "share of the sent without an answer or with a wrong one; orderly refusals are not among them"},
	"refused": {unit: Share, step: true, phase: true, live: true, about: "share of the sent that a limit turned away (429 or what the profile declares, or 503 with Retry-After)"},
	"dropped": {unit: Share, step: true, phase: true, live: true, about: "share of the planned that was given up before it was sent"},
	"late":    {unit: Share, step: true, phase: true, live: true, about: "share of the sent that left later than its due time allows"},

	"cpu":      {unit: Share, live: true, about: "the system's CPU, of the cores it may use", takes: "the system's metrics page and the cores that it may use (--metrics, --cores)"},
	"lag":      {unit: Time, about: "99th percentile of the generator's own lateness"},
	"recovery": {unit: Time, about: "from the end of the phase \"spike\" until p95 and errors are inside their targets and stay there"},
	"goodput":  {unit: Share, about: "rate served at the end of the judged window, of the best rate it ever had"},
	"knee":     {unit: PerRate, about: "highest rate served in one slice with p95 inside its target, whichever scenario that is asked of"},

	"lockout.admitted":    {unit: Number, about: "wrong passwords judged before the lock, per address, or per account where the limit is by account", takes: aGuesser},
	"lockout.bystanders":  {unit: Number, about: "honest requests that a lock of another address turned away", takes: aGuesser},
	"lockout.leaked":      {unit: Number, about: "sign-ins granted while locked, and guesses judged after the lock", takes: aGuesser},
	"lockout.retry_after": {unit: Time, about: "longest Retry-After of a refusal by the lock", takes: aGuesser},
	"fault.recovery":      {unit: Time, about: "from the end of a fault until requests went as expected again", takes: aFault},
	"fault.leaked":        {unit: Number, about: "guesses judged around a fault beyond what the API declares for it, and locks forgotten", takes: aFault},

	"intruders.leaked": {unit: Number, about: "hostile requests that were granted what they asked, or judged while locked, of intruders of every kind", takes: anyIntruder},
	"intruders.excess": {unit: Number, about: "wrong credentials judged beyond the limit, of the worst address", takes: anyIntruder},
	"intruders.wrong":  {unit: Number, about: "hostile requests answered neither by the refusal that is due nor by a grant: server errors (a 503 that sheds load is none), forms that were taken", takes: anyIntruder},
	"intruders.open":   {unit: Number, about: "hostile connections still open when the server should have cut them", takes: "an intruder that holds connections open or oversizes bodies, to its end"},
	"intruders.harmed": {unit: Number, about: "sign-ins of attacked people, right and from where they live, that were refused", takes: anyIntruder},

	"siege.p95_ratio": {unit: Number, about: "honest p95 under attack, of that without; a difference below 30 ms counts as none", takes: "judged phases with and without an intruder (during:), each with answers enough for a p95"},
}

// Metrics are the words a sentence may begin with, sorted.
func Metrics() []string { return slices.Sorted(maps.Keys(metrics)) }

// About explains a metric in one line; "" for an unknown one.
func About(name string) string { return metrics[name].about }

// limit reads the number after the operator; when it cannot, it gives a hint.
func (u Unit) limit(s string) (v float64, hint string, ok bool) {
	bare, err := number(s)
	switch {
	case u == Time:
		if d, err := time.ParseDuration(s); err == nil && d >= 0 {
			return float64(d), "", true
		}
		switch {
		case err == nil && bare < 10: // seconds, perhaps
			hint = "write the unit: " + s + "s or " + s + "ms"
		case err == nil:
			hint = "write the unit: " + s + "ms"
		}
	case u == Share:
		if v, err := number(strings.TrimSuffix(s, "%")); err == nil && (strings.HasSuffix(s, "%") || v == 0) {
			return v / 100, "", true
		}
		switch {
		case err == nil && bare < 1: // a fraction, perhaps
			hint = "write the unit: " + s + "% or " + Share.Format(bare)
		case err == nil:
			hint = "write the unit: " + s + "%"
		}
	case u == PerRate:
		v, err := number(strings.TrimSuffix(s, "/s"))
		return v, "", err == nil
	default:
		return bare, "", err == nil
	}
	return 0, hint, false
}

// example is what a limit of the unit looks like, for messages.
func (u Unit) example() string {
	return [...]string{Number: "a number", Time: "a time such as 300ms or 1.5s", Share: "a share such as 0.1%", PerRate: "a rate such as 500 or 500/s"}[u]
}

// number is a plain decimal: no sign, no exponent, no infinity.
func number(s string) (float64, error) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}
