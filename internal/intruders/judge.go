package intruders

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// reading is what an answer to a credential says.
type reading uint8

const (
	nothing reading = iota // no answer, a server's error, a full queue: it proves nothing
	wrong                  // the credential was judged, and found wrong
	refused                // a limit turned it away
	granted                // 2xx
	unknown                // an answer that nobody declared
)

// judge reads the answers to one kind of credential by what the intruder declares,
// else the profile: the statuses of a wrong credential, and those of a refusal.
type judge struct {
	operation string // that takes the credential
	limit     profile.Limit
	wrong     []int // statuses
	refused   []int
	// opens tells whether a body has what opens a session; nil when nobody knows
	// where it would stand.
	opens func(body []byte) bool
}

// The policies that intruders try, and the published limits of the two that lock,
// for an API that has no profile.
const (
	login     = "login"
	twoFactor = "2fa_verify"
)

var published = map[string]profile.Limit{
	login:     {Limit: 5, Window: 300 * time.Second},
	twoFactor: {Limit: 10, Window: 300 * time.Second},
}

// judge is the one for an operation and the policy that it counts under.
func (g *Group) judge(in scenarios.Intruder, operation, policy string) judge {
	j := judge{operation: operation, limit: published[policy], wrong: []int{http.StatusUnauthorized}}
	if g.Profile != nil {
		j.limit = g.Profile.Limits[policy] // without one, nothing is promised
		if op, ok := g.Profile.Operations[operation]; ok {
			j.wrong = []int{op.Refusal()}
		}
	}
	j.refused = j.limit.Statuses
	if len(j.refused) == 0 {
		j.refused = []int{http.StatusTooManyRequests}
	}
	if len(in.Wrong) > 0 {
		j.wrong = in.Wrong
	}
	if len(in.Locked) > 0 {
		j.refused = in.Locked
	}
	if operation == login {
		j.opens = g.opens()
	}
	return j
}

// opens is how a sign-in's answer is known to open a session: by the fields of the
// profile, or by what the scenario's own sign-in saves of it.
func (g *Group) opens() func([]byte) bool {
	op := profile.Operation{}
	fields := []string{"access_token"}
	switch place, json := strings.CutPrefix(g.SignIn.Save["token"], "json:"); {
	case g.Profile != nil && g.Profile.Operations[login].Path != "":
		op, fields = g.Profile.Operations[login], []string{"access_token", "challenge_token"}
	case json:
		op.Fields = map[string]string{"access_token": place}
	default:
		return nil
	}
	return func(body []byte) bool {
		return slices.ContainsFunc(fields, func(name string) bool { _, ok := op.Value(body, name); return ok })
	}
}

// queueing is the longest Retry-After that is no lock: a server whose slots are
// all taken by checks in flight asks for a second or so.
func (j judge) queueing() time.Duration {
	d := 5 * time.Second
	if own := cmp.Or(j.limit.Lock, j.limit.Window); own > 0 {
		d = min(d, own/4)
	}
	return d
}

// read tells what an answer says.
func (j judge) read(a wire.Answer) reading {
	wait, told := retryAfter(a)
	switch {
	case a.Status == 0:
		return nothing
	case slices.Contains(j.refused, a.Status) && (told || !slices.Contains(j.wrong, a.Status)):
		// Whoever is told to come back at once is refused all the same.
		if wait > 0 && wait <= j.queueing() {
			return nothing
		}
		return refused
	case slices.Contains(j.wrong, a.Status):
		return wrong
	case a.Status/100 == 2:
		return granted
	case a.Status >= http.StatusInternalServerError:
		return nothing
	}
	return unknown
}

// broke tells whether the request made the server fail: a 503 sheds load in order.
func (j judge) broke(a wire.Answer) bool {
	return a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable && j.read(a) == nothing
}

// retryAfter is the wait that an answer asks for, and whether it names one.
func retryAfter(a wire.Answer) (time.Duration, bool) {
	s, err := strconv.Atoi(a.Header.Get("Retry-After"))
	return time.Duration(max(0, s)) * time.Second, err == nil
}

// told is the limit that an answer's own headers name.
func told(a wire.Answer) (limit int, ok bool) {
	limit, err := strconv.Atoi(a.Header.Get("X-RateLimit-Limit"))
	return limit, err == nil
}

// succeeded tells whether the server gave what was asked for.
func succeeded(a wire.Answer) bool { return a.Status/100 == 2 }

// undeclared names answers that nobody declared, by their status.
func (j judge) undeclared(counts map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d (%d times) is no answer that is known", status, counts[status]))
	}
	return fmt.Sprintf("%s: a wrong credential is answered %s and a refusal %s, by the profile (refused: of operation %s, statuses: of its limit) or the intruder (wrong:, locked:)",
		strings.Join(parts, ", "), list(j.wrong), list(j.refused), j.operation)
}

// list is "401 or 403".
func list(statuses []int) string {
	var words []string
	for _, s := range statuses {
		words = append(words, strconv.Itoa(s))
	}
	return strings.Join(words, " or ")
}
