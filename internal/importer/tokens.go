package importer

import (
	"slices"
	"strings"
)

var refreshKeys = []string{"refreshtoken", "refresh"}

// tokens are the places of what an answer gives to whoever signed in, where they do not
// stand under their own names.
func tokens(answer any) map[string]string {
	fields := map[string]string{}
	for name, keys := range map[string][]string{"access_token": accessKeys, "refresh_token": refreshKeys, "expires_in": {"expiresin"}} {
		if place, ok := byKey(answer, keys...); ok && place != name {
			fields[name] = place
		}
	}
	return fields
}

// renews says where the answer to a refresh has the new tokens: where the answer to the
// sign-in has them, when its own is not known.
func (c *call) renews(calls []*call, o *operation) {
	answer := c.answer
	if i := slices.IndexFunc(calls, func(c *call) bool { return c.kind == isLogin }); answer == nil && i >= 0 {
		if answer = calls[i].answer; len(tokens(answer)) > 0 {
			o.decide = append(o.decide, "fields: the answer is not known, that of the sign-in is taken")
		}
	}
	o.fields = tokens(answer)
}

var personKeys = []string{"user", "account", "profile", "record", "me"}

// person is where the answer to a sign-in has the id of who signed in: in an object that
// is called like a person, else in the only one beside the token, or around it, that has
// an id and a name to sign in with. An API calls its people what it likes: driver, member.
func person(answer any, token string) (place string, ok bool) {
	var others []string
	for _, f := range walk(answer) {
		m, is := f.value.(map[string]any)
		if !is || strings.HasPrefix(token+".", f.place+".") {
			continue // the token itself, or what it stands in
		}
		id, has := idKey(m, "user")
		if slices.Contains(personKeys, plain(f.key)) {
			return under(f.place, id), has
		}
		beside := around(f.place)
		if id, has = idKey(m, f.key); has && signsInWith(m) && f.place != "." && (beside == "." || strings.HasPrefix(token, beside+".")) {
			others = append(others, under(f.place, id))
		}
	}
	if len(others) != 1 {
		return "", false
	}
	return others[0], true
}

// signsInWith tells whether an object has what its owner signs in with.
func signsInWith(m map[string]any) bool {
	for _, k := range keys(m) {
		if p := plain(k); accountKey.MatchString(p) && p != "name" && isScalar(m[k]) {
			return true
		}
	}
	return false
}

// around is the place of what holds the value at a place.
func around(place string) string {
	i := strings.LastIndex(place, ".")
	if i < 0 {
		return "."
	}
	return place[:i]
}
