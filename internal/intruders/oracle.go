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
	Intruder   string
	Kind       string
	From       netip.Addr // of one that sprays: none
	Addresses  int        // of one that sprays
	AtOnce     bool
	Waits      bool // the limit is a wait that grows by promise: Excess are those judged before it was over
	Grows      bool // of one that sprays: the limit is a wait that grows by promise: how many that admits is not counted
	Everywhere bool // the lock is the account's by promise: its owner is refused wherever they come from
	Limit      int  // as the server's own X-RateLimit-Limit says; 0 untold
	Promised   int  // limit that is promised; 0 = none

	Judged     int            // wrong credentials that no limit refused
	Admitted   int            // of one that is to be locked out: of those, judged before its lock
	Granted    int            // hostile requests that were let in: wrong credentials, dead tokens, bodies too large
	Sure       int            // of wrong credentials that were let in: those of which it is known what opens a session, or a profile declares it; and tokens that were served after signing out, where a profile declares how they are refused
	Disguised  int            // wrong credentials answered 2xx without what opens a session: errors in disguise
	Refused    int            // wrong credentials that a lock refused
	Unknown    map[int]int    // answers that are neither a declared judgement nor a declared refusal, by status
	Turned     int            // refusals by a lock of whatever credential
	NoWait     int            // of those, that asked to come back after 0 seconds
	Unread     int            // of those, whose Retry-After is neither seconds nor a date
	Unreadable string         // the first of these
	AfterLock  int            // judged although an earlier one was refused
	Excess     int            // judged beyond the promised limit, at the worst address
	Wrong      int            // answers that are wrong in themselves: server errors, and errors in disguise
	Lost       int            // 503, no answer, or a full queue's refusal: proves nothing
	RetryAfter time.Duration  // the longest announced wait
	Knowing    int            // right credentials tried from the locked address
	Leaked     int            // of those, let through
	Veiled     int            // of those, answered 2xx without what opens a session: errors in disguise
	Standing   int            // right credentials tried from elsewhere meanwhile
	Harmed     int            // of those, refused
	Replaced   int            // victims that gave way to a spare account: theirs was refused before
	Again      int            // of one that sprays: tries of those that were shed or unanswered, and sent again
	Reused     int            // dead tokens presented, and judged
	Served     map[string]int // of those, granted: by which token it was
	Opened     int            // connections that were held open, or carried a body
	Open       int            // of those, not cut in time
	Longest    time.Duration  // that a connection which was held open lived

	Spread                time.Duration // AtOnce: from the first to the last release
	Rate                  float64       // of one that sprays: guesses a second, as declared
	Planned, Sent, Missed int           // of its guesses; missed for want of a free sender
	Lag                   time.Duration // 95th percentile of our own lateness

	Began, Ended time.Duration // of its requests, as offsets from the run's start
	Complete     bool
	Trouble      string // what went wrong with it
	undeclared   string // the words for Unknown
	silence      string // why several tries in a row were not judged; "" = none such
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
// is how many requests of honest users a limit refused (a 503 sheds load and is no
// limit's doing). A figure nobody observed is absent.
func Facts(attacks []Attack, honestRefused int64) []measure.Fact {
	var facts []measure.Fact
	var judged, knowing, leaked, standing, harmed, after int
	var n int64
	off := func(judged, limit int) int { return max(judged-limit, limit-judged) }
	worst, most, complete := 0, -1, 0
	var retry time.Duration
	for _, a := range attacks {
		if !a.Complete || !a.locks() || a.Promised == 0 {
			continue
		}
		complete++
		n += int64(a.Judged + a.Refused)
		judged += a.Judged
		if d := off(a.Admitted, a.Promised); d > most {
			worst, most = a.Admitted, d
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
		measure.Fact{Name: "lockout.bystanders", Value: float64(int64(harmed) + honestRefused), N: int64(standing)},
	)
	if knowing+after > 0 { // a lock was met
		facts = append(facts, measure.Fact{Name: "lockout.leaked", Value: float64(leaked + after), N: int64(knowing + after)})
	}
	if retry > 0 {
		facts = append(facts, measure.Fact{Name: "lockout.retry_after", Value: retry.Seconds(), Unit: "s", N: n})
	}
	return facts
}

func admittedNote(attacks []Attack, complete, judged int) string {
	var spread time.Duration
	bursts, promised, whose := 0, 0, "addresses"
	for _, a := range attacks {
		if a.locks() {
			promised = max(promised, a.Promised)
		}
		if a.locks() && a.Everywhere {
			whose = "accounts"
		}
		if a.Complete && a.locks() && a.AtOnce && a.Trouble == "" {
			bursts++
			spread = max(spread, a.Spread)
		}
	}
	if complete == 1 {
		whose = map[string]string{"addresses": "address", "accounts": "account"}[whose]
	}
	note := fmt.Sprintf("worst of %d %s, %d promised, %d wrong passwords judged in all", complete, whose, promised, judged)
	if bursts > 0 {
		note += fmt.Sprintf("; %d of them guessed at once, released within %v", bursts, spread.Round(10*time.Microsecond))
	}
	return note
}
