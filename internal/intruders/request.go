package intruders

import (
	"fmt"
	"net/netip"
	"strings"

	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// signIn is a sign-in the way honest users do it: the scenario's own step, with
// these credentials.
func (g *Group) signIn(from netip.Addr, email, password string) wire.Request {
	path, header, body := g.Fill(email, password)
	return wire.Request{
		Method: g.SignIn.Method, Path: path, Header: header, Body: body,
		From: from, Policy: g.policy(login), User: strings.ToLower(email),
	}
}

// line is the first line of a sign-in, for a bare connection.
func (g *Group) line() string {
	return fmt.Sprintf("%s %s%s HTTP/1.1\r\n", g.SignIn.Method, g.Prefix, g.signIn(netip.Addr{}, "nobody@vitals.test", "x").Path)
}

// operation is one of the profile's operations as a request, with the token of
// user, "" for nobody's.
func (g *Group) operation(name string, from netip.Addr, token string, user Victim, values map[string]string) (wire.Request, error) {
	m, err := g.Profile.Message(name, token, values)
	q := wire.Request{Method: m.Method, Path: m.Path, Header: m.Header, Body: m.Body, Policy: m.Policy, From: from, User: strings.ToLower(user.Email)}
	if token == "" && q.Policy == profile.API {
		q.User = "" // whose token lies in the body, that limit does not ask: it counts by address
	}
	return q, err
}

// lacks says which of the operations the profile does not have; "" when none.
func (g *Group) lacks(operations ...string) string { return lacks(g.Profile, operations) }

func lacks(p *profile.Profile, operations []string) string {
	if len(operations) > 0 && p == nil {
		return fmt.Sprintf("there is no profile that says how this API is asked to %s", strings.Join(operations, ", "))
	}
	for _, name := range operations {
		if _, ok := p.Operations[name]; !ok {
			return fmt.Sprintf("profile %s has no operation %s", p.Name, name)
		}
	}
	return ""
}

// needs are the operations that an intruder of a kind asks the profile for.
var needs = map[string][]string{
	scenarios.TokenReplay:  {"login", "refresh", "logout"},
	scenarios.CodeGuessing: {"login", "two_factor_enrol", "two_factor_confirm", "two_factor_verify"},
}

// Lacks says what the profile lacks for an intruder of a kind, which shows nothing then;
// "" when it has all. p is nil where there is no profile.
func Lacks(p *profile.Profile, kind string) string { return lacks(p, needs[kind]) }

// field reads a field of an operation's answer, which is a secret from then on; ""
// when it is not there.
func (a *actor) field(operation string, ans wire.Answer, name string) string {
	s, _ := a.Profile.Operations[operation].Field(ans.Body, name)
	a.known = append(a.known, s)
	return s
}
