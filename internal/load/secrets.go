package load

import (
	"regexp"
	"slices"
	"strings"

	"vitals/internal/redact"
)

// mostCookies is how many values of cookies a visitor knows as secrets beside those of
// the request at hand: a server may set another with every answer.
const mostCookies = 50

// remember makes the value of a cookie a secret.
func (v *visitor) remember(value string) {
	value = redact.Cookie(value)
	if value != "" && !slices.ContainsFunc(v.cookies, func(k []byte) bool { return string(k) == value }) {
		v.cookies = append(v.cookies, []byte(value))
	}
}

// known gives the values that no report may show: those of the account's session, its
// password, what comes from the environment, the cookies, and what the scenario writes
// into headers that are credentials.
func (v *visitor) known(yield func([]byte) bool) {
	for _, s := range v.r.plan.secret {
		if value := v.vars[s.slot].value; len(value) >= s.least && !yield(value) {
			return
		}
	}
	for _, value := range v.cookies {
		if !yield(value) {
			return
		}
	}
}

// secrets are all that is known, and the cookies of the answer at hand, kept or not:
// longest first, so that no part of one is left over.
func (v *visitor) secrets() (list []string) {
	for value := range v.known {
		list = append(list, string(value))
	}
	for line := range headerValues(v.call.Head, "Set-Cookie") {
		list = append(list, redact.SetCookies([]string{string(line)})...)
	}
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

// hide takes the secrets out of a part of an answer. It is asked of every answer, and
// makes nothing unless there is something to hide.
func (v *visitor) hide(text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	for secret := range v.known {
		if redact.May(text, secret) {
			return []byte(redactKnown(string(text), v.secrets()))
		}
	}
	return text
}

// secret is a variable whose value no report may show, if it is as long as this.
type secret struct{ slot, least int }

// credential finds the headers of a request that are one.
var credential = regexp.MustCompile(`(?i)^(?:proxy-)?authorization$|cookie|token|secret|api[-_]?key`)

// scheme is what stands before the credential in an Authorization header.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*\s+`)

// credential makes secrets of what a scenario writes into a header that is a credential:
// of its words and of the variables in it.
func (c *compiler) credential(name, value string) {
	t, err := c.parse(value)
	if err != nil || !credential.MatchString(name) {
		return // a mistake is told where the lines are read
	}
	for i, p := range t {
		switch {
		case p.slot >= 0:
			c.plan.secret = append(c.plan.secret, secret{p.slot, redact.Least})
		case strings.EqualFold(name, "Cookie"):
			c.written(redact.Cookies(string(p.text))...)
		case i == 0:
			c.written(redact.Cookie(scheme.ReplaceAllString(string(p.text), "")))
		default:
			c.written(redact.Cookie(string(p.text)))
		}
	}
}

// written makes secrets of texts.
func (c *compiler) written(texts ...string) {
	for _, text := range texts {
		slot := c.slot("written " + text)
		c.plan.fixed[slot] = text
		c.plan.secret = append(c.plan.secret, secret{slot, redact.Least})
	}
}
