// Package observe is what the system under test felt meanwhile: its processor
// and memory from outside, its own metrics page, on the run's clock.
package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/shirou/gopsutil/v4/process"
)

// Usage is what a system under test has used up to an instant.
type Usage struct {
	CPU time.Duration // processor time since its start, all its processes
	RSS int64         // bytes in memory now

	// Of a system whose processor time has a limit (a container's): the periods in
	// which it ran, and those in which it was stopped because its share was used up.
	Periods, Throttled int64

	// For how long its threads were ready to run and had no processor: others had it,
	// or a limit stopped them. 0 where the kernel does not say.
	Waited time.Duration
}

// Meter reads a system's usage.
type Meter func(ctx context.Context) (Usage, error)

// Process meters a process and its children (the workers of a supervisor).
func Process(pid int) Meter {
	return func(ctx context.Context) (Usage, error) {
		p, err := process.NewProcessWithContext(ctx, int32(pid))
		if err != nil {
			return Usage{}, fmt.Errorf("meter process %d: %w", pid, err)
		}
		u, err := usage(ctx, p)
		if err != nil {
			return Usage{}, err
		}
		children, _ := p.ChildrenWithContext(ctx) // no children is an error there
		for _, c := range children {
			if cu, err := usage(ctx, c); err == nil {
				u.CPU, u.RSS, u.Waited = u.CPU+cu.CPU, u.RSS+cu.RSS, u.Waited+cu.Waited
			}
		}
		return u, nil
	}
}

// Sum meters several parts as one.
func Sum(meters ...Meter) Meter {
	return func(ctx context.Context) (Usage, error) {
		var sum Usage
		for _, m := range meters {
			u, err := m(ctx)
			if err != nil {
				return Usage{}, err
			}
			sum.CPU, sum.RSS, sum.Waited = sum.CPU+u.CPU, sum.RSS+u.RSS, sum.Waited+u.Waited
			sum.Periods, sum.Throttled = sum.Periods+u.Periods, sum.Throttled+u.Throttled
		}
		return sum, nil
	}
}

func usage(ctx context.Context, p *process.Process) (Usage, error) {
	t, err := p.TimesWithContext(ctx)
	if err != nil {
		return Usage{}, fmt.Errorf("meter process %d: %w", p.Pid, err)
	}
	u := Usage{CPU: time.Duration((t.User + t.System) * float64(time.Second))}
	if m, err := p.MemoryInfoWithContext(ctx); err == nil {
		u.RSS = int64(m.RSS)
	}
	u.Waited, _ = waited(int(p.Pid))
	return u, nil
}

// Metrics is one reading of a Prometheus page: series name → value, summed over
// its labels; of a histogram its _sum and _count.
type Metrics map[string]float64

// limit of one metrics page: a page larger than this is cut and refused.
const maxPage = 8 << 20

// Scrape reads a metrics page, of another make when it has names of its own.
func Scrape(ctx context.Context, c *http.Client, page *url.URL, names Names) (Metrics, error) {
	families, err := scrape(ctx, c, page)
	if err != nil {
		return nil, err
	}
	out := Metrics{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			switch {
			case m.Counter != nil:
				out[name] += m.Counter.GetValue()
			case m.Gauge != nil:
				out[name] += m.Gauge.GetValue()
			case m.Untyped != nil:
				out[name] += m.Untyped.GetValue()
			case m.Histogram != nil:
				out[name+"_sum"] += m.Histogram.GetSampleSum()
				out[name+"_count"] += float64(m.Histogram.GetSampleCount())
			case m.Summary != nil:
				out[name+"_sum"] += m.Summary.GetSampleSum()
				out[name+"_count"] += float64(m.Summary.GetSampleCount())
			}
		}
	}
	names.apply(out)
	return out, nil
}

func scrape(ctx context.Context, c *http.Client, page *url.URL) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", page.Redacted(), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape %s: status %d, want 200", page.Redacted(), resp.StatusCode)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", page.Redacted(), err)
	}
	return families, nil
}

// The process' own metrics, as client libraries call them.
const (
	cpuSeconds  = "process_cpu_seconds_total"
	memoryBytes = "process_resident_memory_bytes"
)

// Scraped meters a system by the process metrics on its own page; for a
// deployment whose processes are out of reach.
func Scraped(c *http.Client, page *url.URL, names Names) Meter {
	return func(ctx context.Context) (Usage, error) {
		m, err := Scrape(ctx, c, page, names)
		if err != nil {
			return Usage{}, err
		}
		cpu, ok := m[cpuSeconds]
		if !ok {
			if theirs := names["cpu_seconds"]; theirs != "" {
				return Usage{}, fmt.Errorf("scrape %s: no %s on the page, which the profile names as metrics.cpu_seconds", page.Redacted(), theirs)
			}
			return Usage{}, fmt.Errorf("scrape %s: no %s on the page; a profile (--profile) may say under metrics.cpu_seconds what it is called there", page.Redacted(), cpuSeconds)
		}
		return Usage{
			CPU: time.Duration(cpu * float64(time.Second)),
			RSS: int64(m[memoryBytes]),
		}, nil
	}
}
