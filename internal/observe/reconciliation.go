package observe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"vitals/internal/measure"
	"vitals/internal/routes"
)

// Reconciliation are the client's counts beside the server's own, for one run.
type Reconciliation struct {
	Requests  int64    `json:"requests"` // answers that the client counted
	Routes    int      `json:"routes"`   // on so many routes of the server
	Rows      []Row    `json:"rows,omitempty"`
	Explained []string `json:"explained,omitempty"` // differences that have a reason
	Findings  []string `json:"findings,omitempty"`  // and those that have none
	Unread    string   `json:"unread,omitempty"`    // why nothing was compared; "" when it was
}

// Row is one line: requests of one method and route that were answered with one
// status. Status 0 is no whole answer, which no server counts as such.
type Row struct {
	Method string `json:"method"`
	Route  string `json:"route"` // the server's label
	Status int    `json:"status"`
	Ours   int64  `json:"ours"`
	Theirs int64  `json:"theirs"`
	Found  bool   `json:"found,omitempty"` // it differs, and nothing explains it
}

// Terms say what may explain a difference.
type Terms struct {
	Operational func(route string) bool // routes that others ask at any time: is it up?
	Restart     bool                    // a restart was meant to happen
}

// The words that the reference API uses where no route or answer is.
const (
	unmatched  = "unmatched"
	clientGone = 499
)

// Reconcile holds the ledger against what the server counted between two
// readings.
func Reconcile(before, after *Reading, l *RequestCounts, terms Terms) *Reconciliation {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &Reconciliation{}
	if why := restarted(before, after); why != "" {
		if b.Unread = why; !terms.Restart {
			b.Findings = []string{measure.CauseRestarted + ": " + why}
		} else {
			b.Unread = "parts were restarted on purpose, and their counts began anew"
		}
		return b
	}
	theirs := map[Entry]int64{}
	labels := map[string][]string{} // of the routes, by method
	for e, n := range after.counts {
		theirs[e] = n - before.counts[e]
		if !slices.Contains(labels[e.Method], e.Route) {
			labels[e.Method] = append(labels[e.Method], e.Route)
		}
	}
	ours := map[Entry]int64{}
	book := func(e Entry, n int64) {
		slices.Sort(labels[e.Method])
		switch i := routes.Match(e.Route, labels[e.Method]); {
		case i >= 0:
			e.Route = labels[e.Method][i]
		case slices.Contains(labels[e.Method], unmatched):
			e.Route = unmatched
		}
		ours[e] += n
	}
	var front int64
	for e, n := range l.counts {
		book(e, n)
	}
	for e, n := range l.front {
		if l.ids {
			front += n
		} else {
			book(e, n)
		}
	}
	b.explain(front, "answered in front of the API, without a request ID")
	b.explain(l.never, "never reached the server: no connection could be made")
	if l.lost > 0 {
		b.Unread = fmt.Sprintf("%d requests had more paths than can be kept apart", l.lost)
		return b
	}
	b.compare(ours, theirs, before.inFlight, after.inFlight, terms)
	return b
}

// side is a method and route, whose statuses are weighed together.
type side struct{ method, route string }

func (b *Reconciliation) compare(ours, theirs map[Entry]int64, wasInFlight, inFlight int64, terms Terms) {
	groups := map[side][]Row{}
	for e := range merged(ours, theirs) {
		if ours[e] != 0 || theirs[e] != 0 {
			s := side{e.Method, e.Route}
			groups[s] = append(groups[s], Row{Method: e.Method, Route: e.Route, Status: e.Status, Ours: ours[e], Theirs: theirs[e]})
		}
	}
	var silent, silentServed, gone, probes, stragglers int64
	byRoute := func(x, y side) int { return cmp.Or(cmp.Compare(x.route, y.route), cmp.Compare(x.method, y.method)) }
	for _, s := range slices.SortedFunc(maps.Keys(groups), byRoute) {
		rows := groups[s]
		slices.SortFunc(rows, func(x, y Row) int { return cmp.Compare(x.Status, y.Status) })
		w := weigh(rows)
		b.Requests += w.answered
		if w.answered > 0 {
			b.Routes++
		}
		silent += w.silent
		// What we counted and they did not can only be among those whose client, as
		// they see it, had gone.
		hidden := min(w.missing, w.gone)
		gone += hidden
		missing, surplus := w.missing-hidden, w.surplus+w.gone-hidden
		// What they counted and we did not may be requests without an answer …
		served := min(surplus, w.silent)
		silentServed, surplus = silentServed+served, surplus-served
		if surplus > 0 && terms.Operational != nil && terms.Operational(s.route) {
			probes, surplus = probes+surplus, 0
		}
		late := min(surplus, wasInFlight) // … or were under way at the first reading
		stragglers, wasInFlight, surplus = stragglers+late, wasInFlight-late, surplus-late
		if missing > 0 || surplus > 0 {
			b.find(rows, w)
		}
		b.Rows = append(b.Rows, rows...)
	}
	if silent > 0 {
		b.Explained = append(b.Explained, fmt.Sprintf("%s no whole answer; the server counted %d of them", had(silent), silentServed))
	}
	b.explain(gone, "counted as 499 by the server: it saw the client go, after the answer")
	b.explain(probes, "health checks and readings of the metrics page, which are no load")
	b.explain(stragglers, "under way at the first reading, and answered after it")
	b.explain(inFlight, "still under way at the last reading")
}

// weight is what one route's rows differ by.
type weight struct {
	answered, silent       int64 // ours, with a whole answer and without
	missing, surplus, gone int64 // by status: ours above theirs, theirs above ours, theirs as 499
}

func weigh(rows []Row) (w weight) {
	for _, r := range rows {
		switch {
		case r.Status == 0:
			w.silent += r.Ours
			continue
		case r.Status == clientGone:
			w.gone += r.Theirs
		default:
			w.missing += max(0, r.Ours-r.Theirs)
			w.surplus += max(0, r.Theirs-r.Ours)
		}
		w.answered += r.Ours
	}
	return w
}

// find marks the rows that differ, and says so in words.
func (b *Reconciliation) find(rows []Row, w weight) {
	for i := range rows {
		r := &rows[i]
		if r.Ours == r.Theirs || r.Status == 0 {
			continue
		}
		r.Found = true
		words := fmt.Sprintf("%s %s %d: we counted %d, the server %d", r.Method, r.Route, r.Status, r.Ours, r.Theirs)
		switch {
		case w.missing > 0 || r.Theirs < r.Ours:
		case r.Ours == 0:
			words += ": somebody else uses it"
		default:
			words += ": somebody else uses it, or it counts what nobody sent"
		}
		b.Findings = append(b.Findings, words)
	}
}

func had(n int64) string {
	if n == 1 {
		return "1 request had"
	}
	return fmt.Sprintf("%d requests had", n)
}

func (b *Reconciliation) explain(n int64, why string) {
	if n > 0 {
		b.Explained = append(b.Explained, fmt.Sprintf("%d %s", n, why))
	}
}

func merged(a, b map[Entry]int64) map[Entry]int64 {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
