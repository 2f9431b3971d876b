package importer

import (
	"fmt"
	"slices"
	"strings"
)

// profileOf names the calls that probes know.
func (d *outline) profileOf(calls []*call) {
	d.operations = map[string]operation{}
	d.values = map[string]any{}
	for _, c := range calls {
		if c.old || c.other != "" || c.others && c.kind != isLogin {
			continue
		}
		switch c.kind {
		case isHealth, isReady, isLive:
			if !isParam(c.path) {
				o := c.operation()
				o.policy = "none"
				d.add(string(c.kind), o)
			}
		case isLogin:
			d.addLogin(c)
		case isRefresh, isLogout, isConfirm, isReset, isChange:
			if o := c.operation(); !isParam(c.path) && d.fillIn(c.kind, &o) {
				switch c.kind {
				case isRefresh:
					c.renews(calls, &o)
				case isChange:
					o.refused = c.described() // 401 may be of the token, and is what is taken without
				}
				d.add(string(c.kind), o)
			}
		case isMe:
			if !isParam(c.path) {
				o := c.operation()
				o.fields = d.placed(c, "user_id", "id")
				o.refused = c.bare
				for _, wrong := range []int{401, 403} {
					if slices.Contains(c.refuse, wrong) && c.signed && o.refused == 0 {
						o.refused = wrong
					}
				}
				d.add("me", o)
			}
		}
	}
	d.collection(calls)
}

func (d *outline) add(name string, o operation) {
	if _, ok := d.operations[name]; !ok {
		d.operations[name] = o
	}
}

func (d *outline) addLogin(c *call) {
	o := c.operation()
	account, password := credential(c.body)
	if o.body = put(c.body, password, "{{password}}"); account != "" {
		o.body = put(o.body, account, "{{email}}")
	} else {
		o.decide = append(o.decide, "which field names the account: none is called like one")
	}
	o.fields = tokens(c.answer)
	if token, ok := byKey(c.answer, accessKeys...); ok || d.shown.cookies || d.shown.from != "" {
		if place, ok := person(c.answer, token); ok {
			o.fields["user_id"] = place
		}
	}
	_, ok := byKey(c.answer, accessKeys...)
	header, inHeader := strings.CutPrefix(d.shown.from, "header:")
	switch {
	case d.shown.cookies:
		delete(o.fields, "access_token")
		o.decide = append(o.decide, "the session is a cookie, which probes do not keep: those of somebody who is signed in cannot be judged by this API's answers")
	case inHeader:
		header, _, _ = strings.Cut(header, " ")
		delete(o.fields, "access_token")
		o.decide = append(o.decide, "fields: {access_token: PLACE}: the token stands in the header "+header+" of the answer, and probes look into its body alone")
	case c.answer == nil:
		o.decide = append(o.decide, "where the tokens stand in the answer: the source does not say")
	case !ok:
		o.decide = append(o.decide, "fields: {access_token: PLACE}, where the token stands in the answer: none is called like one")
	}
	if o.refused = c.wrong(); o.refused == 0 {
		o.decide = append(o.decide, "refused: the status of a wrong password; 401 is taken when it is left out")
	}
	for _, l := range d.limits {
		if l.policy == "login" && l.limit > 0 {
			o.policy = "login"
		}
	}
	d.add("login", o)
}

// fillIn puts the placeholders of probes into the body of an account's operation.
// False when one is needed and there is no place for it.
func (d *outline) fillIn(k kind, o *operation) bool {
	got := map[string]bool{}
	o.body = replaced(o.body, func(key string, v any) (any, bool) {
		p, name := plain(key), ""
		switch {
		case !isScalar(v) && v != nil:
			return v, false
		case strings.Contains(p, "refresh") || k == isRefresh && p == "token":
			name = "refresh_token"
		case strings.Contains(p, "new") && strings.Contains(p, "pass"), k == isConfirm && strings.Contains(p, "pass"):
			name = "new_password"
		case strings.Contains(p, "pass") && k == isChange:
			name = "password"
		case strings.Contains(p, "token") || k == isConfirm && p == "code":
			name = "token"
		case accountKey.MatchString(p):
			name = "email"
		default:
			return v, false
		}
		got[name] = true
		return "{{" + name + "}}", true
	})
	switch k {
	case isRefresh:
		return got["refresh_token"]
	case isReset:
		return got["email"]
	case isConfirm:
		return got["token"] && got["new_password"]
	case isChange:
		return got["password"] && got["new_password"]
	}
	return true
}

