package load

import (
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"

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
	v.cookies = slices.Delete(v.cookies, 0, max(0, len(v.cookies)-mostCookies))
	before := "Cookie: "
	for _, k := range v.jar.Cookies(&v.address) {
		v.remember(k.Value)
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
		if k, ok := readCookie(string(line)); ok {
			list = append(list, k)
			v.remember(k.Value)
		}
	}
	if len(list) > 0 {
		v.jar.SetCookies(&v.address, list)
	}
}

// readCookie reads a Set-Cookie line as browsers do (RFC 6265, 5.2): its value is all
// between the first = and the first ;, quotes and commas too, to be sent back as it is.
func readCookie(line string) (*http.Cookie, bool) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	k, err := http.ParseSetCookie(strings.TrimSpace(name) + "=x;" + attributes)
	if err != nil {
		return nil, false
	}
	k.Value = strings.TrimSpace(value)
	return k, true
}
