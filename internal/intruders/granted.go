package intruders

import (
	"fmt"
	"strings"

	"vitals/scenarios"
)

// explained says what a figure comes of, where more than one thing could be meant.
func explained(name string, attacks []Attack) []string {
	var sum, forger Attack
	for _, a := range attacks {
		sum.add(a)
		if a.Kind == scenarios.HeaderSpoofing {
			forger.add(a)
		}
	}
	switch {
	case name == "intruders.leaked" && forger.Excess+forger.AfterLock > 0:
		return append(servedOf(attacks), "guesses among them that each named another client address in "+strings.Join(addressHeaders, ", "))
	case name == "intruders.leaked":
		return servedOf(attacks)
	case name == "intruders.wrong" && sum.Disguised > 0:
		return []string{sum.disguised()}
	}
	return nil
}

// Granted are what intruders were granted that nobody may be, in words: a wrong
// credential that was accepted, and, where a profile promises a lock, a right one in it
// and an error that is told as a success. It fails a run whatever its targets ask for.
func Granted(attacks []Attack, promised bool) (lines []string) {
	for _, a := range summed(attacks) {
		tell := func(n int, words string) {
			if n > 0 && a.guesses() {
				lines = append(lines, fmt.Sprintf("intruder %q (%s): %s", a.Intruder, a.Kind, words))
			}
		}
		tell(a.Granted, a.granted())
		if promised {
			tell(a.Leaked, fmt.Sprintf("%d of %d right credentials were accepted while they were to be refused", a.Leaked, a.Knowing))
			tell(a.Disguised, a.disguised())
		}
	}
	return lines
}

func (a *Attack) granted() string {
	return fmt.Sprintf("%d of %d wrong credentials were accepted", a.Granted, a.Judged)
}

func (a *Attack) disguised() string {
	return fmt.Sprintf("%d of %d wrong credentials were answered 2xx without a token: errors in disguise, which a client takes for success", a.Disguised, a.Judged)
}