// collection picks the objects that the checks of ownership work on: the first
// collection that can be listed and added to, and better read, changed and deleted.
func (d *outline) collection(calls []*call) {
	of := func(k kind, prefix string) *call {
		for _, c := range calls {
			holder, last := split(c.path)
			whole := k == isList || k == isCreate || k == isRead
			if c.kind == k && !c.old && c.other == "" && !c.others && (whole && trimmed(c.path) == prefix || !whole && holder == prefix && strings.Count(last, "{") == 1 && strings.HasPrefix(last, "{")) {
				return c
			}
		}
		return nil
	}
	best, score := "", 0
	for _, c := range calls {
		if c.kind != isList && c.kind != isCreate || isParam(c.path) || c.old || c.other != "" || c.others {
			continue
		}
		s := 0
		for k, worth := range map[kind]int{isList: 3, isCreate: 3, isGet: 2, isUpdate: 1, isDelete: 1} {
			if of(k, trimmed(c.path)) != nil {
				s += worth
			}
		}
		if c.signed {
			s++
		}
		if s > score {
			best, score = trimmed(c.path), s
		}
	}
	if best == "" {
		return
	}
	for _, k := range []kind{isList, isCreate, isGet, isUpdate, isDelete} {
		c := of(k, best)
		if c == nil {
			continue
		}
		o := c.operation()
		if _, ok := o.body.(map[string]any); !ok && o.body != nil {
			d.say("%s %s is not in the profile: its body is a list, and probes fill in fields", c.method, c.path)
			continue
		}
		if o.refused = c.bare; o.refused == 0 && (k == isUpdate || k == isDelete) && d.operations[string(isGet)].refused != 0 {
			o.refused = d.operations[string(isGet)].refused
			o.decide = append(o.decide, "refused: as of get; the source has no such request without a token")
		}
		o.body = o.asTexts(c.ownID(o.body, "{{id}}"))
		o.path = sendable(param.ReplaceAllString(c.path, "{{id}}") + map[bool]string{true: "?" + c.query}[c.query != ""])
		switch k {
		case isList:
			o.fields = map[string]string{}
			items, ok := listPlace(c.answer)
			if !ok {
				o.decide = append(o.decide, "items: where the list stands in the answer")
			} else if items != "items" {
				o.fields["items"] = items
			}
			if _, as, ok := c.entry(); ok && as != "" {
				if id, _ := idKey(at(c.answer, under(items, "0")), singular(noun(c.path))); id != "id" {
					o.fields["id"] = id
				}
			}
		case isCreate, isGet, isUpdate:
			o.fields = d.placed(c, "id", "id")
		}
		d.private = d.private || k != isCreate && slices.Contains([]int{401, 403, 404}, c.bare)
		d.add(string(k), o)
	}
}

// asTexts is a body whose ids are texts, for so the profile fills them in.
func (o *operation) asTexts(body any) any {
	var numbers []string
	for _, f := range walk(body) {
		if f.value == unquoted+"{{id}}" {
			numbers = append(numbers, f.place)
		}
	}
	if len(numbers) > 0 && !o.form {
		o.decide = append(o.decide, "whether the API takes a text for "+strings.Join(numbers, ", ")+": the source sends a number, and {{id}} is filled in as a text")
	}
	return texts(body, func(text string) any { return strings.TrimPrefix(text, unquoted) })
}

// trimmed is a path without the slash at its end: /items/ and /items hold the same.
func trimmed(path string) string { return strings.TrimRight(path, "/") }

// split is the last segment of a path, and what stands before it.
func split(path string) (before, last string) {
	path = trimmed(path)
	i := strings.LastIndex(path, "/")
	return path[:max(i, 0)], path[i+1:]
}

// placed says where an answer has an id, unless it stands under its own name.
func (d *outline) placed(c *call, name, usual string) map[string]string {
	object, place := c.answer, "."
	if m, ok := object.(map[string]any); ok && len(m) <= 3 {
		if _, has := idKey(m, ""); !has {
			for _, k := range keys(m) {
				if inner, ok := m[k].(map[string]any); ok && !strings.ContainsAny(k, ".{} ") {
					object, place = inner, k
					break
				}
			}
		}
	}
	id, ok := idKey(object, singular(noun(c.path)))
	if !ok {
		return nil
	}
	if at := under(place, id); at != name || usual != name {
		return map[string]string{name: at}
	}
	return nil
}

// operation is the call as the profile has it.
func (c *call) operation() operation {
	o := operation{method: c.method, path: c.filled(nil), header: slices.Clone(c.header), body: c.body, form: c.form, ok: c.ok, decide: slices.Clone(c.decide)}
	if c.form && o.body == nil {
		o.form = false
	}
	if o.form {
		body, decide := saidOnce(o.body)
		o.body, o.decide = body, append(o.decide, decide...)
	}
	return o
}

// comment is a line of the files.
func comment(format string, args ...any) string {
	return "# " + strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
}
