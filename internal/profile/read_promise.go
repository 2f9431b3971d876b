package profile

import (
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

func (r *reader) limit(n *yaml.Node) Limit {
	l := Limit{Counts: Requests}
	found := r.Fields(n, "a limit", strict.Fields{
		"limit":  func(n *yaml.Node) { l.Limit = r.Int(n, "limit", 1) },
		"window": func(n *yaml.Node) { l.Window = r.Duration(n, "window") },
		"fixed":  func(n *yaml.Node) { l.Fixed = r.Bool(n, "fixed") },
		"lock":   func(n *yaml.Node) { l.Lock = r.Duration(n, "lock") },
		"delay": func(n *yaml.Node) {
			r.Fields(n, "delay", strict.Fields{
				"from": func(n *yaml.Node) { l.Delay.From = r.Duration(n, "from") },
				"to":   func(n *yaml.Node) { l.Delay.To = r.Duration(n, "to") },
			})
			if n.Kind == yaml.MappingNode && !r.Odd(n) && (l.Delay.From <= 0 || l.Delay.To > 0 && l.Delay.To < l.Delay.From) {
				r.Fail(n, "as in {from: 1s, to: 15m}", "a delay needs the first wait, and no less at most")
			}
		},
		"counts":   r.word("counts", &l.Counts, Failures, Requests),
		"success":  r.word("success", &l.Success, Clears, Keeps),
		"by":       r.word("by", &l.By, ByAddress, ByAccount, ByUser, ByBoth, ByPair),
		"account":  func(n *yaml.Node) { l.Account = r.Int(n, "account", 0) },
		"statuses": func(n *yaml.Node) { l.Statuses = r.statuses(n, "statuses") },
		"headers":  r.word("headers", &l.Headers, string(NoHeaders), string(XRateLimit), string(IETF)),
		"says":     r.says(&l.Says),
	})
	if n.Kind != yaml.MappingNode {
		return l
	}
	if found["limit"] == nil {
		r.Fail(n, "as in {limit: 5, window: 300s}", "a limit needs limit")
	}
	if found["window"] == nil && found["lock"] == nil && found["delay"] == nil {
		r.Fail(n, "as in {limit: 5, window: 300s}", "a limit needs window, lock or delay")
	}
	if found["delay"] != nil && found["lock"] != nil && found["delay"].Value == "delay" && found["lock"].Value == "lock" { // no other word was meant
		r.Fail(found["delay"], "leave one of them out", "found delay beside lock: beyond a limit either each try waits longer, or all are refused for so long")
	}
	if found["success"] != nil && l.Counts == Requests { // another word was told
		r.Fail(found["success"], "add counts: failures", "success: found %q, expected it only where failures are counted", l.Success)
	}
	return l
}

func (r *reader) statuses(n *yaml.Node, what string) (out []int) {
	r.List(n, what, func(n *yaml.Node) {
		var s int
		r.status(what, &s)(n)
		if slices.Contains(out, s) {
			r.Fail(n, "", "%s: %d stands twice", what, s)
		}
		out = append(out, s)
	})
	return out
}

func (r *reader) texts(n *yaml.Node, what string) (out []string) {
	r.List(n, what, func(n *yaml.Node) { out = append(out, r.Word(n, what)) })
	return out
}

func (r *reader) promises(n *yaml.Node) {
	p := &r.p.Promises
	r.Fields(n, "promises", strict.Fields{
		"limit_headers": func(n *yaml.Node) {
			h := &LimitHeaders{}
			form := ""
			found := r.Fields(n, "limit_headers", strict.Fields{
				"form":        r.word("form", &form, string(NoHeaders), string(XRateLimit), string(IETF)),
				"retry_after": func(n *yaml.Node) { h.RetryAfter = r.Bool(n, "retry_after") },
				"says":        r.says(&h.Says),
			})
			r.needs(n, found, "limit_headers", "form", "as in {form: x-ratelimit}")
			h.Form, p.LimitHeaders = Form(form), h
			r.place("promises.limit_headers", h.Says, n)
		},
		"health": func(n *yaml.Node) {
			h := &Health{Answers: map[string]map[string]string{}}
			answer := func(op string) func(*yaml.Node) {
				return func(n *yaml.Node) {
					h.Answers[op] = map[string]string{}
					r.Pairs(n, op, func(k, v *yaml.Node) {
						r.path(k, "a field's place")
						if h.Answers[op][k.Value] = ""; v.ShortTag() != "!!null" {
							h.Answers[op][k.Value] = r.Text(v, k.Value)
						}
					})
				}
			}
			probes, exact := []string{"health", "ready", "live"}, map[string]*yaml.Node{}
			r.Fields(n, "health", strict.Fields{
				"health": answer("health"), "ready": answer("ready"), "live": answer("live"),
				"exact": func(n *yaml.Node) {
					r.List(n, "exact", func(n *yaml.Node) {
						op := ""
						if r.word("exact", &op, probes...)(n); slices.Contains(probes, op) {
							h.Exact, exact[op] = append(h.Exact, op), n
						}
					})
				},
				"says": r.says(&h.Says),
			})
			for op, at := range exact {
				if h.Answers[op] == nil {
					r.Fail(at, "write which they are", "exact: the fields of %s are not promised", op)
				}
			}
			p.Health = h
			r.place("promises.health", h.Says, n)
		},
		"request_ids": func(n *yaml.Node) {
			h := &RequestIDs{}
			found := r.Fields(n, "request_ids", strict.Fields{
				"header": func(n *yaml.Node) { h.Header = r.Word(n, "header"); r.header(n, h.Header, "") },
				"uuid":   func(n *yaml.Node) { h.UUID = r.Bool(n, "uuid") },
				"echo":   func(n *yaml.Node) { h.Echo = r.Bool(n, "echo") },
				"says":   r.says(&h.Says),
			})
			r.needs(n, found, "request_ids", "header", "as in {header: X-Request-ID}")
			p.RequestIDs = h
			r.place("promises.request_ids", h.Says, n)
		},
		"cors": func(n *yaml.Node) {
			c := &CORS{}
			r.Fields(n, "cors", strict.Fields{
				"origins": func(n *yaml.Node) {
					r.List(n, "origins", func(n *yaml.Node) { c.Origins = append(c.Origins, r.origin(n)) })
				},
				"credentials": func(n *yaml.Node) { c.Credentials = r.Bool(n, "credentials") },
				"says":        r.says(&c.Says),
			})
			p.CORS = c
			r.place("promises.cors", c.Says, n)
		},
		"security_headers": func(n *yaml.Node) {
			h := &SecurityHeaders{Headers: map[string][]string{}}
			found := r.Fields(n, "security_headers", strict.Fields{
				"headers": func(n *yaml.Node) {
					r.Pairs(n, "headers", func(k, v *yaml.Node) {
						r.header(k, k.Value, "")
						switch {
						case v.Kind == yaml.SequenceNode:
							h.Headers[k.Value] = r.texts(v, k.Value)
						case v.ShortTag() == "!!null":
							h.Headers[k.Value] = nil
						default:
							h.Headers[k.Value] = []string{r.Word(v, k.Value)}
						}
					})
				},
				"says": r.says(&h.Says),
			})
			r.needs(n, found, "security_headers", "headers", "as in {headers: {X-Content-Type-Options: nosniff}}")
			p.SecurityHeaders = h
			r.place("promises.security_headers", h.Says, n)
		},
		"errors": func(n *yaml.Node) {
			e := &Errors{}
			r.Fields(n, "errors", strict.Fields{
				"type":   func(n *yaml.Node) { e.Type = r.Word(n, "type") },
				"fields": func(n *yaml.Node) { e.Fields = r.texts(n, "fields") },
				"says":   r.says(&e.Says),
			})
			p.Errors = e
			r.place("promises.errors", e.Says, n)
		},
		"objects": func(n *yaml.Node) {
			o := &Objects{}
			found := r.Fields(n, "objects", strict.Fields{
				"private": func(n *yaml.Node) { o.Private = r.Bool(n, "private") },
				"says":    r.says(&o.Says),
			})
			r.needs(n, found, "objects", "private", "as in {private: true}")
			p.Objects = o
			r.place("promises.objects", o.Says, n)
		},
		"admins": func(n *yaml.Node) {
			a := &Admins{}
			found := r.Fields(n, "admins", strict.Fields{
				"only": func(n *yaml.Node) {
					r.List(n, "only", func(n *yaml.Node) { a.Only = append(a.Only, r.operation(n)) })
				},
				"says": r.says(&a.Says),
			})
			r.needs(n, found, "admins", "only", "as in {only: [{path: /v2/reports}]}")
			p.Admins = a
			r.place("promises.admins", a.Says, n)
		},
		"standards": func(n *yaml.Node) {
			r.place("promises.standards", "", n)
			r.List(n, "standards", func(n *yaml.Node) {
				s := Standard{}
				if n.Kind == yaml.ScalarNode {
					r.word("standards", &s.Name, Standards()...)(n)
				} else {
					found := r.Fields(n, "a standard", strict.Fields{"name": r.word("name", &s.Name, Standards()...), "says": r.says(&s.Says)})
					r.needs(n, found, "a standard", "name", "as in {name: asvs-5.0, says: docs/security.md:3}")
				}
				p.Standards = append(p.Standards, s)
				r.place("promises.standards."+s.Name, s.Says, n)
			})
		},
	})
}

// needs refuses a mapping without a field that it cannot do without.
func (r *reader) needs(n *yaml.Node, found map[string]*yaml.Node, what, field, hint string) {
	if found[field] == nil && n.Kind == yaml.MappingNode {
		r.Fail(n, hint, "%s needs %s", what, field)
	}
}
