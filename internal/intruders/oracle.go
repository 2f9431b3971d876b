package intruders

import (
	"fmt"
	"net/netip"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// Attack is what one address saw, or all addresses of one that sprays.
type Attack struct {
	Intruder  string
	Kind      string
	From      netip.Addr // of one that sprays: none
	Addresses int        // of one that sprays
	AtOnce    bool
	Limit     int // as the server's own X-RateLimit-Limit says; 0 untold

	Judged     int           // wrong credentials that were answered other than by 429
	Granted    int           // hostile requests answered 2xx: wrong credentials, dead tokens, bodies too large
	Refused    int           // wrong credentials answered by a lock's 429
	AfterLock  int           // judged although an earlier one was refused
	Excess     int           // judged beyond the promised limit, at the worst address
	Wrong      int           // answers that are neither: 500s, and forms that were taken
	Lost       int           // 503, no answer, or a full queue's 429: proves nothing
	RetryAfter time.Duration // the longest announced wait
	Knowing    int           // right credentials tried from the locked address
	Leaked     int           // of those, let through
	Standing   int           // right credentials tried from elsewhere meanwhile
	Harmed     int           // of those, refused
	Again      int           // of one that sprays: tries of those that were shed or unanswered, and sent again
	Reused     int           // dead tokens presented, and judged
	Opened     int           // connections that dribbled, or carried a body
	Open       int           // of those, not cut in time
	Longest    time.Duration // that a dribbling connection lived

	Spread                time.Duration // AtOnce: from the first to the last release
	Rate                  float64       // of one that sprays: guesses a second, as declared
	Planned, Sent, Missed int           // of its guesses; missed for want of a free sender
	Lag                   time.Duration // 95th percentile of our own lateness

	Began, Ended time.Duration // of its requests, as offsets from the run's start
	Complete     bool
	Trouble      string // what went wrong with it
}

// at notes when a request of the attack was on its way.
func (a *Attack) at(s *measure.Sample) {
	if a.Ended == 0 || s.Sent < a.Began {
		a.Began = s.Sent
	}
	a.Ended = max(a.Ended, s.Done)
}

// locks tells whether the attack is one on the lockout: from one address, on and
// on, until it is locked out. The facts lockout.* are of these.
func (a *Attack) locks() bool {
	return a.Kind == scenarios.PasswordGuessing || a.Kind == scenarios.HeaderSpoofing
}

// Facts are the lockout's figures, worst address first in mind: one address
// that got six judged is a leak, however well the others held. honestRefused
// is how many requests of honest users were answered by 429 (a 503 sheds load
// and is no limit's doing). A figure nobody observed is absent.
func Facts(attacks []Attack, honestRefused int64) []measure.Fact {
	var facts []measure.Fact
	var judged, knowing, leaked, standing, harmed, after int
	var n int64
	limit := published[login].Limit // picks the worst where the server tells none
	off := func(judged int) int { return max(judged-limit, limit-judged) }
	worst, complete := limit, 0
	var retry time.Duration
	for _, a := range attacks {
		if !a.Complete || !a.locks() {
			continue
		}
		complete++
		n += int64(a.Judged + a.Refused)
		judged += a.Judged
		if off(a.Judged) > off(worst) {
			worst = a.Judged
		}
		knowing, leaked = knowing+a.Knowing, leaked+a.Leaked
		standing, harmed = standing+a.Standing, harmed+a.Harmed
		after += a.AfterLock
		retry = max(retry, a.RetryAfter)
	}
	if complete == 0 {
		return nil
	}
	facts = append(facts,
		measure.Fact{Name: "lockout.admitted", Value: float64(worst), N: n, Note: admittedNote(attacks, complete, judged)},
		measure.Fact{Name: "lockout.leaked", Value: float64(leaked + after), N: int64(knowing),
			Note: "right passwords let through while locked, and guesses judged after the first refusal"},
		measure.Fact{Name: "lockout.bystanders", Value: float64(int64(harmed) + honestRefused), N: int64(standing),
			Note: "honest requests refused by a limit, and the attacked accounts refused from another address"},
	)
	if retry > 0 {
		facts = append(facts, measure.Fact{Name: "lockout.retry_after", Value: retry.Seconds(), Unit: "s", N: n, Note: "longest Retry-After announced"})
	}
	return facts
}

func admittedNote(attacks []Attack, complete, judged int) string {
	var spread time.Duration
	bursts := 0
	for _, a := range attacks {
		if a.Complete && a.locks() && a.AtOnce && a.Trouble == "" {
			bursts++
			spread = max(spread, a.Spread)
		}
	}
	note := fmt.Sprintf("worst of %d addresses, %d wrong passwords judged in all", complete, judged)
	if bursts > 0 {
		note += fmt.Sprintf("; %d of them guessed at once, released within %v", bursts, spread.Round(10*time.Microsecond))
	}
	return note
}
