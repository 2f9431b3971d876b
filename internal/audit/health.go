package audit

import (
	"encoding/json"
	"net/http"
	"time"
)

func health() []Probe {
	return append([]Probe{
		{
			ID: "HL1", Title: "/health answers with status, time, version and environment", Guide: "production-guide:263", Class: Safe, run: healthAnswers,
			Why: "Whoever operates the service, and every tool of theirs, asks here first; an answer without a clock hides a machine whose time is wrong.",
			Fix: "Answer GET and HEAD with status, timestamp (RFC 3339, Z), version and env, without touching the database.",
		},
		{
			ID: "HL2", Title: "/ready tells that database and configuration are good", Guide: "production-guide:276", Class: Safe, run: readyAnswers,
			Why: "A load balancer sends requests where /ready says so; one that does not look at the database sends them into errors.",
			Fix: "Answer 200 with checks.database and checks.config true, else 503.",
		},
		{
			ID: "HL3", Title: "/live answers with status and time alone", Guide: "production-guide:293", Class: Safe, run: liveAnswers,
			Why: "A liveness check that looks at anything else turns that thing's outage into restarts.",
			Fix: "Answer a constant and the time.",
		},
		{
			ID: "HL7", Title: "300 checks of each kind are all answered, and count against no limit", Guide: "production-guide:347", Class: Safe, run: healthUnlimited,
			Why: "A limiter that counts health checks takes the service out of rotation when it is checked often, as by several balancers at once.",
			Fix: "Serve health checks ahead of the limiter, and without its headers.",
		},
	}, healthControl()...)
}

// stamp is a time as the guide writes it: RFC 3339 with Z.
func (t *T) stamp(a Answer, raw json.RawMessage) {
	var text string
	_ = json.Unmarshal(raw, &text) // not a text: the check below says so
	at, err := time.Parse(time.RFC3339Nano, text)
	if !t.Check(err == nil && len(text) > 0 && text[len(text)-1] == 'Z', "%v: timestamp %q, want RFC 3339 in UTC with Z", a, text) {
		return
	}
	off := at.Sub(a.Done)
	t.Check(off < 5*time.Second && off > -5*time.Second-a.Done.Sub(a.Sent), "%v: timestamp is %v off this machine's clock, want within 5 s", a, off.Round(time.Millisecond))
}

func (t *T) text(a Answer, m map[string]json.RawMessage, name string, want ...string) {
	var got string
	ok := json.Unmarshal(m[name], &got) == nil && got != ""
	if ok && len(want) > 0 {
		ok = got == want[0]
	}
	t.Check(ok, "%v: %s is %s, want %v", a, name, orNothing(string(m[name])), wish(want))
}

func wish(want []string) string {
	if len(want) == 0 {
		return "a text"
	}
	return `"` + want[0] + `"`
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
	if !t.Want(a, http.StatusOK) {
		return
	}
	m := fields(a)
	t.number(a, m, 4)
	t.text(a, m, "status", "healthy")
	t.text(a, m, "version")
	t.text(a, m, "env")
	t.stamp(a, m["timestamp"])
	q := t.Request("health", t.plain(), "", nil)
	q.Method, q.Label = http.MethodHead, "health by HEAD"
	head := t.Send(q)
	t.Want(head, http.StatusOK)
	t.Check(len(head.Body) == 0, "%v: HEAD was answered with a body of %d bytes", head, len(head.Body))
}

func readyAnswers(t *T) {
	a := t.Do("ready", t.plain(), "", nil)
	t.Want(a, http.StatusOK)
	m := fields(a)
	t.text(a, m, "status", "ready")
	t.text(a, m, "version")
	t.stamp(a, m["timestamp"])
	var checks map[string]bool
	_ = json.Unmarshal(m["checks"], &checks) // not flags: the checks below say so
	t.Check(checks["database"], "%v: checks.database is not true: %s", a, orNothing(string(m["checks"])))
	t.Check(checks["config"], "%v: checks.config is not true: %s", a, orNothing(string(m["checks"])))
}

func liveAnswers(t *T) {
	a := t.Do("live", t.plain(), "", nil)
	if !t.Want(a, http.StatusOK) {
		return
	}
	m := fields(a)
	t.number(a, m, 2)
	t.text(a, m, "status", "alive")
	t.stamp(a, m["timestamp"])
}

func healthUnlimited(t *T) {
	calls := 300
	if !t.target.Own {
		calls = 100
		t.Note("%d calls to each route, not 300: safe probes stay under %d requests a second", calls, SafeRate)
		t.run.progress(Progress{Probe: t.probe, Wait: time.Duration(3*calls) * time.Second / SafeRate, Words: "calling slowly"})
	}
	from := t.plain()
	for _, name := range []string{"health", "ready", "live"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			t.Note("the profile has no %s", name)
			continue
		}
		for range calls {
			a := t.Do(name, from, "", nil)
			if !t.Want(a, http.StatusOK) || !t.Check(a.Header.Get("X-RateLimit-Limit")+a.Header.Get("RateLimit") == "", "%v: it carries limit headers", a) {
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
		t.Check(a.Remaining() == limit.Limit-1, "%v: %d left after the health checks and one call, want %d", a, a.Remaining(), limit.Limit-1)
	}
}
