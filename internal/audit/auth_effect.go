package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"vitals/internal/profile"
)

// privateObject is somebody's, and what tells whether others change it.
type privateObject struct {
	owner  session
	id     string
	update profile.Operation // whose body says who sends it, in a text that get shows
	places []string          // of that text in get's answer; none = get does not show what is written
}

// stranger is somebody who may not reach an object.
type stranger struct {
	from   netip.Addr
	token  string
	reach  string // in messages: of another's object
	wanted string // in messages; "" = the operation's refusal
	mark   string // what an update by them adds to a text
}

// look is what an object's owner finds.
type look struct {
	ans   Answer
	known bool // else the answer says nothing
	found bool
	parts map[string]string // by their places
}

// look asks an object's owner for it: by get, or where there is none by the list.
func (t *T) look(o *privateObject) look {
	if _, ok := t.target.Profile.Operations["get"]; !ok {
		if _, ok := t.target.Profile.Operations["list"]; !ok {
			return look{}
		}
		a := t.paged(o.owner.from, o.owner.access, "")
		done := a.Err == nil && t.Operation("list").Succeeded(a.Status)
		return look{ans: a, known: done, found: done && strings.Contains(string(a.Body), o.id)}
	}
	a := t.Do("get", o.owner.from, o.owner.access, values{"id": o.id})
	found := a.Err == nil && t.Operation("get").Succeeded(a.Status)
	return look{ans: a, known: found || a.Status == http.StatusNotFound || a.Status == http.StatusGone, found: found, parts: scalars(t.content(a))}
}

// scalars are the values in a JSON text that hold no others, by their places.
func scalars(text string) map[string]string {
	out := map[string]string{}
	var walk func(place string, v any)
	walk = func(place string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				walk(place+"."+name, inner)
			}
		case []any:
			for i, inner := range v {
				walk(fmt.Sprintf("%s.%d", place, i), inner)
			}
		default:
			out[strings.TrimPrefix(place, ".")] = fmt.Sprint(v)
		}
	}
	var body any
	if json.Unmarshal([]byte(text), &body) == nil {
		walk("", body)
	}
	return out
}

// differing are the places at which two looks have not the same, sorted.
func differing(a, b look) []string {
	var out []string
	for place := range b.parts {
		if _, ok := a.parts[place]; !ok {
			out = append(out, place)
		}
	}
	for place, v := range a.parts {
		if w, ok := b.parts[place]; !ok || v != w {
			out = append(out, place)
		}
	}
	slices.Sort(out)
	return out
}

// sentBy is the placeholder of what an update's text says of who sent it.
const sentBy = "vitals_sent_by"

// mostMarked is how many texts of an update's body are tried for one that takes more words.
const mostMarked = 4

// marked are an update's bodies with each text that takes any words saying who sent it.
func marked(body map[string]any, own map[string]any) (out []map[string]any) {
	for n := range mostMarked {
		left := n
		copied := marking(body, own, &left)
		if left >= 0 {
			break // there are no more
		}
		out = append(out, copied.(map[string]any))
	}
	return out
}

// marking copies a body's tree; the text of that number in it, from 0, says who sent it.
func marking(v any, own map[string]any, left *int) any {
	switch v := v.(type) {
	case string:
		if anyWords(v, own) {
			if *left--; *left == -1 {
				return v + "{{" + sentBy + "}}"
			}
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = marking(v[i], own, left)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out[name] = marking(v[name], own, left)
		}
		return out
	}
	return v
}

var (
	asked  = regexp.MustCompile(`\{\{([a-z0-9_]+)\}\}`)
	letter = regexp.MustCompile(`\pL`)
)

// anyWords tells whether a body's text may be one that takes any words. A text of the
// profile's own may be one of a closed set all the same, which trying it shows.
func anyWords(text string, own map[string]any) bool {
	for _, m := range asked.FindAllStringSubmatch(text, -1) {
		_, isText := own[m[1]].(string)
		of := slices.Contains(profile.Placeholders(), m[1])
		if m[1] != "notes" && m[1] != "medication_name" && (of || !isText) {
			return false
		}
	}
	return letter.MatchString(text) && !strings.Contains(text, "@") && !strings.Contains(text, "://")
}

