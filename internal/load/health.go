package load

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"time"

	"vitals/internal/measure"
)

// The bounds past which a run measured its generator instead of the
// server. Half of each makes it suspect.
const (
	maxGCPause  = 10 * time.Millisecond
	maxSteal    = 0.05 // of the machine
	maxThrottle = 0.05 // of the time
	maxOwnCPU   = 0.70 // of the machine
	minSent     = 0.98 // of what was planned, in a run that was not ended early
	defaultLag  = 2 * time.Millisecond
	clockStep   = 50 * time.Millisecond
)

// monitor watches the process and the machine while the load runs.
type monitor struct {
	took                time.Duration
	cpu, steal, squeeze float64 // shares
	busy                float64 // share of the machine that anything took; 0 = not known
	pause               time.Duration
	steps               int                // of the wall clock
	ticks               *measure.Histogram // how late the monitor's own timer was: who lacks the processor is late at everything
}

// tick is how often it looks at what cannot be had as a difference.
const tick = 100 * time.Millisecond

// watch reads once at the start and once at the end, and ten times a second at
// what cannot be had as a difference.
func (m *monitor) watch(began time.Time, over <-chan struct{}) {
	before := read()
	last := time.Now()
	m.ticks = measure.NewHistogram()
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			now := time.Now()
			if apart := now.Round(0).Sub(last.Round(0)) - now.Sub(last); apart.Abs() > clockStep {
				m.steps++
			}
			m.ticks.Record(max(0, now.Sub(last)-tick))
			last = now
			continue
		case <-over:
		}
		break
	}
	after := read()
	m.took = time.Since(began)
	if m.took > 0 {
		m.cpu = (after.own - before.own).Seconds() / m.took.Seconds() / float64(runtime.NumCPU())
		m.squeeze = (after.throttled - before.throttled).Seconds() / m.took.Seconds()
	}
	if all := after.all - before.all; all > 0 {
		m.steal = (after.steal - before.steal) / all
		m.busy = 1 - (after.idle-before.idle)/all
	}
	m.pause = longest(before.pauses, after.pauses)
}

// reading is what the kernel and the runtime tell at one moment.
type reading struct {
	own, throttled time.Duration
	steal, all     float64 // ticks of the machine
	idle           float64
	pauses         *metrics.Float64Histogram
}

func read() reading {
	s := reading{own: ownCPU()}
	if stat, err := os.ReadFile("/proc/stat"); err == nil {
		line, _, _ := bytes.Cut(stat, []byte("\n"))
		for i, f := range bytes.Fields(line) {
			v, err := strconv.ParseFloat(string(f), 64)
			if err != nil || i > 8 { // the last two are counted in user time already
				continue
			}
			s.all += v
			switch i {
			case 4, 5: // idle, and waiting for a disk
				s.idle += v
			case 8:
				s.steal = v
			}
		}
	}
	if stat, err := os.ReadFile("/sys/fs/cgroup/cpu.stat"); err == nil {
		if _, rest, ok := bytes.Cut(stat, []byte("throttled_usec ")); ok {
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			us, _ := strconv.ParseInt(string(line), 10, 64)
			s.throttled = time.Duration(us) * time.Microsecond
		}
	}
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindFloat64Histogram {
		s.pauses = sample[0].Value.Float64Histogram()
	}
	return s
}

// longest is the upper end of the highest bucket that has grown.
func longest(before, after *metrics.Float64Histogram) time.Duration {
	if before == nil || after == nil {
		return 0
	}
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if i < len(before.Counts) && after.Counts[i] == before.Counts[i] || after.Counts[i] == 0 {
			continue
		}
		end := after.Buckets[i+1]
		if math.IsInf(end, 1) {
			end = after.Buckets[i]
		}
		return time.Duration(end * float64(time.Second))
	}
	return 0
}

