package importer

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

const pause = time.Second // a gap that a person made

// arrange puts the steps into journeys, but for those that are apart: they belong to the
// accounts.
func (d *outline) arrange(all []exchange, steps []step, apart map[int]bool, groups []string) {
	type piece struct {
		group string
		think time.Duration
		steps []step
	}
	var pieces []piece
	var gaps []time.Duration
	last := -1 // the request before, of those that stay
	for i, s := range steps {
		if apart[i] {
			continue
		}
		group := ""
		if groups != nil {
			group = groups[i]
		}
		gap := time.Duration(0)
		if last >= 0 && !all[i].began.IsZero() && !all[last].began.IsZero() {
			gap = all[i].began.Sub(all[last].began.Add(all[last].took))
		}
		last = i
		n := len(pieces)
		fresh := n == 0 || pieces[n-1].group != group || groups == nil && gap >= pause
		if fresh && n > 0 && gap >= pause {
			pieces[n-1].think = min(gap, time.Minute).Round(100 * time.Millisecond)
			gaps = append(gaps, pieces[n-1].think)
		}
		if fresh {
			pieces = append(pieces, piece{group: group})
		}
		pieces[len(pieces)-1].steps = append(pieces[len(pieces)-1].steps, s)
	}
	given := map[string]bool{}
	if d.signIn != nil {
		for name := range d.signIn.save {
			given[name] = true
		}
	}
	think := "1s..3s"
	if len(gaps) > 0 {
		slices.Sort(gaps)
		if think = gaps[0].String(); gaps[0] != gaps[len(gaps)-1] {
			think = gaps[0].String() + ".." + gaps[len(gaps)-1].String()
		}
	}
	byName := map[string]int{}
	var journeys []journey
	for _, p := range pieces {
		name := p.group
		if name == "" {
			name = "user"
		}
		i, ok := byName[name]
		if !ok {
			i = len(journeys)
			byName[name] = i
			journeys = append(journeys, journey{name: name, think: think})
		}
		j := &journeys[i]
		if groups != nil && len(j.tasks) > 0 {
			j.tasks[0].steps = append(j.tasks[0].steps, p.steps...)
			continue
		}
		j.tasks = append(j.tasks, task{name: p.steps[0].name, think: p.think, steps: p.steps})
	}
	for i := range journeys {
		d.joined(&journeys[i], given)
	}
	d.journeys = journeys
}

// joined merges tasks that could not be drawn apart: a later step of a task may use
// only what its own steps saved, or its first step asks for.
func (d *outline) joined(j *journey, given map[string]bool) {
	for i := 0; i < len(j.tasks); i++ {
		has := map[string]bool{}
		for name := range given {
			has[name] = true
		}
		ok := true
		for n, s := range j.tasks[i].steps {
			for _, name := range asked(s) {
				if n == 0 && i > 0 {
					has[name] = true // an earlier task of the journey saved it
				}
				ok = ok && has[name]
			}
			for name := range s.save {
				has[name] = true
			}
		}
		if !ok && i > 0 {
			j.tasks[i-1].steps = append(j.tasks[i-1].steps, j.tasks[i].steps...)
			j.tasks[i-1].think = j.tasks[i].think
			j.tasks = slices.Delete(j.tasks, i, i+1)
			i = -1 // the merged one may need an earlier one now
		}
	}
	// What an earlier journey saved is unknown in this one.
	known := map[string]bool{}
	for name := range given {
		known[name] = true
	}
	for _, t := range j.tasks {
		for _, s := range t.steps {
			for name := range s.save {
				known[name] = true
			}
		}
	}
	for i := range j.tasks {
		for n := range j.tasks[i].steps {
			d.known(&j.tasks[i].steps[n], known)
		}
	}
	if len(j.tasks) == 1 && len(j.tasks[0].steps) > 1 {
		j.whole = true
	}
}

var placeholder = regexp.MustCompile(`\{\{([a-z_][a-z0-9_]*)\}\}`)

// asked are the names that a step wants filled in.
func asked(s step) (names []string) {
	text := s.path + s.text + flow(s.body)
	for _, h := range s.header {
		text += h[1]
	}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"email", "password", "uuid", "seq", "now", "today"}, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// known takes out what nothing of the journey saves.
func (d *outline) known(s *step, known map[string]bool) {
	for _, name := range asked(*s) {
		if known[name] {
			continue
		}
		with := func(text string) string {
			return strings.NewReplacer(unquoted+"{{"+name+"}}", gone, "{{"+name+"}}", gone).Replace(text)
		}
		s.path, s.text = with(s.path), with(s.text)
		for i := range s.header {
			s.header[i][1] = with(s.header[i][1])
		}
		s.body = texts(s.body, func(text string) any { return with(text) })
		s.decide = append(s.decide, name+": a request that is elsewhere saves it")
		s.forget = slices.DeleteFunc(s.forget, func(other string) bool { return other == name })
		known[name] = false
	}
}

// runFor is how long five users take for the answers that a p95 needs, and some to
// spare, by their think times: from 2 to 10 minutes, in whole ones.
func (d *outline) runFor() time.Duration {
	const users, enough = 5, 250
	thinking, steps := time.Duration(0), 0
	for _, j := range d.journeys {
		usual := between(j.think)
		for _, t := range j.tasks {
			steps += len(t.steps)
			if t.think > 0 {
				thinking += t.think
			} else {
				thinking += usual
			}
		}
	}
	need := thinking * enough / time.Duration(users*max(1, steps))
	return min(max((need+time.Minute-1).Truncate(time.Minute), 2*time.Minute), 10*time.Minute)
}

// between is the middle of a range as 1s..3s, or the one time.
func between(text string) time.Duration {
	from, to, ok := strings.Cut(text, "..")
	if !ok {
		to = from
	}
	a, errA := time.ParseDuration(from)
	b, errB := time.ParseDuration(to)
	if errA != nil || errB != nil {
		return 0
	}
	return (a + b) / 2
}

// minutes is a time of whole minutes as a scenario has it.
func minutes(d time.Duration) string { return strings.TrimSuffix(d.String(), "0s") }

// some refuses an outline without anything to send.
func (d *outline) some() error {
	for _, j := range d.journeys {
		if len(j.tasks) > 0 {
			return nil
		}
	}
	return errors.New("nothing but a sign-in in it: capture what users do after it")
}
