package load

import (
	"net/http"
	"net/http/cookiejar"

	"vitals/internal/wire"
)

// empty gives the visitor a jar without cookies, where the scenario keeps them.
func (v *visitor) empty() {
	if v.r.plan.cookies {
		v.jar, _ = cookiejar.New(nil) // never fails
	}
}

// sendCookies adds what the jar has for the request. An anonymous step is nobody's,
// and a step's own Cookie header takes the place of the jar's.
func (v *visitor) sendCookies(s *step) {
	if v.jar == nil {
		return
	}
	path := string(v.path)
	if u, err := v.r.opt.Base.Parse(path); err == nil {
		v.address = *u
	}
	if s.anonymous || s.cookied {
		return
	}
	before := "Cookie: "
	for _, k := range v.jar.Cookies(&v.address) {
		v.lines = append(append(v.lines, before...), k.Name...)
		v.lines = wire.InHeader(append(v.lines, '='), []byte(k.Value))
		before = "; "
	}
	if before == "; " {
		v.lines = append(v.lines, '\r', '\n')
	}
}

// keepCookies puts what the answer sets into the jar. Those of signing in and
// refreshing are the session's, though both are sent without one.
func (v *visitor) keepCookies(s *step) {
	if v.jar == nil || s.anonymous && s != v.r.plan.signIn && s != v.r.plan.refresh {
		return
	}
	var list []*http.Cookie
	for line := range headerValues(v.call.Head, "Set-Cookie") {
		if k, err := http.ParseSetCookie(string(line)); err == nil {
			list = append(list, k)
		}
	}
	if len(list) > 0 {
		v.jar.SetCookies(&v.address, list)
	}
}
