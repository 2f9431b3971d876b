package intruders

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// judge reads the answers to one kind of credential by what the intruder declares,
// else the profile.
type judge struct {
	profile.Judge
	// opens tells whether an answer has what opens a session; nil when nobody knows
	// where it would stand.
	opens func(wire.Answer) bool
	// sure tells that what opens a session is known, or declared: who is let in is.
	sure bool
	// unsaid tells that a redirect is what the scenario expects of a sign-in, and that
	// nobody says what a wrong credential is answered: many answer it by a redirect, too.
	unsaid bool
	// bare tells that no profile is known: what its Limit says nobody promised, and a
	// lock lasts as long as its own refusals say.
	bare bool
}

// The readings, by shorter names.
const (
	nothing = profile.Nothing
	wrong   = profile.Wrong
	refused = profile.Refused
	granted = profile.Granted
	unknown = profile.Unknown
)

type reading = profile.Reading

// The policies that intruders try, and the published limits of the two that lock: what
// an API that has no profile is compared with where somebody's own targets ask for it.
const (
	login     = "login"
	twoFactor = "2fa_verify"
)

var published = map[string]profile.Limit{
	login:     {Limit: 5, Window: 300 * time.Second},
	twoFactor: {Limit: 10, Window: 300 * time.Second},
}

// policy is what the profile calls the limit of a role.
func (g *Group) policy(role string) string {
	if g.Profile == nil {
		return role
	}
	return g.Profile.Role(role)
}

// judge is the one for an operation and the policy that it counts under.
func (g *Group) judge(in scenarios.Intruder, operation, policy string) judge {
	p := g.Profile
	if p == nil {
		p = &profile.Profile{Limits: published}
	}
	j := judge{Judge: p.Judge(operation, p.Limits[policy]), bare: g.Profile == nil} // without a limit, none is promised
	if len(in.Wrong) > 0 {
		j.Wrong = in.Wrong
	}
	if len(in.Locked) > 0 {
		j.Refused = in.Locked
	}
	if operation == login {
		j.opens, j.sure = g.opens()
	}
	if ok := g.SignIn.Expect.Status; operation == login && j.bare && len(ok) > 0 && !slices.ContainsFunc(ok, func(status int) bool { return status/100 == 2 }) {
		j.OK, j.unsaid = ok[0], ok[0]/100 == 3 && len(in.Wrong) == 0
	}
	j.sure = j.sure || !j.bare
	return j
}

// opens is how a sign-in's answer is known to open a session: by the fields of the
// profile, or by what the scenario's own sign-in saves of it; sure where that is so. Where
// users keep cookies and neither has a place for a token, a cookie is one, though of one
// that no profile tells of it may be anybody's.
func (g *Group) opens() (opens func(wire.Answer) bool, sure bool) {
	op := profile.Operation{}
	fields := []string{"access_token"}
	switch place, json := strings.CutPrefix(g.SignIn.Save["token"], "json:"); {
	case g.Profile != nil && g.Profile.Operations[login].Path != "":
		op, fields = g.Profile.Operations[login], []string{"access_token", "challenge_token"}
	case json:
		op.Fields = map[string]string{"access_token": place}
	case g.Profile == nil && g.Cookies:
		return sets, false
	default:
		return nil, false
	}
	cookie := g.Cookies && op.Fields["access_token"] == "" && g.SignIn.Save["token"] == ""
	return func(a wire.Answer) bool {
		return cookie && sets(a) || slices.ContainsFunc(fields, func(name string) bool { _, ok := op.Value(a.Body, name); return ok })
	}, true
}

// sets tells whether an answer sets a cookie, and does not take one away.
func sets(a wire.Answer) bool {
	return slices.ContainsFunc((&http.Response{Header: a.Header}).Cookies(), func(c *http.Cookie) bool { return c.Value != "" && c.MaxAge >= 0 })
}

// read tells what an answer says.
func (j judge) read(a wire.Answer) reading {
	wait, told := retryAfter(a)
	r := j.Read(a.Status, wait, told)
	if r == granted && j.unsaid {
		return unknown
	}
	return r
}

// undeclared names the answers that nobody declared.
func (j judge) undeclared(counts map[int]int) string {
	if n := counts[j.OK]; j.unsaid && n > 0 && len(counts) == 1 {
		return fmt.Sprintf("%d (answers: %d) may be of a right credential, as the scenario expects, of a wrong one or of a lock: say which in a profile (ok: %d of login), or by wrong: and locked: of the intruder", j.OK, n, j.OK)
	}
	return j.Undeclared(counts) + ", else wrong: and locked: of the intruder"
}

// due is what a step's request is to be answered, in words.
func (j judge) due(step string) string {
	wrong, refused := profile.Statuses(j.Wrong), profile.Statuses(j.Refused)
	switch step {
	case stepStanding, stepPreparing:
		if j.OK != 0 {
			return strconv.Itoa(j.OK)
		}
		return "success"
	case stepRefused, stepKnowing, stepRefusedCode, stepKnowingCode:
		return "a refusal by the limit, " + refused
	case stepReusing:
		return "a dead token refused, " + wrong
	case stepSpraying:
		return wrong + ", or a refusal by the limit, " + refused
	}
	return "a wrong credential refused, " + wrong
}

// refuses tells whether an answer is a refusal, be it a full queue's.
func (j judge) refuses(a wire.Answer) bool {
	_, told := retryAfter(a)
	return j.Refuses(a.Status, told)
}

// broke tells whether the request made the server fail: a 503 sheds load in order.
func (j judge) broke(a wire.Answer) bool {
	return a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable && j.read(a) == nothing
}

// retryAfter is the wait that an answer asks for, and whether it names one.
func retryAfter(a wire.Answer) (time.Duration, bool) {
	s, told := limitcheck.Wait(a.Header.Get("Retry-After"), a.Done)
	return time.Duration(max(0, s)) * time.Second, told
}

// told is the limit that an answer's own headers name.
func told(a wire.Answer) (limit int, ok bool) {
	limit, err := strconv.Atoi(a.Header.Get("X-RateLimit-Limit"))
	return limit, err == nil
}
