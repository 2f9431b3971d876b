package measure

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// DefaultKeep is how many requests are kept whole when Options do not say.
const DefaultKeep = 10

// Options of a recorder. Zero values are the defaults.
type Options struct {
	Every     time.Duration // slice width at the start, default 1s
	MaxSlices int           // past it neighbouring slices are folded, default 400
	Late      time.Duration // a send later than this after its due time counts as late, default 2ms
	Keep      int           // exemplars kept: the slowest Keep and the first Keep of each class, default DefaultKeep
	// Mergeable keeps the histograms of each slice in its document, so that the
	// results of several machines can be added up exactly (Merge).
	Mergeable bool
	Deltas    bool // keep what Recorder.Delta gives; somebody must ask for it
}

// Recorder adds samples up: exact histograms per phase, step and outcome, a
// series of slices keyed by due time, and a few exemplars. Its memory depends
// on the steps, the phases and Options.MaxSlices, not on the run's length.
// Everything but the shards is safe for concurrent use.
type Recorder struct {
	steps  []Step
	phases []Phase
	ends   []time.Duration // by phase: see ends
	opt    Options

	mu       sync.Mutex
	shards   map[*Shard]struct{}
	cells    []*cell // phase × step, made when first needed
	series   series
	kept     exemplars
	total    Counts // honest steps, in or outside a phase
	outside  int64
	unserved Unserved
	frontier time.Duration  // latest end of any sample
	fresh    map[int]*slice // what the next delta holds, by second; nil without Options.Deltas
}

// Snapshot is the run as it stands, for the live view and abort rules: the
// honest steps so far, and the last slices that lie wholly in the past. A slice
// may still change while answers to its requests are under way.
type Snapshot struct {
	At     time.Duration // latest end of any request
	Every  time.Duration // width of a slice
	Counts Counts
	Last   []Slice       // up to 60, oldest first
	LagP99 time.Duration // of the generator's own lateness so far; 0 when it is not known
	Away   int64         // of the dropped: tasks of users without a session, which is not the generator's doing
	Late   bool          // it was late so often that the times would be nobody's if the run ended now
}

// Finished is all that the recorder adds to a result.
type Finished struct {
	Phases   []PhaseResult
	Series   Series
	Slowest  []Exemplar // honest requests, slowest response first
	Failures []Exemplar // unexpected outcomes in order of their due times
	Unserved Unserved   // how it ended, when nobody was served any more
	Outside  int64      // samples whose due time no phase holds: in the series, in no phase
}

// NewRecorder makes a recorder for samples of these steps. Phases must not
// overlap; a sample belongs to the one that holds its due time.
func NewRecorder(steps []Step, phases []Phase, opt Options) *Recorder {
	opt.Every = cmp.Or(opt.Every, time.Second)
	opt.MaxSlices = cmp.Or(opt.MaxSlices, 400)
	opt.Late = cmp.Or(opt.Late, 2*time.Millisecond)
	opt.Keep = cmp.Or(opt.Keep, DefaultKeep)
	r := &Recorder{
		steps:  slices.Clone(steps),
		phases: slices.Clone(phases),
		ends:   ends(phases),
		opt:    opt,
		shards: map[*Shard]struct{}{},
		cells:  make([]*cell, len(steps)*len(phases)),
		series: series{every: opt.Every, max: opt.MaxSlices, steps: steps, mergeable: opt.Mergeable},
		kept:   exemplars{keep: opt.Keep},
	}
	if opt.Deltas {
		r.fresh = map[int]*slice{}
	}
	// Made now, not when first needed: a step that comes late in the run would
	// else make the generator's memory grow while it measures.
	for p, phase := range phases {
		for s := range steps {
			if phase.Judged {
				r.cells[p*len(steps)+s] = &cell{response: NewHistogram(), service: NewHistogram()}
			}
		}
	}
	return r
}

