package audit

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"vitals/internal/profile"
)

func health() []Probe {
	return append([]Probe{
		{
			ID: "HL1", Title: "the health check answers as it is promised to", Guide: "production-guide:263", Class: Safe, run: healthAnswers,
			Why: "Whoever operates the service, and every tool of theirs, asks here first; an answer without a clock hides a machine whose time is wrong.",
			Fix: "Answer GET and HEAD with status, timestamp (RFC 3339, Z), version and env, without touching the database.",
		},
		{
			ID: "HL2", Title: "the readiness check answers as it is promised to", Guide: "production-guide:276", Class: Safe, run: readyAnswers,
			Why: "A load balancer sends requests where /ready says so; one that does not look at the database sends them into errors.",
			Fix: "Answer 200 with checks.database and checks.config true, else 503.",
		},
		{
			ID: "HL3", Title: "the liveness check answers as it is promised to", Guide: "production-guide:293", Class: Safe, run: liveAnswers,
			Why: "A liveness check that looks at anything else turns that thing's outage into restarts.",
			Fix: "Answer a constant and the time.",
		},
		{
			ID: "HL7", Title: "health checks are answered however many there are, and count against no limit", Guide: "production-guide:347", Class: Safe, run: healthUnlimited,
			Why: "A limiter that counts health checks takes the service out of rotation when it is checked often, as by several balancers at once.",
			Fix: "Serve health checks ahead of the limiter, and without its headers.",
		},
	}, healthControl()...)
}

// stamp is a time as the guide writes it: RFC 3339 with Z.
func (t *T) stamp(a Answer, text string) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if !t.Check(err == nil && len(text) > 0 && text[len(text)-1] == 'Z', "%v: timestamp %q, want RFC 3339 in UTC with Z", a, text) {
		return
	}
	off := at.Sub(a.Done)
	t.Check(off < 5*time.Second && off > -5*time.Second-a.Done.Sub(a.Sent), "%v: timestamp is %v off this machine's clock, want within 5 s", a, off.Round(time.Millisecond))
}

func orNothing(s string) string {
	if s == "" {
		return "missing"
	}
	return s
}

func (t *T) number(a Answer, m map[string]json.RawMessage, n int) {
	t.Check(len(m) == n, "%v: %d fields, want %d: %s", a, len(m), n, cut(string(a.Body)))
}

func healthAnswers(t *T) {
	a := t.Do("health", t.plain(), "", nil)
	if !t.WantDone("health", a) {
		return
	}
	t.answers("health", a)
	if !t.guide() { // who promises fields of a health answer promises no HEAD
		t.claims("health", a, "")
		return
	}
	defer t.claims("health", a, ", to HEAD as well")
	q := t.Request("health", t.plain(), "", nil)
	q.Method, q.Label = http.MethodHead, "health by HEAD"
	head := t.Send(q)
	t = t.By(profile.ProductionGuide)
	t.WantDone("health", head)
	t.Check(len(head.Body) == 0, "%v: HEAD was answered with a body of %d bytes", head, len(head.Body))
}

func readyAnswers(t *T) {
	a := t.Do("ready", t.plain(), "", nil)
	t.WantDone("ready", a)
	t.answers("ready", a)
	t.claims("ready", a, "")
}

func liveAnswers(t *T) {
	a := t.Do("live", t.plain(), "", nil)
	if !t.WantDone("live", a) {
		return
	}
	t.answers("live", a)
	t.claims("live", a, "")
}

// claims says what of a health answer was checked: its status, and the fields that are
// promised.
func (t *T) claims(name string, a Answer, more string) {
	h := t.promise().Health
	places := slices.Sorted(maps.Keys(h.Answers[name]))
	with := "no field is promised"
	switch {
	case slices.Contains(h.Exact, name):
		with = "with " + strings.Join(places, ", ") + " and no other field"
	case len(places) > 0:
		with = "with " + strings.Join(places, ", ")
	}
	t.Checked("%s answers %d, %s%s", t.Operation(name).Path, a.Status, with, more)
}

// answers checks the fields of a health answer as they are promised.
func (t *T) answers(name string, a Answer) {
	h := t.promise().Health
	if h == nil {
		t.Skip("the profile does not say what health checks answer (promises.health)")
	}
	want, ok := h.Answers[name]
	if !ok {
		t.Note("the profile promises no field of /%s", name)
		return
	}
	op := t.Operation(name)
	places := slices.Sorted(maps.Keys(want))
	top := map[string]bool{}
	for _, place := range places {
		first, _, _ := strings.Cut(place, ".")
		top[first] = true
		if want[place] == profile.Now {
			text, _ := op.Field(a.Body, place)
			t.stamp(a, text)
			continue
		}
		got, there := op.Field(a.Body, place)
		t.Check(there && got != "" && (want[place] == "" || got == want[place]), "%v: %s is %s, want %s", a, place, orNothing(got), cmp.Or(want[place], "any value"))
	}
	if slices.Contains(h.Exact, name) {
		t.number(a, fields(a), len(top))
	}
}

func healthUnlimited(t *T) {
	from, asked, counted := t.plain(), []string{}, ""
	for _, name := range []string{"health", "ready", "live"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			t.Note("the profile has no %s", name)
			continue
		}
		asked = append(asked, name)
	}
	calls := 300
	if !t.target.Own {
		calls = 100
		t.Note("%d calls to each route, not 300: safe probes stay under %d requests a second", calls, SafeRate)
		t.run.progress(Progress{Probe: t.probe, Wait: time.Duration(len(asked)*calls) * safePause, Words: "calling slowly"})
	}
	defer func() {
		t.Checked("%d checks of %s are all answered, and carry no headers of a limit%s", calls, strings.Join(asked, ", "), counted)
	}()
	for _, name := range asked {
		for range calls {
			a := t.Do(name, from, "", nil)
			if !t.WantDone(name, a) || !t.Check(a.Header.Get("X-RateLimit-Limit")+a.Header.Get("RateLimit") == "", "%v: it carries limit headers", a) {
				break
			}
		}
	}
	if _, ok := t.target.Profile.Operations["me"]; !ok || t.target.Source == nil {
		t.Note("whether the checks spent quota was not looked at: it takes a client address of its own")
		return
	}
	a := t.Do("me", from, "", nil)
	if limit, ok := t.target.limit("api"); ok && a.Remaining() >= 0 {
		counted = "; they count against no limit"
		t.Check(a.Remaining() == limit.Limit-1, "%v: %d left after the health checks and one call, want %d", a, a.Remaining(), limit.Limit-1)
	}
}
