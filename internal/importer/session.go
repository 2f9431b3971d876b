package importer

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// session finds how users sign in, stay so, and sign out.
func (d *outline) session(calls []*call) {
	first := func(k kind) *call {
		i := slices.IndexFunc(calls, func(c *call) bool { return c.kind == k && !isParam(c.path) && (!c.others || k == isLogin) })
		if i < 0 {
			return nil
		}
		return calls[i]
	}
	login := first(isLogin)
	if login == nil {
		d.anonymous = true
		if slices.ContainsFunc(calls, func(c *call) bool { return c.signed }) {
			d.decide = append(d.decide, "no operation was found that signs in with a password, although others ask for somebody who is signed in: write accounts: with its sign_in")
		}
		return
	}
	s := login.step("sign in")
	s.anonymous = false // it is by itself
	s.body = d.credentials(login, &s)
	token, ok := byKey(login.answer, accessKeys...)
	if !ok {
		token = "access_token"
		s.decide = append(s.decide, "where the token stands in the answer: the source does not say")
	}
	s.save = map[string]string{"token": "json:" + token}
	refresh, refreshes := byKey(login.answer, refreshKeys...)
	if refreshes && refresh != token {
		s.save["refresh_token"] = "json:" + refresh
	}
	if place, ok := byKey(login.answer, "expiresin", "expires"); ok && refreshes {
		if _, number := at(login.answer, place).(json.Number); number {
			s.save["expires_in"] = "json:" + place
		}
	}
	d.signIn = &s
	for _, k := range []kind{isRefresh, isLogout} {
		if c := first(k); c != nil && c.other == "" {
			d.stay(k, c, login, c.step(""))
		}
	}
}

const formType = "application/x-www-form-urlencoded"

// credentials is a sign-in's body with the account's own; a form becomes the step's
// text.
func (d *outline) credentials(c *call, s *step) any {
	account, password := credential(c.body)
	body := put(c.body, password, "{{password}}")
	if account != "" {
		body = put(body, account, "{{email}}")
	} else {
		s.decide = append(s.decide, "which field names the account: none is called like one")
	}
	if s.sent = body; c.form {
		s.text = formText(body)
		s.header = append(s.header, [2]string{"Content-Type", formType})
		return nil
	}
	return body
}

// put is a JSON value with another at a place.
func put(v any, place string, value any) any {
	if place == "." {
		return value
	}
	key, rest, more := strings.Cut(place, ".")
	if !more {
		rest = "."
	}
	switch in := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, c := range in {
			if out[k] = c; k == key {
				out[k] = put(c, rest, value)
			}
		}
		return out
	case []any:
		out := slices.Clone(in)
		if key == "0" && len(out) > 0 {
			out[0] = put(out[0], rest, value)
		}
		return out
	}
	return v
}

// replaced is a JSON value in which f gave some fields another value.
func replaced(v any, f func(key string, v any) (any, bool)) any {
	switch in := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, c := range in {
			if other, ok := f(k, c); ok {
				out[k] = other
			} else {
				out[k] = replaced(c, f)
			}
		}
		return out
	case []any:
		out := make([]any, len(in))
		for i := range in {
			out[i] = replaced(in[i], f)
		}
		return out
	}
	return v
}

// formText is a body as a form; placeholders stay.
func formText(body any) string {
	m, _ := body.(map[string]any)
	var pairs []string
	for _, k := range keys(m) {
		all, list := m[k].([]any)
		if !list {
			all = []any{m[k]}
		}
		for _, one := range all {
			if isScalar(one) {
				text := outside(filledIn, strings.TrimPrefix(fmt.Sprint(one), unquoted), escapedQuery, strings.Clone)
				pairs = append(pairs, escapedQuery(k)+"="+text)
			}
		}
	}
	return strings.Join(pairs, "&")
}

// escapedQuery is a text as a form or a query holds it.
func escapedQuery(text string) string { return url.QueryEscape(asWhole.Replace(text)) }
