package profile

import (
	"slices"
	"strings"

	"vitals/internal/routes"
)

// roles are the names by which a limit is asked for, each with the operation whose
// limit it is. What a profile calls that limit is its own affair.
var roles = map[string]string{
	"login": "login", "2fa_verify": "two_factor_verify", "password_reset": "password_reset", "password_change": "password_change", API: "me",
}

// Role is the profile's name of the limit of a role (login, 2fa_verify, password_reset,
// password_change, api), as the role's operation refers to it; "" when the operation
// counts under none. An operation that names no policy leaves the role's own name, and
// so does a sign-in under the limit of all the rest, which is no limit on sign-ins.
func (p *Profile) Role(role string) string {
	op, ok := p.Operations[roles[role]]
	switch {
	case !ok || op.Policy == "" || op.Policy == API:
		return role
	case op.Policy == "none":
		return ""
	}
	return op.Policy
}

// API is the policy of all that has none of its own.
const API = "api"

// Policy is the limit policy that a request counts under: its operation's own,
// else that of all the rest; "" when it is under none: an operation without a
// limit, or a path outside the API. wrong is the status by which the operation says
// that a credential or a token is not good.
func (p *Profile) Policy(method, path string) (policy string, wrong int) {
	var ops []Operation
	var paths []string
	for _, name := range Operations() {
		if o, ok := p.Operations[name]; ok && o.Method == method {
			ops, paths = append(ops, o), append(paths, o.Path)
		}
	}
	if i := routes.Match(path, paths); i >= 0 {
		return ops[i].policy(), ops[i].Refusal()
	}
	if strings.HasPrefix(path+"/", p.root()) {
		policy = API
	}
	return policy, Operation{}.Refusal()
}

// root is what the paths of all limited operations begin with: "/api/v1/", or "/".
func (p *Profile) root() string {
	var common []string
	first := true
	for _, o := range p.Operations {
		if o.Policy == "none" {
			continue
		}
		segments := strings.Split(o.Path, "/")
		segments = segments[:len(segments)-1]
		if first {
			common, first = segments, false
		}
		n := 0
		for n < min(len(common), len(segments)) && common[n] == segments[n] {
			n++
		}
		common = common[:n]
	}
	return strings.Join(common, "/") + "/"
}

// ByLogin is the built-in profile whose sign-in is this request; nil when there is
// none.
func ByLogin(method, path string) *Profile {
	for _, name := range Names() {
		p, err := Open(name)
		if err != nil {
			continue // held by a test
		}
		if o, ok := p.Operations["login"]; ok && o.Method == method && o.Path == path {
			return p
		}
	}
	return nil
}

// Operational tells whether a path is one that those who run an API ask of their
// own accord, at any time: is it up?
func (p *Profile) Operational(path string) bool {
	return slices.ContainsFunc([]string{"health", "ready", "live"}, func(name string) bool {
		o, ok := p.Operations[name]
		return ok && o.Path == path
	})
}
