package intruders

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// finding is a figure over intruders of every kind.
type finding struct {
	name  string
	worst bool // of the worst address; else the sum
	note  string
	// of is what one attack adds, and of how many observations; false when the
	// attack is none that the figure is about.
	of func(a *Attack) (value, n int, about bool)
}

var findings = []finding{
	{"intruders.leaked", false, "", func(a *Attack) (int, int, bool) {
		return a.Granted + a.Leaked + a.AfterLock, a.tried(), a.Kind != scenarios.Slowloris
	}},
	{"intruders.excess", true, "in any window of the limit", func(a *Attack) (int, int, bool) {
		return a.Excess, a.Judged + a.Refused, a.guesses() && !a.Grows
	}},
	{"intruders.wrong", false, "", func(a *Attack) (int, int, bool) {
		return a.Wrong, a.tried(), a.Kind != scenarios.Slowloris
	}},
	{"intruders.open", false, "past its own timeout and 2s of grace, or kept after it refused a body", func(a *Attack) (int, int, bool) {
		return a.Open, a.Opened, a.Kind == scenarios.Slowloris || a.Kind == scenarios.OversizedBody
	}},
	{"intruders.harmed", false, "", func(a *Attack) (int, int, bool) {
		return a.Harmed, a.Standing, a.guesses() && !a.Everywhere
	}},
}

// tried is how many hostile requests were judged or refused.
func (a *Attack) tried() int {
	n := a.Judged + a.Refused + a.Knowing + a.Reused
	if a.Kind == scenarios.OversizedBody {
		n += a.Opened
	}
	return n
}

// guesses tells whether the attack is one on a credential that a limit guards.
func (a *Attack) guesses() bool {
	return a.locks() || a.Kind == scenarios.PasswordSpraying || a.Kind == scenarios.CodeGuessing
}

// Findings are the figures over intruders of every kind. One address that got
// through is a leak, however well the others held. A zero is told only when
// every attack that the figure is about had its say: what could not be shown is
// no pass.
func Findings(attacks []Attack) (facts []measure.Fact) {
	for _, f := range findings {
		fact := measure.Fact{Name: f.name, Note: f.note}
		mute := false
		for i := range attacks {
			value, n, about := f.of(&attacks[i])
			if !about {
				continue
			}
			mute = mute || !attacks[i].Complete
			fact.N += int64(n)
			if f.worst {
				fact.Value = max(fact.Value, float64(value))
			} else {
				fact.Value += float64(value)
			}
		}
		fact.Note = cmp.Or(strings.Join(explained(f.name, attacks), "; "), fact.Note)
		if fact.Value > 0 || fact.N > 0 && !mute {
			facts = append(facts, fact)
		}
	}
	return facts
}

// servedOf says which dead tokens opened something, and how often each.
func servedOf(attacks []Attack) (words []string) {
	var all Attack
	for _, a := range attacks {
		all.add(a)
	}
	for _, what := range slices.Sorted(maps.Keys(all.Served)) {
		words = append(words, fmt.Sprintf("%s: %d times", what, all.Served[what]))
	}
	return words
}

// Told is a line for each intruder that is no plain guesser of passwords, for
// whom the lockout's figures speak, and one for each that shows nothing.
func Told(attacks []Attack) (lines []string) {
	for _, sum := range summed(attacks) {
		for _, words := range append(sum.gains(), sum.words(), sum.replaced()) {
			if words != "" {
				lines = append(lines, fmt.Sprintf("intruder %q (%s): %s", sum.Intruder, sum.Kind, words))
			}
		}
	}
	return append(lines, troubles(attacks)...)
}

// summed are the attacks of each intruder together, in the order of their first.
func summed(attacks []Attack) (sums []*Attack) {
	for _, a := range attacks {
		i := slices.IndexFunc(sums, func(sum *Attack) bool { return sum.Intruder == a.Intruder })
		if i < 0 {
			i, sums = len(sums), append(sums, &Attack{Intruder: a.Intruder, Kind: a.Kind})
		}
		sums[i].add(a)
	}
	return sums
}

