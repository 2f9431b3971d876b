package audit

import (
	"net/http"
)

func surfaceControl() []Probe {
	return []Probe{{
		ID: "SH5", Title: "an error or a panic of ours is a plain 500 with a request id", Guide: "production-guide:237", Class: Control, run: plainErrors,
		Why: "A stack or an SQL error in an answer is a map of the inside.",
		Fix: "Answer a generic problem; keep the cause for the log, under the request id.",
	}}
}

func plainErrors(t *T) {
	live, api := t.Launch(Launch{Postgres: true})
	s := live.Session()
	live.sql(api, "ALTER TABLE medications RENAME TO medications_gone")
	t.plainError(live.Do("list", s.from, s.access, nil), "medications")
	t.plainError(live.Do("create", s.from, s.access, nil), "medications")
	t.Want(live.Do("health", live.plain(), "", nil), http.StatusOK)
	broken, can := t.panicking(nil)
	if !can {
		t.Skip("errors of the database are told plainly; this build cannot be made to panic (it takes one with the tag faults)")
	}
	t.plainError(broken, "panic")
}

// panicking makes an API panic in a request: only a build with the tag faults
// can. False when it does not.
func (t *T) panicking(env map[string]string) (Answer, bool) {
	l := Launch{Env: map[string]string{"VITALS_FAULT": "panic"}}
	for k, v := range env {
		l.Env[k] = v
	}
	live, _ := t.Launch(l)
	s := live.Session()
	a := live.Do("me", s.from, s.access, nil)
	return a, a.Status != http.StatusOK
}

func (t *T) plainError(a Answer, hide string) {
	if !t.Want(a, http.StatusInternalServerError) {
		return
	}
	t.quiet(a)
	body := without(a, "instance", "request_id")
	t.Check(!containsFold(body, hide), "%v: the answer holds %q: %s", a, hide, cut(body))
	t.Check(a.Header.Get(requestIDHeader) != "" && containsFold(string(a.Body), a.Header.Get(requestIDHeader)), "%v: the answer does not carry its request id", a)
}
