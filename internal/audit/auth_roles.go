package audit

import "net/http"

func authRoles() []Probe {
	return []Probe{{
		ID: "AU14", Title: "what is for admins alone is refused to others", Guide: "–", Class: Intrusive, run: adminsOnly,
		Why: "A route that no menu shows is found in the client's code, and whoever is signed in runs the service with it.",
		Fix: "Decide in the server, for each route, which role may use it; deny what nothing allows.",
	}}
}

func adminsOnly(t *T) {
	admins := t.target.Profile.Promises.Admins
	if admins == nil {
		t.Lacks("profile %s does not say what is for admins alone (promises: admins)", t.target.Profile.Name)
	}
	s, met := t.Session(), false
	for _, op := range admins.Only {
		for _, who := range []struct{ name, token string }{{"an ordinary account", s.access}, {"nobody signed in", ""}} {
			given := t.run.told(t.target, s.access, nil)
			if who.token == "" {
				delete(given, "access_token")
			}
			m, err := t.target.Profile.Fill(op, who.token, given)
			if err != nil {
				t.Lacks("promises: admins: %v", err)
			}
			q := Request{Method: m.Method, Path: m.Path, Header: m.Header, Body: m.Body, Policy: m.Policy, From: s.from, Label: m.Method + " " + m.Path + " by " + who.name}
			if who.token != "" {
				q.User = t.run.owner(who.token)
			}
			a := t.again(q)
			denied := a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status/100 == 3
			switch met = met || denied; {
			case denied, a.Status == http.StatusNotFound:
				t.Check(true, "")
			case a.Status/100 == 2:
				t.Fail("%v: got %s, want 403, or another refusal", a, a.got())
			default:
				t.Note("%v: got %s, which does not say who may send it", a, a.got())
			}
		}
	}
	if !met && !t.Failed() {
		t.Skip("none of the %d requests of promises: admins was refused for who sent it: are their paths right in the profile?", len(admins.Only))
	}
}
