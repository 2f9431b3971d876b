package load

import (
	"fmt"
	"time"

	"vitals/internal/measure"
)

// decisive is how many windows in a row make a run invalid. One blip does not.
const decisive = 3

// decides tells whether so many windows of a kind make the run's times doubtful:
// three in a row, or three and a tenth of all.
func decides(inRow, all, of int) bool {
	return inRow >= decisive || all >= decisive && 10*all > of
}

// late tells whether the run's times are doubtful by our own lateness, as far as it got.
func (l *lag) late() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return decides(l.runOf(lateWindow))
}

// lateness says whether requests were sent late by ourselves, and names the cause.
func (r *run) lateness(v verdict) {
	r.lag.mu.Lock()
	defer r.lag.mu.Unlock()
	inRow, all, of := r.lag.runOf(lateWindow)
	p99, known := r.lag.all.Quantile(0.99)
	if !known || all == 0 && p99 <= r.lag.bound/2 {
		return
	}
	cause, busy := measure.CauseCPU, r.monitor.busyWords()
	if m := &r.monitor; m.pause > r.lag.bound && m.busy < 0.9 && m.squeeze <= maxThrottle && m.steal <= maxSteal {
		cause, busy = measure.CauseGC, fmt.Sprintf("our own garbage collector stopped us for %s at the longest", m.pause.Round(10*time.Microsecond))
	}
	if all == 0 {
		v.suspect("%s: requests were sent late by ourselves, though in no window of %s by more than the bound (lag p99 %s, bound %s); %s", cause, r.lag.width, p99, r.lag.bound, busy)
		return
	}
	words := fmt.Sprintf("%s: requests were sent late by ourselves in %d of %d windows of %s, %d in a row (lag p99 %s, bound %s); %s",
		cause, all, of, r.lag.width, inRow, p99, r.lag.bound, busy)
	if decides(inRow, all, of) {
		v.late("%s", words)
		return
	}
	v.suspect("%s", words)
}

// few answers are the least that a mean is taken of.
const few = 10

// starvation says whether requests waited because every worker was busy, and whose
// doing it was: ours, when there were too few for what the system needs for an
// answer or no processor to read one, or the system's, when it took longer and longer
// to give one, or gave none. Where no window was free of waiting, its first answers tell what it needs.
func (r *run) starvation(v verdict, sent int64) {
	r.lag.mu.Lock()
	defer r.lag.mu.Unlock()
	inRow, all, of := r.lag.runOf(starved)
	if all == 0 {
		return
	}
	var short, free window
	for _, w := range r.lag.windows {
		sum := &free
		if starved(w) {
			sum = &short
		}
		sum.n += w.n
		sum.done += w.done
		sum.held += w.held
	}
	before := "before"
	none := free.done < few // windows without waiting
	if none {
		before, free = "at first", r.lag.first
	}
	workers := r.workers()
	long := short.mean()
	rate := float64(short.n) / (float64(all) * r.lag.width.Seconds())
	words := fmt.Sprintf("all %d workers, each with a connection of its own, were busy in %d of %d windows of %s, %d in a row", workers, all, of, r.lag.width, inRow)
	silent := r.watch.silent.Load()
	// What even the quickest answer would need too many workers for is their lack.
	fewer := none && rate*r.lag.least.Seconds() > float64(workers)
	// Without a processor answers are read late, and look like slow ones of the system.
	// An answer waits for it several times.
	late, _ := r.monitor.ticks.Quantile(0.9)
	slow := !fewer && late > max(r.lag.bound, long/5)
	switch {
	case slow && decides(inRow, all, of):
		v.late("%s: %s, and our own timer was late by %s: what an answer took, %s, is partly our own; %s",
			measure.CauseCPU, words, round(late), round(long), r.monitor.busyWords())
	case slow:
		v.suspect("%s: %s, and our own timer was late by %s", measure.CauseCPU, words, round(late))
	case 2*silent > sent:
		v.suspect("%s: %s: %d of %d requests got no answer before their timeout", measure.CauseDegraded, words, silent, sent)
	case !fewer && free.done >= few && long > 2*free.mean():
		v.suspect("%s: %s: an answer took %s there, and %s %s; requests waited, and their waiting is in the response times",
			measure.CauseDegraded, words, round(long), round(free.mean()), before)
	case !decides(inRow, all, of):
		v.suspect("%s: %s", measure.CauseWorkers, words)
	default:
		v.late("%s: %s: %.0f/s that take %s each need about %.0f; raise workers in arrivals",
			measure.CauseWorkers, words, rate, round(long), rate*long.Seconds()+1)
	}
}

func (w window) mean() time.Duration {
	if w.done == 0 {
		return 0
	}
	return w.held / time.Duration(w.done)
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// busyWords say what the machine was busy with.
func (m *monitor) busyWords() string {
	switch {
	case m.squeeze > maxThrottle:
		return fmt.Sprintf("our CPU was throttled %.0f %% of the time: give this process more CPU", 100*m.squeeze)
	case m.steal > maxSteal:
		return fmt.Sprintf("the hypervisor took %.0f %% of the machine: measure on one that is not shared", 100*m.steal)
	case m.cpu > maxOwnCPU:
		return fmt.Sprintf("vitals itself took %.0f %% of the machine: lower the load, or spread it over more machines", 100*m.cpu)
	case m.busy > 0:
		return fmt.Sprintf("this machine was %.0f %% busy, %.0f %% with vitals: end what else runs here, and try again", 100*m.busy, 100*m.cpu)
	}
	return "something else kept this machine busy: end what else runs here, and try again"
}
