package harness

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/scenarios"
	"vitals/targets"
)

// watcher merges what the members tell while a run goes on, shows it, and asks the
// scenario's abort rules of the merged figures.
type watcher struct {
	sc      *scenarios.Scenario
	shape   scenarios.Load
	wanted  []targets.Target
	quiet   bool
	meeting *rendezvous.Meeting
	c       *rendezvous.Controller
	view    *report.Live
	s       Streams
	merged  *measure.Live

	mu       sync.Mutex
	members  []fleet.Standing
	heard    []time.Time
	standing rendezvous.Status
	told     bool // of flushes that were missed
	tripped  bool
	named    map[int]bool // members that differ, of which a line was written
}

func newWatcher(p *Plan, meeting *rendezvous.Meeting, c *rendezvous.Controller, members int, ready map[int]rendezvous.Ready, s Streams) *watcher {
	sc := p.scenarios[0]
	w := &watcher{
		sc: sc, shape: sc.At(p.o.Pace), wanted: p.asked(sc), quiet: p.o.Quiet, meeting: meeting, c: c, s: s,
		view:   report.NewLive(s.Err, func() report.Style { return report.StyleOf(s.Err, os.Getenv) }, 0),
		merged: measure.NewLive(load.Steps(sc)), members: make([]fleet.Standing, members), heard: make([]time.Time, members),
		named: map[int]bool{},
	}
	for i := range w.members {
		r := ready[i]
		w.members[i] = fleet.Standing{Index: i, Host: r.Host, OffsetUS: r.OffsetUS, BoundUS: r.BoundUS, State: "ready"}
	}
	return w
}

// run takes what the members tell, each second, until ctx ends.
func (w *watcher) run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		flushes, err := w.c.Receive(ctx)
		if err != nil && ctx.Err() == nil {
			w.say("the members are not heard: " + err.Error())
		}
		if rule, note := w.take(flushes); rule != nil {
			_ = w.meeting.Abort(ctx, abortRule+note) // asked again at the next second, should Redis be away
		}
	}
}

// take adds flushes up, shows the run, and gives the abort rule that it breaks.
func (w *watcher) take(flushes []rendezvous.Flush) (rule *targets.Target, note string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, f := range flushes {
		d := &measure.Delta{}
		err := d.UnmarshalBinary(f.Delta)
		if err == nil {
			err = w.merged.Add(d)
		}
		if err != nil {
			w.say(fmt.Sprintf("member %d: %v", f.Member, err))
			continue
		}
		if f.Missed > 0 && !w.told {
			w.told = true
			w.say("the live figures are of the last minute: what was told before is in the documents alone")
		}
		m := &w.members[f.Member]
		if m.Pulse, w.heard[f.Member] = f.Pulse, now; !m.Told {
			m.Told, m.State = true, "running"
		}
	}
	snap := w.merged.Snapshot(w.complete())
	w.compare()
	w.show(snap, now)
	if w.standing.Aborted != "" || !w.sending() {
		return nil, ""
	}
	for i, r := range w.sc.Abort {
		if ended, note := targets.Tripped(r, snap); ended {
			if !w.tripped {
				w.tripped = true
				w.say("ends the run: " + note)
			}
			return &w.sc.Abort[i], note
		}
	}
	return nil, ""
}

// sending tells whether any member still sends: a rule that trips after the last
// request ends nothing.
func (w *watcher) sending() bool {
	return slices.ContainsFunc(w.members, func(m fleet.Standing) bool {
		return m.Told && !m.Pulse.Over && !w.standing.Done[m.Index] && !slices.Contains(w.standing.Lost, m.Index)
	})
}

// complete is up to when every member that still sends has told what it saw.
func (w *watcher) complete() time.Duration {
	least, most := time.Duration(-1), time.Duration(0)
	for i, m := range w.members {
		at := time.Duration(m.Pulse.AtUS) * time.Microsecond
		most = max(most, at)
		if m.Pulse.Over || w.standing.Done[i] || slices.Contains(w.standing.Lost, i) {
			continue
		}
		if least < 0 || at < least {
			least = at
		}
	}
	if least < 0 {
		return most
	}
	return least
}

// compare names the members that differ from the others.
func (w *watcher) compare() {
	p50, errs := make([]int64, len(w.members)), make([]float64, len(w.members))
	for i, m := range w.members {
		if slices.Contains(w.standing.Lost, i) {
			continue // its last pulse is of another time than the others'
		}
		p50[i] = m.Pulse.P50US
		if m.Pulse.Sent > 0 {
			errs[i] = float64(m.Pulse.Errors) / float64(m.Pulse.Sent)
		}
	}
	for i := range w.members {
		m := &w.members[i]
		before := m.Differs
		m.Differs = fleet.Unlike(i, p50, errs)
		if m.Differs != "" && before != "" && !w.named[i] { // one second is no news
			w.named[i] = true
			w.say(fmt.Sprintf("member %d (%s) differs: %s", i, m.Host, m.Differs))
		}
	}
}

// status is told how the run stands at the rendezvous.
func (w *watcher) status(s rendezvous.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range s.Lost {
		if !slices.Contains(w.standing.Lost, i) {
			w.say(fmt.Sprintf("member %d was lost", i))
		}
	}
	if s.Aborted != "" && w.standing.Aborted == "" {
		w.say("every member is told to stop: " + s.Aborted)
	}
	w.standing = s
	for i := range w.members {
		switch {
		case s.Done[i]:
			w.members[i].State = "finished"
		case slices.Contains(s.Lost, i):
			w.members[i].State = "lost"
		case w.members[i].Told:
			w.members[i].State = "running"
		}
	}
}

// show shows the merged run and its members. The caller holds the lock.
func (w *watcher) show(s measure.Snapshot, now time.Time) {
	if w.quiet || s.At <= 0 {
		return
	}
	members := slices.Clone(w.members)
	for i := range members {
		if members[i].Told {
			s.Counts.Inflight += members[i].Pulse.Inflight
			s.Away += members[i].Pulse.Away
			members[i].Silent = now.Sub(w.heard[i])
		}
	}
	n := report.Now{Scenario: w.sc.Name, Elapsed: min(s.At, w.shape.Total()), Total: w.shape.Total(), Snapshot: s, Members: members}
	for _, p := range w.shape.Phases() {
		if at := min(s.At, w.shape.Total()-time.Nanosecond); at >= p.From && at < p.To {
			n.Phase = p.Name
			if p.Judged {
				n.Losing = targets.Losing(w.wanted, w.sc.Name, s)
			}
		}
	}
	if w.shape.Model == scenarios.Users {
		n.Users = w.shape.Users().Level(n.Elapsed)
	} else {
		n.Rate = planned(w.shape, n.Elapsed)
	}
	w.view.Show(n)
}

// say writes a line past the live view.
func (w *watcher) say(words string) {
	w.view.Done()
	fmt.Fprintln(w.s.Err, words)
}

// done takes the live view away.
func (w *watcher) done() { w.view.Done() }

// aborted is why the members were told to stop; "" when they were not.
func (w *watcher) aborted() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.standing.Aborted
}

// rule is the abort rule that begins a note.
func (w *watcher) rule(note string) *targets.Target {
	for i, r := range w.sc.Abort {
		if strings.HasPrefix(note, r.Text+":") {
			return &w.sc.Abort[i]
		}
	}
	return nil
}
