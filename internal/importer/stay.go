package importer

import (
	"slices"
	"strings"
)

// stay makes a call that refreshes, or signs out, one of the accounts: made is what it
// sends. It takes the tokens that the sign-in, and each refresh, saves.
func (d *outline) stay(k kind, c, login *call, made step) {
	made.name = map[kind]string{isRefresh: "refresh", isLogout: "sign out"}[k]
	made.anonymous, made.save = false, nil
	wants := false
	body := replaced(c.body, func(key string, v any) (any, bool) {
		if strings.Contains(plain(key), "refresh") || plain(key) == "token" {
			wants = true
			made.decide = slices.DeleteFunc(made.decide, func(why string) bool { return why == wasSecret(key) })
			return "{{refresh_token}}", true
		}
		return v, false
	})
	if wants && d.signIn.save["refresh_token"] == "" {
		d.say("%s %s is left out: it takes a refresh token, and the answer to the sign-in is not known to have one", c.method, c.path)
		return
	}
	switch made.sent = body; {
	case c.form:
		made.text = formText(body)
	case c.body != nil:
		made.body = body
	}
	given := map[string]bool{}
	for name := range d.signIn.save {
		given[name] = true
	}
	d.known(&made, given)
	if k == isLogout {
		d.signOut = &made
		return
	}
	answer := c.answer
	if answer == nil && !d.shown.cookies {
		answer = login.answer // told under renews, in the profile
		made.decide = append(made.decide, "save: the answer is not known, that of the sign-in is taken")
	}
	made.save = map[string]string{}
	place, ok := byKey(answer, accessKeys...)
	if ok && !d.shown.cookies && !strings.HasPrefix(d.shown.from, "header:") {
		made.save["token"] = "json:" + place
	} else if d.signIn.save["token"] != "" {
		made.save["token"] = d.signIn.save["token"]
	}
	if again, ok := byKey(answer, refreshKeys...); ok && d.signIn.save["refresh_token"] != "" && "json:"+again != made.save["token"] {
		made.save["refresh_token"] = "json:" + again
	}
	d.refresh = &made
}

// stays makes the captured requests that refresh, and that sign out, those of the
// accounts. As tasks they would be drawn at random: a refresh token would be sent twice,
// and a user would go on with a session that has ended.
func (d *outline) stays(all []exchange, steps []step, calls []*call, apart map[int]bool) {
	login := slices.IndexFunc(calls, func(c *call) bool { return c.kind == isLogin })
	if login < 0 {
		return
	}
	for _, k := range []kind{isRefresh, isLogout} {
		made := false
		for i, x := range all {
			n := slices.IndexFunc(calls, func(c *call) bool {
				return c.kind == k && c.method == x.method && c.path == kindOf(steps[i].path) && !isParam(c.path) && c.other == ""
			})
			if n < 0 {
				continue
			}
			if apart[i] = true; !made {
				d.stay(k, calls[n], calls[login], steps[i])
				made = true
			}
		}
	}
}

// forget makes the steps that delete an object forget its id, unless a later one of the
// source sends it again, as to bring the object back. What the sign-in told is told once.
func (d *outline) forget(steps []step) {
	for i := range steps {
		s := &steps[i]
		path, _, _ := strings.Cut(s.path, "?")
		_, last := split(path)
		m := placeholder.FindStringSubmatch(last)
		if s.method != "DELETE" || m == nil || m[0] != last || !slices.Contains(asked(*s), m[1]) || d.signIn != nil && d.signIn.save[m[1]] != "" {
			continue
		}
		if !slices.ContainsFunc(steps[i+1:], func(later step) bool { return slices.Contains(asked(later), m[1]) }) {
			s.forget = []string{m[1]}
		}
	}
}
