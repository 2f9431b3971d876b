package report

import (
	"math"
	"strconv"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

// chart is what the page draws of one run: panels on one clock. Every line is as
// long as X; a null is a slice without that figure.
type chart struct {
	Name   string       `json:"name"`
	X      []float64    `json:"x"` // seconds from the run's start, middle of the slice
	Phases []chartPhase `json:"phases"`
	Panels []panel      `json:"panels"`
	still  []string     // gauges that stayed at zero
}

// panel is one set of lines in one unit.
type panel struct {
	Title string      `json:"title"`
	Unit  string      `json:"unit"` // "ms", "/s", "%", "MiB" or none
	Lines []chartLine `json:"lines"`
	Limit *float64    `json:"limit,omitempty"` // of the target, in Unit
	half  bool        // two of them stand side by side
}

type chartLine struct {
	Name   string     `json:"name"`
	Color  int        `json:"color"`          // of the palette
	Dash   bool       `json:"dash,omitempty"` // drawn broken
	Values []*float64 `json:"values"`
}

type chartPhase struct {
	Name   string  `json:"name"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Judged bool    `json:"judged"`
}

// The palette's colours with a meaning; see report.css.
const (
	colorP95 = iota
	colorP50
	colorP99
	colorServed
	colorRefused
	colorBad
	palette = 10 // colours in all
)

// mostPoints bounds what is drawn of a line: no screen shows more.
const mostPoints = 800

func chartOf(r *Run) chart {
	res := r.Result
	all, every := whole(res)
	slices, every := thinned(all, every, mostPoints)
	c := chart{Name: res.Scenario, X: []float64{}, Phases: []chartPhase{}, Panels: []panel{}}
	for _, sl := range slices {
		c.X = append(c.X, rounded(sl.At.Seconds()+every.Seconds()/2))
	}
	for _, p := range res.Phases {
		c.Phases = append(c.Phases, chartPhase{p.Name, p.From.Seconds(), p.To.Seconds(), p.Judged})
	}
	of := func(name string, color int, f func(measure.Slice) (float64, bool)) chartLine {
		l := chartLine{Name: name, Color: color, Values: make([]*float64, len(slices))}
		for i, sl := range slices {
			if v, ok := f(sl); ok {
				l.Values[i] = new(rounded(v))
			}
		}
		return l
	}
	ms := func(f func(measure.Slice) time.Duration) func(measure.Slice) (float64, bool) {
		return func(s measure.Slice) (float64, bool) { d := f(s); return d.Seconds() * 1000, d > 0 }
	}
	rate := func(f func(measure.Slice) int64) func(measure.Slice) (float64, bool) {
		return func(s measure.Slice) (float64, bool) { return float64(f(s)) / every.Seconds(), every > 0 }
	}
	planned := of("journeys planned", colorP95, func(s measure.Slice) (float64, bool) { v, ok := s.Gauges[plannedGauge]; return v, ok })
	planned.Dash = true
	service := of("service p95, from the send", colorServed, ms(func(s measure.Slice) time.Duration { return s.SentP95 }))
	service.Dash = true // what waited before it was sent lies between the two
	response := panel{Title: "Response time, from the due time", Unit: "ms", Limit: limitP95(r), Lines: []chartLine{
		of("p50", colorP50, ms(func(s measure.Slice) time.Duration { return s.P50 })),
		of("p95", colorP95, ms(func(s measure.Slice) time.Duration { return s.P95 })),
		of("p99", colorP99, ms(func(s measure.Slice) time.Duration { return s.P99 })),
		service,
	}}
	c.add(response)
	c.add(panel{Title: "Requests", Unit: "/s", half: true, Lines: []chartLine{
		of("served", colorServed, rate(func(s measure.Slice) int64 { return s.Counts.Served })),
		of("refused", colorRefused, rate(func(s measure.Slice) int64 { return s.Counts.Refused })),
		planned,
	}})
	c.add(panel{Title: "Not as expected", Unit: "/s", half: true, Lines: []chartLine{
		of("errors", colorBad, rate(func(s measure.Slice) int64 { return s.Counts.Errors })),
	}})
	steps := panel{Title: "p95 by step", Unit: "ms"}
	for _, step := range res.Steps(false) {
		if step.Step.Intruder {
			continue
		}
		n := len(steps.Lines)
		l := of(step.Step.Name, n%palette, ms(func(s measure.Slice) time.Duration {
			return time.Duration(s.StepP95[step.Step.Name]) * time.Microsecond
		}))
		l.Dash = n/palette%2 == 1
		steps.Lines = append(steps.Lines, l)
	}
	c.add(steps)
	c.gauges(slices, of)
	return c
}

// add takes a panel that has something to draw, without its lines that have not.
func (c *chart) add(p panel) {
	var lines []chartLine
	for _, l := range p.Lines {
		for _, v := range l.Values {
			if v != nil && *v != 0 {
				lines = append(lines, l)
				break
			}
		}
	}
	if p.Lines = lines; len(lines) > 0 {
		c.Panels = append(c.Panels, p)
	}
}

// plannedGauge is how many journeys an open model was to start, per second; it is
// shown beside the requests.
const plannedGauge = "planned_per_second"

// felts are the gauges we know: which panel and line they are, and by which factor
// their reading comes into its unit.
var felts = []struct {
	gauge, title, line, unit string
	factor                   float64
}{
	{"users", "Users", "users", "", 1},
	{"cpu", "CPU, of the cores it may use", "CPU", "%", 100},
	{"cpu_throttled", "Stopped by its processor limit, of the time", "stopped", "%", 100},
	{"cpu_wait", "Ready to run and without a processor, of the time", "waiting", "%", 100},
	{"rss_mib", "Memory", "resident", "MiB", 1},
	{"http_in_flight", "Requests inside the server", "in flight", "", 1},
	{"requests_per_second", "Requests, as the server counts them", "answered", "/s", 1},
	{"request_ms", "Where a request's time goes, in the server", "in all", "ms", 1},
	{"request_db_wait_ms", "Where a request's time goes, in the server", "wait for a database connection", "ms", 1},
	{"request_redis_ms", "Where a request's time goes, in the server", "Redis", "ms", 1},
	{"request_hash_wait_ms", "Where a request's time goes, in the server", "wait for a password hash", "ms", 1},
	{"request_hash_ms", "Where a request's time goes, in the server", "password hash", "ms", 1},
	{"db_pool_acquired", "Database connections", "in use", "", 1},
	{"db_pool_idle", "Database connections", "idle", "", 1},
	{"db_pool_acquire_ms", "Wait for a database connection", "mean", "ms", 1},
	{"redis_call_ms", "Redis call", "mean", "ms", 1},
	{"password_hash_wait_ms", "Wait for a password hash", "mean", "ms", 1},
	{"password_hash_queue_depth", "Password hash queue", "waiting", "", 1},
	{"password_hash_ms", "Password hash", "mean", "ms", 1},
	{"pg_connections", "Postgres sessions", "open", "", 1},
	{"pg_lock_waits", "Postgres sessions", "waiting for a lock", "", 1},
	{"pg_commits_per_second", "Postgres transactions", "committed", "/s", 1},
	{"pg_rollbacks_per_second", "Postgres transactions", "rolled back", "/s", 1},
	{"pg_cache_hit", "Postgres pages found in its cache", "found", "%", 100},
	{"redis_commands_per_second", "Redis commands", "commands", "/s", 1},
	{"redis_evictions_per_second", "Redis evictions", "evicted", "/s", 1},
	{"redis_memory_mib", "Redis memory", "used", "MiB", 1},
	{"redis_clients", "Redis connections", "open", "", 1},
	{"gc_pause_ms", "Garbage collection pause", "mean", "ms", 1},
	{"go_goroutines", "Goroutines", "goroutines", "", 1},
	{"rate_limit_degraded", "Rate limiter without Redis", "degraded", "", 1},
}

// gauges are the panels of what the system felt.
func (c *chart) gauges(slices []measure.Slice, of func(string, int, func(measure.Slice) (float64, bool)) chartLine) {
	rest := map[string]bool{}
	for _, sl := range slices {
		for name := range sl.Gauges {
			rest[name] = true
		}
	}
	delete(rest, plannedGauge)
	line := func(gauge, name string, color int, factor float64) chartLine {
		return of(name, color, func(s measure.Slice) (float64, bool) { v, ok := s.Gauges[gauge]; return v * factor, ok })
	}
	var panels []panel
	for _, f := range felts {
		if !rest[f.gauge] {
			continue
		}
		delete(rest, f.gauge)
		if n := len(panels); n > 0 && panels[n-1].Title == f.title {
			panels[n-1].Lines = append(panels[n-1].Lines, line(f.gauge, f.line, len(panels[n-1].Lines), f.factor))
			continue
		}
		panels = append(panels, panel{Title: f.title, Unit: f.unit, half: true, Lines: []chartLine{line(f.gauge, f.line, 0, f.factor)}})
	}
	for _, name := range sortedKeys(rest) {
		panels = append(panels, panel{Title: name, half: true, Lines: []chartLine{line(name, name, 0, 1)}})
	}
	for _, p := range panels {
		n := len(c.Panels)
		if c.add(p); len(c.Panels) == n {
			c.still = append(c.still, p.Title)
		}
	}
}

// limitP95 is the limit of the target on all honest steps, in milliseconds.
func limitP95(r *Run) *float64 {
	for _, v := range r.Verdicts {
		t := v.Target
		if t.Metric == "p95" && t.Step == "" && t.During == "" && t.Unit() == targets.Time {
			return new(t.Limit / 1e6)
		}
	}
	return nil
}

// whole are the slices that lasted as long as the others: in one that the run's end
// cut short, a rate would fall for no reason.
func whole(r *measure.Result) ([]measure.Slice, time.Duration) {
	s := r.Series
	n := len(s.Slices)
	for n > 1 && r.Took > 0 && s.Slices[n-1].At+s.Every > r.Took {
		n--
	}
	return s.Slices[:n], s.Every
}

// thinned joins neighbours until no more than so many slices are left: counts are
// added, of quantiles the highest is kept, so that no peak vanishes, and gauges are
// averaged.
func thinned(in []measure.Slice, every time.Duration, most int) ([]measure.Slice, time.Duration) {
	if len(in) <= most {
		return in, every
	}
	by := (len(in) + most - 1) / most
	var out []measure.Slice
	for i := 0; i < len(in); i += by {
		out = append(out, joined(in[i:min(i+by, len(in))]))
	}
	return out, every * time.Duration(by)
}

func joined(in []measure.Slice) measure.Slice {
	out := measure.Slice{At: in[0].At, StepP95: map[string]int64{}, Gauges: map[string]float64{}}
	n := map[string]float64{}
	for _, s := range in {
		out.Counts.Add(s.Counts)
		out.P50, out.P95, out.P99, out.Max = max(out.P50, s.P50), max(out.P95, s.P95), max(out.P99, s.P99), max(out.Max, s.Max)
		out.SentP95 = max(out.SentP95, s.SentP95)
		for name, us := range s.StepP95 {
			out.StepP95[name] = max(out.StepP95[name], us)
		}
		for name, v := range s.Gauges {
			out.Gauges[name] += v
			n[name]++
		}
	}
	for name := range out.Gauges {
		out.Gauges[name] /= n[name]
	}
	return out
}

// rounded keeps five digits, so that the page stays small.
func rounded(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64) // cannot fail on its own output
	return r
}
