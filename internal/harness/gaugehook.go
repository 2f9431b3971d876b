package harness

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/report"
)

// gaugeHook reads what the system under test feels, once a second, on the run's
// clock.
type gaugeHook struct {
	quiet
	st    *stack.Stack
	gauge func(at time.Duration, name string, v float64)

	began   time.Time
	usage   []reading
	fails   int
	last    error
	missing []string // metrics that the profile names and the last page had not
	anew    anew     // of a deployment's processes
}

type reading struct {
	at time.Duration
	observe.Usage
}

func (w *gaugeHook) During(ctx context.Context, began time.Time) error {
	w.began = began
	w.watch(ctx)
	return nil
}

func (w *gaugeHook) After(_ context.Context, run *report.Run) {
	if fact, ok := w.cpu(run.Result.Phases); ok {
		run.Result.Facts = append(run.Result.Facts, fact)
		if per, ok := w.perRequest(fact, run.Result); ok {
			run.Result.Facts = append(run.Result.Facts, per)
		}
	}
	if top := w.memory(); top > 0 {
		run.Result.Facts = append(run.Result.Facts, measure.Fact{Name: "memory.max", Value: top, Unit: "B", N: int64(len(w.usage)), Note: "highest reading of the API's own processes"})
	}
	if len(w.missing) > 0 {
		run.Result.Notes = append(run.Result.Notes, "the metrics page has not what the profile names: "+strings.Join(w.missing, ", "))
	}
	if why := w.anew.inTurn(); why != "" && w.st.Kind == "url" {
		run.Result.Notes = append(run.Result.Notes, why)
	}
	if w.fails > 0 {
		run.Result.Notes = append(run.Result.Notes, fmt.Sprintf("%d readings of the system under test failed, the last: %v", w.fails, w.last))
	}
}

// watch runs until ctx ends. A reading that fails is counted, never invented.
func (w *gaugeHook) watch(ctx context.Context) {
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	pages := w.st.Admins
	if len(pages) == 0 && w.st.Metrics != nil {
		pages = []*url.URL{w.st.Metrics}
	}
	var before observe.Metrics
	var then time.Duration
	for {
		w.read(ctx)
		if len(pages) > 0 {
			now, err := observe.ScrapeAll(ctx, client, pages, w.st.Names)
			if err == nil {
				at := time.Since(w.began)
				levels, means := observe.Felt(before, now, at-then)
				for name, v := range levels {
					w.gauge(at, name, v)
				}
				for name, v := range means {
					over(w.gauge, then, at, name, v)
				}
				before, then = now, at
				w.anew.page(now)
				w.missing = w.st.Names.Missing(now)
			} else if ctx.Err() == nil {
				w.fails, w.last = w.fails+1, err
			}
		}
		select {
		case <-ctx.Done():
			w.read(context.WithoutCancel(ctx)) // the window's end
			return
		case <-tick.C:
		}
	}
}

func (w *gaugeHook) read(ctx context.Context) {
	if w.st.Meter == nil {
		return
	}
	u, err := w.st.Meter(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.fails, w.last = w.fails+1, err
		}
		return
	}
	r := reading{time.Since(w.began), u}
	if n := len(w.usage); n > 0 {
		w.anew.processor(w.usage[n-1].Usage, u)
	}
	if n := len(w.usage); n > 0 && w.st.Cores > 0 && r.at-w.usage[n-1].at > 500*time.Millisecond {
		last := w.usage[n-1]
		over(w.gauge, last.at, r.at, "cpu", max(0, share(last, r, w.st.Cores)))
		if u.Periods > 0 { // it has a limit; in a time without a period it met none
			over(w.gauge, last.at, r.at, "cpu_throttled", part(u.Throttled-last.Throttled, u.Periods-last.Periods))
		}
		if u.Waited > 0 {
			waited := u.Waited - last.Waited
			over(w.gauge, last.at, r.at, "cpu_wait", part(int64(waited), int64(waited+u.CPU-last.CPU)))
		}
	}
	w.gauge(r.at, "rss_mib", float64(u.RSS)/(1<<20))
	w.usage = append(w.usage, r)
}

// over notes a mean of the time between two readings in every second between them, so
// that it stands beside all the requests that it is about, also when a reading was late.
func over(gauge func(at time.Duration, name string, v float64), from, to time.Duration, name string, v float64) {
	n := max(1, int((to-from).Round(time.Second)/time.Second))
	for i := range n {
		gauge(from+(to-from)*time.Duration(2*i+1)/time.Duration(2*n), name, v)
	}
}

// part is a share, 0 of nothing; counts that fell began anew.
func part(n, of int64) float64 {
	if of <= 0 || n <= 0 {
		return 0
	}
	return min(1, float64(n)/float64(of))
}

func share(a, b reading, cores float64) float64 {
	return (b.CPU - a.CPU).Seconds() / ((b.at - a.at).Seconds() * cores)
}

// cpu is the API's share of the cores it may use over the judged phases, by
// linear interpolation between the readings; absent when the readings do not
// cover them or the system restarted.
func (w *gaugeHook) cpu(phases []measure.PhaseResult) (measure.Fact, bool) {
	var used, length float64
	n := int64(0)
	for _, p := range phases {
		if !p.Judged {
			continue
		}
		for i := 1; i < len(w.usage); i++ {
			if a, b := w.usage[i-1], w.usage[i]; b.CPU < a.CPU && b.at > p.From && a.at < p.To {
				return measure.Fact{}, false
			}
		}
		a, okA := w.at(p.From)
		b, okB := w.at(p.To)
		if !okA || !okB || b < a {
			return measure.Fact{}, false
		}
		used += (b - a).Seconds()
		length += (p.To - p.From).Seconds()
		for _, r := range w.usage {
			if r.at >= p.From && r.at <= p.To {
				n++
			}
		}
	}
	if length == 0 || w.st.Cores == 0 {
		return measure.Fact{}, false
	}
	return measure.Fact{
		Name: "cpu", Value: used / (length * w.st.Cores), Unit: "%", N: n,
		Note: "the API's own processes",
	}, true
}

// perRequest is the CPU time in µs that one request of the judged phases cost,
// intruders' requests among them.
func (w *gaugeHook) perRequest(cpu measure.Fact, r *measure.Result) (measure.Fact, bool) {
	var length time.Duration
	for _, p := range r.Phases {
		if p.Judged {
			length += p.To - p.From
		}
	}
	n := r.Total(false, true).Counts.Sent
	if n == 0 {
		return measure.Fact{}, false
	}
	used := cpu.Value * w.st.Cores * float64(length.Microseconds())
	return measure.Fact{Name: "cpu.per_request", Value: used / float64(n), Unit: "us", N: n, Note: "CPU time of the API's own processes over the judged phases, by their requests"}, true
}

// memory is the highest reading in bytes.
func (w *gaugeHook) memory() (top float64) {
	for _, r := range w.usage {
		top = max(top, float64(r.RSS))
	}
	return top
}

// slack is how far outside the readings a phase may begin or end.
const slack = 1500 * time.Millisecond

func (w *gaugeHook) at(t time.Duration) (time.Duration, bool) {
	u := w.usage
	if len(u) < 2 || t < u[0].at-slack || t > u[len(u)-1].at+slack {
		return 0, false
	}
	i := 1
	for i < len(u)-1 && u[i].at < t {
		i++
	}
	a, b := u[i-1], u[i]
	if b.at == a.at {
		return a.CPU, true
	}
	return a.CPU + time.Duration(float64(b.CPU-a.CPU)*float64(t-a.at)/float64(b.at-a.at)), true
}
