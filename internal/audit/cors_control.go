package audit

import (
	"net/http"
	"strings"
)

func corsControl() []Probe {
	return []Probe{{
		ID: "CO5", Title: "CORS_DISABLE sends no CORS header at all", Guide: "production-guide:33", Class: Control, run: corsOff,
		Why: "Behind a gateway that does CORS, a second set of headers is refused by browsers.",
		Fix: "Leave the layer out when it is off.",
	}}
}

func corsOff(t *T) {
	live, _ := t.Launch(Launch{Env: map[string]string{"CORS_DISABLE": "true", "BACKEND_CORS_ORIGINS": ""}})
	origin := "https://app.clinic-under-audit.org"
	login := live.Login(live.plain(), unknownAccount(), wrongPassword())
	login.Header.Set("Origin", origin)
	for _, q := range []Request{live.crossOriginRequest(origin), live.preflight(origin, "DELETE", "authorization"), login} {
		a := live.Send(q)
		t.Check(a.Status > 0, "%v: got %s", a, a.got())
		for name := range a.Header {
			t.Check(!strings.HasPrefix(http.CanonicalHeaderKey(name), "Access-Control-"), "%v: it carries %s", a, name)
		}
	}
}
