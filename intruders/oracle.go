package intruders

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"vitals/measure"
)

// Attack is what one address saw of the lockout.
type Attack struct {
	Intruder   string
	From       netip.Addr
	AtOnce     bool
	Limit      int           // as the server's own X-RateLimit-Limit says; 0 untold
	Judged     int           // wrong passwords that were answered other than by 429
	Refused    int           // wrong passwords answered by a lock's 429
	AfterLock  int           // judged although an earlier one was refused
	Lost       int           // 5xx, no answer, or a full queue's 429: proves nothing
	RetryAfter time.Duration // the longest announced wait
	Knowing    int           // right passwords tried from the locked address
	Leaked     int           // of those, let through
	Standing   int           // right passwords tried from elsewhere meanwhile
	Harmed     int           // of those, refused
	Spread     time.Duration // AtOnce: from the first to the last release
	Complete   bool
	Trouble    string // what went wrong with its burst
}

// published is the limit of the login policy in both guides (hardening 2.5.1),
// used to pick the worst address where the server does not tell its own.
const published = 5

// Facts are the lockout's figures, worst address first in mind: one address
// that got six judged is a leak, however well the others held. honestRefused
// is how many requests of honest users were answered by 429 (a 503 sheds load
// and is no limit's doing). A figure nobody observed is absent.
func Facts(attacks []Attack, honestRefused int64) []measure.Fact {
	var facts []measure.Fact
	var judged, knowing, leaked, standing, harmed, after int
	var n int64
	worst, complete := published, 0
	var retry time.Duration
	for _, a := range attacks {
		if !a.Complete {
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

func off(judged int) int { return max(judged-published, published-judged) }

func admittedNote(attacks []Attack, complete, judged int) string {
	var spread time.Duration
	bursts := 0
	for _, a := range attacks {
		if a.Complete && a.AtOnce && a.Trouble == "" {
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

// Troubles are the reasons why an attack proves nothing, for the report.
func Troubles(attacks []Attack) []string {
	var out []string
	for _, a := range attacks {
		if a.Complete && a.Trouble != "" {
			// Its guesses were judged and are counted; that they came at once is not shown.
			out = append(out, fmt.Sprintf("intruder %q from %s proves nothing about guesses at the same time: %s", a.Intruder, a.From, a.Trouble))
		}
		if a.Complete {
			continue
		}
		why := a.Trouble
		if why == "" {
			why = fmt.Sprintf("it was cut short after %d judged, %d refused and %d unanswered guesses", a.Judged, a.Refused, a.Lost)
		}
		out = append(out, fmt.Sprintf("intruder %q from %s proves nothing: %s", strings.TrimSpace(a.Intruder), a.From, why))
	}
	return out
}