// judge fills in what the run knows of itself, and says whether to believe it.
func (r *run) judge(o *Outcome) measure.Health {
	m := &r.monitor
	h := measure.Health{
		Lag: r.lag.all, CPU: m.cpu, GCPauseMax: m.pause, Steal: m.steal, CapWait: r.capWait, Peak: int(r.peak.Load()),
	}
	v := verdict{h: &h, untimed: r.opt.NoTimes}
	r.lateness(v)
	r.starvation(v, o.Counts.Sent)
	if c := o.Counts; !o.Partial && c.Planned > 0 {
		away := r.away.Load()
		v.missing(1-float64(c.Sent+away)/float64(c.Planned), 1-minSent, "%s: %d of %d planned requests were sent", measure.CauseUnsent, c.Sent, c.Planned)
		r.turnedAway(v, away, c.Planned)
	}
	if pause := max(maxGCPause, r.lag.bound); m.pause > pause/2 { // one pause is a blip: what it did is in the lateness
		v.suspect("%s: our own garbage collector stopped the world for %s, bound %s", measure.CauseGC, m.pause.Round(10*time.Microsecond), pause)
	}
	v.over(m.steal, maxSteal, "%s: the hypervisor took %.1f %% of the machine, bound %.0f %%", measure.CauseCPU, 100*m.steal, 100*maxSteal)
	v.over(m.squeeze, maxThrottle, "%s: our CPU was throttled %.1f %% of the time, bound %.0f %%", measure.CauseCPU, 100*m.squeeze, 100*maxThrottle)
	v.over(m.cpu, maxOwnCPU, "%s: the generator took %.0f %% of the machine, bound %.0f %%", measure.CauseCPU, 100*m.cpu, 100*maxOwnCPU)
	if n := r.watch.ports.Load(); n > 0 {
		v.invalid("%s: out of local ports, %d times", measure.CausePorts, n)
	}
	if n := r.watch.files.Load(); n > 0 {
		v.invalid("%s: out of file descriptors, %d times; raise ulimit -n", measure.CausePorts, n)
	}
	if r.watch.own.Load() > 0 {
		v.invalid("%s: %d requests failed inside the generator", measure.CauseFault, r.watch.own.Load())
	}
	if m.steps > 0 {
		v.suspect("%s: the wall clock was set %d times: times of day in the report may not fit the server's", measure.CauseClock, m.steps)
	}
	return h
}

// turnedAway says what the system's own refusals of sign-ins kept from being sent:
// that is its doing, and no fault of the generator's.
func (r *run) turnedAway(v verdict, away, planned int64) {
	denied := r.denied.Load()
	if away == 0 || denied == nil {
		return
	}
	words := fmt.Sprintf("%s: %d of %d planned requests were not sent, for their users could not sign in: %s", measure.CauseAway, away, planned, *denied)
	if float64(away) > (1-minSent)*float64(planned) {
		v.h.Away = append(v.h.Away, words)
		return
	}
	v.suspect("%s", words)
}

// verdict collects reasons.
type verdict struct {
	h       *measure.Health
	untimed bool // nobody asks for a time or a rate
}

func (v verdict) invalid(format string, args ...any) {
	v.h.Invalid = append(v.h.Invalid, fmt.Sprintf(format, args...))
}

// late is a reason for which times and rates are not the server's: a doubt, where
// nobody asks for any.
func (v verdict) late(format string, args ...any) {
	if v.untimed {
		v.suspect(format, args...)
		return
	}
	v.invalid(format, args...)
	v.h.Late = append(v.h.Late, v.h.Invalid[len(v.h.Invalid)-1])
}

func (v verdict) suspect(format string, args ...any) {
	v.h.Suspect = append(v.h.Suspect, fmt.Sprintf(format, args...))
}

// over makes the times of the run invalid past the bound, suspect past half of it.
func (v verdict) over(got, bound float64, format string, args ...any) {
	switch {
	case got > bound:
		v.late(format, args...)
	case got > bound/2:
		v.suspect(format, args...)
	}
}

// missing is over for what was not sent, which nobody's question makes good.
func (v verdict) missing(got, bound float64, format string, args ...any) {
	v.untimed = false
	v.over(got, bound, format, args...)
}