// add adds up what Told says of an intruder.
func (a *Attack) add(o Attack) {
	a.Addresses += max(1, o.Addresses)
	a.Judged, a.Refused, a.Lost = a.Judged+o.Judged, a.Refused+o.Refused, a.Lost+o.Lost
	a.Granted, a.Wrong, a.Reused = a.Granted+o.Granted, a.Wrong+o.Wrong, a.Reused+o.Reused
	for what, n := range o.Served {
		if a.Served == nil {
			a.Served = map[string]int{}
		}
		a.Served[what] += n
	}
	a.Disguised, a.NoWait = a.Disguised+o.Disguised, a.NoWait+o.NoWait
	a.Turned, a.Unread, a.Unreadable = a.Turned+o.Turned, a.Unread+o.Unread, cmp.Or(a.Unreadable, o.Unreadable)
	a.Opened, a.Open, a.Longest = a.Opened+o.Opened, a.Open+o.Open, max(a.Longest, o.Longest)
	a.Planned, a.Sent, a.Missed = a.Planned+o.Planned, a.Sent+o.Sent, a.Missed+o.Missed
	a.Sure += o.Sure
	a.Knowing, a.Leaked, a.Veiled = a.Knowing+o.Knowing, a.Leaked+o.Leaked, a.Veiled+o.Veiled
	a.Standing, a.Again, a.Replaced = a.Standing+o.Standing, a.Again+o.Again, a.Replaced+o.Replaced
	a.Excess, a.AfterLock = max(a.Excess, o.Excess), a.AfterLock+o.AfterLock
	a.Rate, a.Lag = o.Rate, o.Lag
}

// gains are what nobody should have answered.
func (a *Attack) gains() (lines []string) {
	if a.Granted > 0 && a.guesses() {
		lines = append(lines, a.granted())
	}
	if a.Disguised > 0 {
		lines = append(lines, a.disguised())
	}
	if a.Kind == scenarios.HeaderSpoofing && a.Excess+a.AfterLock > 0 {
		lines = append(lines, fmt.Sprintf("each guess named another client address in %s: from one address, %d more were judged than the limit admits, and %d after a refusal",
			strings.Join(addressHeaders, ", "), a.Excess, a.AfterLock))
	}
	if a.NoWait > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d refusals said Retry-After: 0, so that whoever obeys is refused again", a.NoWait, a.Turned))
	}
	if a.Unread > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d refusals said Retry-After: %.40q, which is neither whole seconds nor a date", a.Unread, a.Turned, a.Unreadable))
	}
	return lines
}

// replaced says that earlier guesses at its victims were met.
func (a *Attack) replaced() string {
	switch a.Replaced {
	case 0:
		return ""
	case 1:
		return "a victim was refused before it was attacked, for an earlier run, or somebody else, guessed at it: a spare account took its place"
	}
	return fmt.Sprintf("%d victims were refused before they were attacked, for an earlier run, or somebody else, guessed at them: spare accounts took their places", a.Replaced)
}

func (a *Attack) words() string {
	from := "1 address"
	if a.Addresses > 1 {
		from = fmt.Sprintf("%d addresses", a.Addresses)
	}
	switch {
	case a.Kind == scenarios.PasswordSpraying && a.Planned > 0:
		return fmt.Sprintf("%d of %d guesses sent from %s at %g/s (%d missed for want of a free connection, own lag p95 %s): %d judged, %d refused by a lock, %d shed or unanswered; the %d right sign-ins of those attacked took %d more tries, shed or unanswered",
			a.Sent, a.Planned, from, a.Rate, a.Missed, a.Lag.Round(10*time.Microsecond), a.Judged, a.Refused, a.Lost, a.Standing, a.Again)
	case a.Kind == scenarios.TokenReplay && a.Reused > 0:
		return strings.Join(append([]string{fmt.Sprintf("%d dead tokens presented from %s, %d served", a.Reused, from, a.Granted)}, servedOf([]Attack{*a})...), "; ")
	case a.Kind == scenarios.Slowloris && a.Opened > 0:
		return fmt.Sprintf("%d connections opened from %s, %d cut, %d still open past their bound; the longest lived %s, %d could not be opened",
			a.Opened, from, a.Opened-a.Open, a.Open, a.Longest.Round(time.Millisecond), a.Lost)
	case a.Kind == scenarios.OversizedBody && a.Opened > 0:
		return fmt.Sprintf("%d bodies sent from %s, %d refused by 413 or a cut, %d connections kept", a.Opened, from, a.Opened-a.Granted-a.Wrong, a.Open)
	case a.Kind != scenarios.PasswordGuessing && a.Judged+a.Refused > 0:
		return fmt.Sprintf("%d judged and %d refused from %s", a.Judged, a.Refused, from)
	}
	return ""
}

// troubles are the reasons why an attack proves nothing.
func troubles(attacks []Attack) (lines []string) {
	for _, a := range attacks {
		who := fmt.Sprintf("intruder %q", strings.TrimSpace(a.Intruder))
		if a.From.IsValid() {
			who += " from " + a.From.String()
		}
		switch {
		case a.Complete && a.Trouble != "":
			lines = append(lines, fmt.Sprintf("%s: %s", who, a.Trouble))
		case !a.Complete:
			words := fmt.Sprintf("it was cut short after %d judged, %d refused and %d unanswered tries", a.Judged, a.Refused, a.Lost)
			if a.silence != "" {
				words = a.unanswered()
			}
			lines = append(lines, fmt.Sprintf("%s is NO DATA: %s", who, cmp.Or(a.Trouble, words)))
		}
	}
	return lines
}

