package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// shown is what a sign-in gave, and how later requests show it.
type shown struct {
	token   string            // as it was told; "" = unknown
	from    string            // where the answer has it, as json:… or header:…
	in      map[string]string // what carries it: headers as plain writes them, parameters behind a ?; and what stands before it
	cookies bool              // cookies are shown, and no token
}

var (
	tokenHeader = regexp.MustCompile(`token|auth($|[^o])|authorization|session|jwt|apikey`)
	noSession   = regexp.MustCompile(`csrf|xsrf|^setcookie|authenticate|^accesscontrol|expir|requesttoken`)
	tokenScheme = regexp.MustCompile(`^[A-Za-z]{2,20} `)
)

// shownOf finds what the sign-in's answer tells that later requests carry: of its body, else
// of its headers, else cookies. What carries it makes a request signed.
func shownOf(all, refused []exchange, at int) shown {
	if at < 0 {
		signed(all, refused, func(x *exchange) bool { return x.sends("cookie") })
		return shown{}
	}
	var told []shown
	if place, ok := byKey(all[at].answer, accessKeys...); ok {
		told = append(told, shown{token: textAt(all[at].answer, place), from: "json:" + place})
	}
	for _, h := range all[at].answerHeader {
		if p := plain(h[0]); h[1] != "" && isHeader.MatchString(h[0]) && tokenHeader.MatchString(p) && !noSession.MatchString(p) {
			s := shown{token: h[1], from: "header:" + h[0]}
			if scheme := tokenScheme.FindString(h[1]); scheme != "" {
				s.token, s.from = h[1][len(scheme):], s.from+" regexp:"+scheme+"(.+)"
			}
			told = append(told, s)
		}
	}
	best := shown{}
	if len(told) > 0 {
		best = told[0]
	}
	for _, s := range told {
		if s.in = carrying(all[at+1:], s.token); len(s.in) > 0 {
			best = s
			break
		}
	}
	given := cookiesOf(all[at : at+1])
	if len(best.in) == 0 && slices.ContainsFunc(all[at+1:], func(x exchange) bool { return x.sendsCookie(given) }) {
		best = shown{cookies: true}
	}
	if len(given) == 0 {
		given = cookiesOf(all[:at]) // a session may begin before anybody signs in to it
	}
	unknown := len(given)+len(best.in) == 0
	signed(all, refused, func(x *exchange) bool {
		for name := range best.in {
			if x.sends(name) {
				return true
			}
		}
		return x.sendsCookie(given) || unknown && x.sends("cookie")
	})
	return best
}

// signed marks the requests that show a session.
func signed(all, refused []exchange, shows func(*exchange) bool) {
	for _, list := range [][]exchange{all, refused} {
		for i := range list {
			list[i].signed = list[i].signed || shows(&list[i])
		}
	}
}

// cookiesOf are the names of the cookies that answers set and keep, but for those against
// forged requests: any other, as one that measures visits, is no session.
func cookiesOf(all []exchange) map[string]bool {
	names := map[string]bool{}
	for _, x := range all {
		for _, h := range x.answerHeader {
			for line := range strings.SplitSeq(h[1], "\n") { // some captures join them
				if name, value, ok := setCookie([2]string{h[0], line}); ok && value != "" && !forgery.MatchString(name) {
					names[name] = true
				}
			}
		}
	}
	return names
}

// sendsCookie tells whether a request sends one of the cookies.
func (x *exchange) sendsCookie(names map[string]bool) bool {
	for _, h := range x.header {
		if plain(h[0]) != "cookie" {
			continue
		}
		for one := range strings.SplitSeq(h[1], ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(one), "="); names[name] && value != "" {
				return true
			}
		}
	}
	return false
}

// carrying is what carries a token in requests.
func carrying(all []exchange, token string) map[string]string {
	in := map[string]string{}
	for _, x := range all {
		for _, h := range x.header {
			before, ok := strings.CutSuffix(h[1], token)
			if p := plain(h[0]); ok && len(token) >= 4 && p != "cookie" && (before == "" || strings.HasSuffix(before, " ")) {
				in[p] = before
			}
		}
		for key, values := range x.url.Query() {
			if len(token) >= 4 && slices.Contains(values, token) {
				in["?"+plain(key)] = ""
			}
		}
	}
	return in
}

// sends tells whether a request has a header, or a parameter behind a ?, that is not empty.
func (x *exchange) sends(name string) bool {
	if key, ok := strings.CutPrefix(name, "?"); ok {
		for k, v := range x.url.Query() {
			if plain(k) == key && strings.Join(v, "") != "" {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(x.header, func(h [2]string) bool { return plain(h[0]) == name && h[1] != "" })
}

// setCookie is the cookie that a header of an answer sets.
func setCookie(h [2]string) (name, value string, ok bool) {
	first, _, _ := strings.Cut(h[1], ";")
	name, value, _ = strings.Cut(strings.TrimSpace(first), "=")
	return name, value, plain(h[0]) == "setcookie"
}

var forgery = regexp.MustCompile(`(?i)csrf|xsrf`)

// forgeryCookie is a cookie against forged requests: what it holds is sent back in a header.
func forgeryCookie(h [2]string) (name, value string, ok bool) {
	name, value, ok = setCookie(h)
	return name, value, ok && forgery.MatchString(name) && isHeader.MatchString(name) && len(value) >= 8
}

// opens tells whether the headers of an answer give a session.
func (x *exchange) opens() bool {
	return slices.ContainsFunc(x.answerHeader, func(h [2]string) bool {
		p := plain(h[0])
		return p == "setcookie" || tokenHeader.MatchString(p) && !noSession.MatchString(p)
	})
}

// carried is the header of a step that carries what its own request did: the account's token,
// or the key of HTTP Basic, which only the environment has. ok is false when it is no such.
func (c *correlation) carried(h [2]string) (value string, ok bool) {
	p := plain(h[0])
	if before, ok := c.shown.in[p]; ok && len(c.steps) != c.signIn {
		return literal(before) + "{{token}}", true
	}
	if p != "authorization" || len(h[1]) < 6 || !strings.EqualFold(h[1][:6], "Basic ") {
		return "", false
	}
	n := slices.Index(c.basic, h[1])
	if n < 0 {
		n, c.basic = len(c.basic), append(c.basic, h[1])
		env := basicName(n)
		c.d.decide = append(c.d.decide, fmt.Sprintf("HTTP Basic cannot be made of {{email}} and {{password}}: export %s=\"$(printf %%s 'name:password' | base64)\", which all users send", env))
	}
	return "Basic {{env " + basicName(n) + "}}", true
}

// basicName is the variable of the environment that has a key of HTTP Basic.
func basicName(n int) string {
	if n == 0 {
		return "API_BASIC"
	}
	return fmt.Sprintf("API_BASIC_%d", n+1)
}