// marks finds a text that the object's owner changes by update, and finds changed by get:
// by that one it is seen whether what another sends takes effect.
func (t *T) marks(o *privateObject) {
	o.update = t.Operation("update")
	const mark = " by its owner"
	for _, body := range marked(o.update.Body, t.target.Profile.Values) {
		op := o.update
		op.Body = body
		before := t.look(o)
		a := t.sends(op, o.owner.from, o.owner.access, values{"id": o.id, sentBy: mark})
		if a.Err != nil || !op.Succeeded(a.Status) {
			continue
		}
		after := t.look(o)
		for _, place := range differing(before, after) {
			if strings.Contains(strings.ToLower(after.parts[place]), strings.TrimSpace(mark)) {
				o.places = append(o.places, place)
			}
		}
		if len(o.places) > 0 {
			o.update = op
			return
		}
	}
	t.Note("get shows no text that update writes, so that an update by others was judged by its answer, and by what else get shows")
}

// sends is Do for an update with another body than the profile's.
func (t *T) sends(op profile.Operation, from netip.Addr, token string, v values) Answer {
	q := t.Request("update", from, token, v)
	p, told := t.run.typed(t.target, token, v)
	m, err := p.Fill(op, token, told)
	if err != nil {
		t.Lacks("%v", err)
	}
	q.Body = m.Body
	return t.again(q)
}

// reaches tries an operation on an object by somebody who may not reach it, and judges it
// by the answer and by what the owner finds then. gone: the object is there no more.
func (t *T) reaches(name string, o *privateObject, s stranger) (gone bool) {
	var before look
	if name != "get" {
		before = t.look(o)
	}
	v := values{"id": o.id, sentBy: s.mark}
	op := t.Operation(name)
	var ans Answer
	if name == "update" {
		ans = t.sends(o.update, s.from, s.token, v)
	} else {
		ans = t.Do(name, s.from, s.token, v)
	}
	effect, gone, known := "", false, false
	if name != "get" && before.found {
		effect, gone, known = t.effect(name, o, before)
	}
	if effect == "" && t.asOwner(name, ans, o.owner, o.id) {
		return false
	}
	wanted := s.wanted
	if wanted == "" {
		wanted = fmt.Sprintf("%d or another refusal", op.Refusal())
	}
	switch {
	case effect != "" && t.turned(name, ans):
		t.Fail("%v %s: answered %s, and took effect: %s", ans, s.reach, ans.got(), effect)
	case effect != "":
		t.Fail("%v %s: got %s, want %s: it took effect: %s", ans, s.reach, ans.got(), wanted, effect)
	case known && ans.Err == nil && (ans.Status/100 == 2 || op.Succeeded(ans.Status)):
		t.Check(true, "")
		t.Note("%v %s: got %s without effect: its owner finds it as it was", ans, s.reach, ans.got())
	default:
		t.Check(t.turned(name, ans), "%v %s: got %s, want %s", ans, s.reach, ans.got(), wanted)
		gone = !known && name == "delete" && op.Succeeded(ans.Status)
	}
	return gone
}

// settles is how long after a change of an object it is looked at again: what has changed
// by then as well changes by itself, as when it was last read does.
const settles = 1100 * time.Millisecond

// effect is what the owner finds changed of an object, in words; "" = nothing. known: had
// it changed, that would be seen.
func (t *T) effect(name string, o *privateObject, before look) (words string, gone, known bool) {
	after := t.look(o)
	if !after.known {
		return "", false, false
	}
	if !after.found {
		return fmt.Sprintf("%v by its owner got %s, and no longer finds it", after.ans, after.ans.got()), true, true
	}
	changed := differing(before, after)
	by := func(place string) bool { return slices.Contains(o.places, place) }
	switch {
	case name == "update" && len(o.places) > 0:
		changed = slices.DeleteFunc(changed, func(place string) bool { return !by(place) })
	case len(changed) > 0:
		t.sleep(settles)
		self := differing(after, t.look(o))
		changed = slices.DeleteFunc(changed, func(place string) bool { return slices.Contains(self, place) })
	}
	if len(changed) == 0 {
		return "", false, name == "delete" || len(o.places) > 0
	}
	place := changed[0]
	return fmt.Sprintf("%v by its owner shows %s %q, before %q", after.ans, place, cut(after.parts[place]), cut(before.parts[place])), false, true
}