// Shard makes a way in for one goroutine, which closes it when it is done.
func (r *Recorder) Shard() *Shard {
	s := &Shard{r: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shards[s] = struct{}{}
	return s
}

// Add counts what makes no sample: requests planned, dropped, or unsent, under
// the step and due time they had. It takes the lock; for requests that are sent
// see Sample.Planned.
func (r *Recorder) Add(step int, due time.Duration, c Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cell, _ := r.cell(step, due); cell != nil {
		cell.counts.Add(c)
	}
	if r.steps[step].Intruder {
		return
	}
	r.total.Add(c)
	if sl := r.series.at(due); sl != nil {
		sl.counts.Add(c)
		sl.stale = true
	}
	if sl := r.freshAt(due); sl != nil {
		sl.counts.Add(c)
	}
}

// Gauge notes a reading of the system under test at an offset from the run's
// start. A slice shows the mean of its readings.
func (r *Recorder) Gauge(at time.Duration, name string, v float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sl := r.series.at(at); sl != nil {
		sl.gauge(name, v)
	}
	if sl := r.freshAt(at); sl != nil {
		sl.gauge(name, v)
	}
}

// Snapshot is the run as it stands.
func (r *Recorder) Snapshot() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drainAll()
	return Snapshot{
		At:     r.frontier,
		Every:  r.series.every,
		Counts: r.total,
		Last:   r.series.last(60, r.frontier),
	}
}

// Finish is the whole, once every shard is closed.
func (r *Recorder) Finish() Finished {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drainAll()
	f := Finished{Series: r.series.all(), Unserved: r.unserved, Outside: r.outside}
	f.Slowest, f.Failures = r.kept.sorted()
	for p, phase := range r.phases {
		pr := PhaseResult{Phase: phase}
		for s, step := range r.steps {
			pr.Steps = append(pr.Steps, r.cells[p*len(r.steps)+s].result(step))
		}
		f.Phases = append(f.Phases, pr)
	}
	return f
}

func (r *Recorder) drainAll() {
	for s := range r.shards {
		r.drain(s)
	}
}

// drain reads what waits in a shard. The caller holds the lock.
func (r *Recorder) drain(s *Shard) {
	head := s.head.Load()
	for t := s.tail.Load(); t < head; t++ {
		r.add(&s.buf[t%ring])
	}
	s.tail.Store(head)
}

// add counts one sample everywhere it belongs.
func (r *Recorder) add(s *Sample) {
	late := s.Sent-s.Due > r.opt.Late
	r.frontier = max(r.frontier, s.Done)
	if cell, end := r.cell(s.Step, s.Due); cell != nil {
		cell.add(s, late, end)
	} else {
		r.outside++
	}
	r.kept.add(s, &r.steps[s.Step])
	if r.steps[s.Step].Intruder {
		return
	}
	r.total.sample(s, late)
	r.unserved.add(s)
	if sl := r.series.at(s.Due); sl != nil {
		sl.add(s, late)
	}
	if sl := r.freshAt(s.Due); sl != nil {
		sl.add(s, late)
	}
}

// cell is the sum of one step in the phase that holds due, and when what is due there
// must have been served to count in a rate, 0 = at any time; nil outside every phase.
func (r *Recorder) cell(step int, due time.Duration) (*cell, time.Duration) {
	for p := range r.phases {
		if due < r.phases[p].From || due >= r.phases[p].To {
			continue
		}
		c := &r.cells[p*len(r.steps)+step]
		if *c == nil {
			*c = &cell{}
		}
		return *c, r.ends[p]
	}
	return nil, 0
}

// ends are, for each judged phase, when the judged time that goes on from it is over,
// and what is under way at its end may have come as well: a second later, and less after
// a short one. Whoever is still working off a queue then cannot do at the rate at which
// requests were due.
func ends(phases []Phase) []time.Duration {
	out := make([]time.Duration, len(phases))
	for p := len(phases) - 1; p >= 0; p-- {
		switch ph := phases[p]; {
		case !ph.Judged:
		case p+1 < len(phases) && phases[p+1].Judged && phases[p+1].From == ph.To:
			out[p] = out[p+1]
		default:
			out[p] = ph.To + min(time.Second, max(100*time.Millisecond, (ph.To-ph.From)/20))
		}
	}
	return out
}