// unanswered is what came of tries of which several in a row met silence.
func (a *Attack) unanswered() string {
	refused := ""
	if a.Refused > 0 {
		refused = fmt.Sprintf(", %d refused", a.Refused)
	}
	return fmt.Sprintf("%d judged%s, %d tries unanswered: %s", a.Judged, refused, a.Lost, a.silence)
}

// Silent are the names of intruders of which an attack proves nothing, each once.
func Silent(attacks []Attack) (names []string) {
	for _, a := range attacks {
		if name := strings.TrimSpace(a.Intruder); !a.Complete && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// NotShown are the reasons why figures of controls are absent, each once: attacks
// that prove nothing, by their intruder, and a wait that no refusal told.
func NotShown(attacks []Attack) (why []string) {
	type silent struct{ intruder, trouble, silence string }
	sums := map[silent]*Attack{}
	var order []silent
	var locks Attack
	for _, a := range attacks {
		if words := fmt.Sprintf("intruder %q: %s", strings.TrimSpace(a.Intruder), a.Trouble); a.Complete && a.locks() && a.Promised == 0 && a.Trouble != "" && !slices.Contains(why, words) {
			why = append(why, words) // it was let in nowhere, and met no lock
		}
		if a.Complete && a.locks() && a.Promised > 0 {
			locks.add(a)
			locks.RetryAfter = max(locks.RetryAfter, a.RetryAfter)
		}
		if a.Complete {
			continue
		}
		s := silent{strings.TrimSpace(a.Intruder), a.Trouble, a.silence}
		if a.Trouble != "" {
			s.silence = ""
		}
		if sums[s] == nil {
			order, sums[s] = append(order, s), &Attack{silence: a.silence}
		}
		sums[s].add(a)
	}
	for _, s := range order {
		from, words := "", "it was cut short"
		if n := sums[s].Addresses; n > 1 {
			from = fmt.Sprintf(", from %d addresses,", n)
		}
		if s.silence != "" {
			words = sums[s].unanswered()
		}
		why = append(why, fmt.Sprintf("intruder %q%s shows nothing: %s", s.intruder, from, cmp.Or(s.trouble, words)))
	}
	if slices.ContainsFunc(attacks, func(a Attack) bool { return a.Grows }) {
		why = append(why, "intruders.excess: the profile promises a wait that grows with each try, which the guesses of a sprayer are not held to (those of password guessing are, and those of vitals audit --only LK2)")
	}
	if slices.ContainsFunc(attacks, func(a Attack) bool { return a.Everywhere }) {
		why = append(why, "intruders.harmed: the limit that was attacked counts by account, so that whoever is guessed at is refused from everywhere, by promise: nobody can be harmed by its lock beyond that")
	}
	if locks.Turned > 0 && locks.RetryAfter == 0 {
		words := "no refusal had a Retry-After"
		switch {
		case locks.Unread > 0:
			words = fmt.Sprintf("refusals said Retry-After: %.40q, which is neither whole seconds nor a date", locks.Unreadable)
		case locks.NoWait > 0:
			words = "refusals said Retry-After: 0, or a time that is past"
		}
		why = append(why, fmt.Sprintf("lockout.retry_after: %s (%d refusals)", words, locks.Turned))
	}
	return why
}

// What an attack at a rate must have been for anybody to have felt it, and to
// have felt the server and not us (LK28).
const (
	minSent = 0.9
	maxLag  = 10 * time.Millisecond
)

// Doubts are the reasons why an attack was not the one that was declared, so
// that what honest users felt of it says nothing.
func Doubts(attacks []Attack) (why []string) {
	for _, a := range attacks {
		if a.Planned == 0 {
			continue
		}
		if share := float64(a.Sent) / float64(a.Planned); share < minSent {
			why = append(why, fmt.Sprintf("intruder %q sent %.0f of %.0f guesses a second, want at least %.0f%%: %d found none of our %d connections free",
				a.Intruder, share*a.Rate, a.Rate, 100*minSent, a.Missed, senders))
		}
		if a.Lag > maxLag {
			why = append(why, fmt.Sprintf("intruder %q was late by ourselves: lag p95 %s, bound %s", a.Intruder, a.Lag.Round(10*time.Microsecond), maxLag))
		}
	}
	return why
}
