package intruders

import (
	"fmt"
	"strings"

	"vitals/scenarios"
)

// explained says what a figure comes of, where more than one thing could be meant.
func explained(name string, attacks []Attack) (why []string) {
	var sum, forger, large Attack // of credentials, but large of bodies
	waits := false
	for _, a := range attacks {
		if a.guesses() {
			sum.add(a)
		}
		if a.Kind == scenarios.HeaderSpoofing {
			forger.add(a)
		}
		if a.Kind == scenarios.OversizedBody {
			large.add(a)
		}
		waits = waits || a.Waits
	}
	tell := func(n int, words string) {
		if n > 0 {
			why = append(why, words)
		}
	}
	switch name {
	case "intruders.leaked":
		tell(forger.Excess+forger.AfterLock, fmt.Sprintf("each guess forged another client address (%s and %d more headers)", addressHeaders[0], len(addressHeaders)-1))
		tell(sum.Granted, sum.granted())
		tell(large.Granted, fmt.Sprintf("%d bodies that are too large were taken", large.Granted))
		tell(sum.AfterLock, fmt.Sprintf("%d wrong credentials were judged after a refusal", sum.AfterLock))
		tell(sum.Leaked, sum.leaked())
		return append(why, servedOf(attacks)...)
	case "intruders.excess":
		tell(forger.Excess, "some with forged client addresses")
		if waits {
			why = append(why, "judged before the wait was over that the ones before made due")
		}
	case "intruders.wrong":
		tell(sum.Disguised, sum.disguised())
		tell(sum.Veiled, sum.veiled())
	}
	return why
}

// Granted are what intruders were granted that nobody may be, in words: a wrong
// credential that was accepted, and, where a profile promises a lock, a right one in it
// and an error that is told as a success; and what signing out has ended, where a profile
// declares that it is refused. It fails a run whatever its targets ask for.
func Granted(attacks []Attack, promised bool) (lines []string) {
	for _, a := range summed(attacks) {
		tell := func(n int, words string) {
			if n > 0 && a.guesses() {
				lines = append(lines, fmt.Sprintf("intruder %q (%s): %s", a.Intruder, a.Kind, words))
			}
		}
		tell(a.Sure, a.granted()) // a form may be shown again with 200
		if a.Kind == scenarios.TokenReplay && a.Sure > 0 {
			lines = append(lines, fmt.Sprintf("intruder %q (%s): dead tokens were served: %s", a.Intruder, a.Kind, strings.Join(servedOf([]Attack{*a}), "; ")))
		}
		if promised {
			tell(a.Leaked, a.leaked())
			tell(a.Disguised, a.disguised())
			tell(a.Veiled, a.veiled())
		}
	}
	return lines
}

func (a *Attack) granted() string {
	return fmt.Sprintf("%d of %d wrong credentials were accepted", a.Granted, a.Judged)
}

func (a *Attack) leaked() string {
	return fmt.Sprintf("%d of %d right credentials were accepted while they were to be refused", a.Leaked, a.Knowing)
}

func (a *Attack) veiled() string {
	return fmt.Sprintf("%d of %d right credentials were answered 2xx without a token while they were to be refused", a.Veiled, a.Knowing)
}

func (a *Attack) disguised() string {
	return fmt.Sprintf("%d of %d wrong credentials were answered 2xx without a token: let in, if a session is a cookie, else errors in disguise, which a client takes for success", a.Disguised, a.Judged)
}
