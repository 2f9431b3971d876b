package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"vitals/scenarios"
)

// step translates one step. lacks is the operation that the profile does not have;
// free are the names that the engine fills in itself.
func (t *translation) step(s scenarios.Step, free []string) (out scenarios.Step, lacks string, err error) {
	name, filled := t.from.match(s)
	if name == "" {
		t.note("step %q is no operation of the clinic and is sent as it stands: %s %s", s.Name, s.Method, s.Path)
		return s, "", nil
	}
	was := t.from.Operations[name]
	op, ok := t.to.Operations[name]
	if !ok {
		return s, name, nil
	}
	if same(was, op) {
		return s, "", nil
	}
	look := func(name string) (any, bool) {
		if v, ok := filled[name]; ok {
			return v, true
		}
		if v, ok := t.to.Values[name]; ok {
			return v, true
		}
		if name == "access_token" && slices.Contains(free, "token") {
			return "{{token}}", true // what scenarios call it
		}
		if v, ok := made[name]; ok && !slices.Contains(free, name) {
			return v, true
		}
		return "{{" + name + "}}", slices.Contains(free, name) || slices.Contains(generators, name)
	}
	out = s
	out.Method = op.Method
	if out.Path, err = expand(op.Path, look, sendable); err == nil {
		out.Body, err = op.text(look)
	}
	if err != nil {
		return s, "", fmt.Errorf("operation %q, for step %q: %w", name, s.Name, err)
	}
	out.Header = maps.Clone(s.Header)
	if out.Header == nil {
		out.Header = map[string]string{}
	}
	maps.DeleteFunc(out.Header, func(name, _ string) bool { return strings.EqualFold(name, "Content-Type") })
	for header, value := range op.Header {
		if out.Header[header], err = expand(value, look, func(s string) string { return s }); err != nil {
			return s, "", fmt.Errorf("operation %q, for step %q, header %s: %w", name, s.Name, header, err)
		}
	}
	if op.Form {
		out.Header["Content-Type"] = formType
	}
	if len(s.Expect.Status) == 0 || slices.Equal(s.Expect.Status, []int{was.OK}) {
		if out.Expect.Status = nil; op.OK != 0 {
			out.Expect.Status = []int{op.OK}
		}
	}
	if s.Expect.JSON != nil {
		out.Expect.JSON = map[string]*string{}
		for place, want := range s.Expect.JSON {
			out.Expect.JSON[moved(was, op, place)] = want
		}
	}
	out.Save = map[string]string{}
	for name, from := range s.Save {
		if place, ok := strings.CutPrefix(from, "json:"); ok {
			from = "json:" + moved(was, op, place)
		}
		out.Save[name] = from
	}
	if t.taken == nil {
		t.taken = map[string]Operation{}
	}
	t.taken[s.Name] = op
	return out, "", nil
}

// match finds the operation that a step is, and what it fills the operation's
// placeholders with. The one with the most in common is meant: a fixed segment
// before a placeholder, one that names a parameter of the query before one that
// does not.
func (p *Profile) match(s scenarios.Step) (name string, filled map[string]any) {
	best := -1
	for _, n := range keys(p.Operations) {
		op := p.Operations[n]
		if f, score, ok := op.match(s); ok && score > best {
			name, filled, best = n, f, score
		}
	}
	if body := p.Operations[name].Body; body != nil {
		d := json.NewDecoder(strings.NewReader(s.Body))
		d.UseNumber()
		var tree any
		if d.Decode(&tree) == nil { // else no JSON: nothing of it fills anything
			bind(body, tree, filled)
		}
	}
	return name, filled
}

func (o Operation) match(s scenarios.Step) (filled map[string]any, score int, ok bool) {
	path, query, _ := strings.Cut(o.Path, "?")
	sent, asked, _ := strings.Cut(s.Path, "?")
	want, got := strings.Split(path, "/"), strings.Split(sent, "/")
	if o.Method != s.Method || len(want) != len(got) {
		return nil, 0, false
	}
	filled = map[string]any{}
	for i, w := range want {
		switch {
		case placeholder.FindString(w) == w && w != "":
			filled[w[2:len(w)-2]] = got[i]
		case w != got[i]:
			return nil, 0, false
		default:
			score += 100
		}
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, w, _ := strings.Cut(pair, "=")
		value, there := parameter(asked, key)
		switch {
		case pair == "":
		case !there:
			return nil, 0, false
		case placeholder.FindString(w) == w:
			filled[w[2:len(w)-2]] = value
			score++
		case w != value:
			return nil, 0, false
		default:
			score++
		}
	}
	return filled, score, true
}

// parameter is a parameter of a query as it is written.
func parameter(query, key string) (string, bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if k, v, _ := strings.Cut(pair, "="); k == key {
			return v, true
		}
	}
	return "", false
}

// bind finds what stands in a body where an operation has its placeholders.
func bind(want, got any, filled map[string]any) {
	switch w := want.(type) {
	case string:
		if m := placeholder.FindString(w); m == w && m != "" && got != nil {
			filled[m[2:len(m)-2]] = got
		}
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			for name := range w {
				bind(w[name], g[name], filled)
			}
		}
	case []any:
		if g, ok := got.([]any); ok {
			for i := range min(len(w), len(g)) {
				bind(w[i], g[i], filled)
			}
		}
	}
}

// text is the operation's body as a scenario has it: placeholders of the engine
// stay what they are.
func (o Operation) text(look func(string) (any, bool)) (string, error) {
	if o.Body == nil {
		return "", nil
	}
	tree, err := fill(o.Body, look)
	if err != nil {
		return "", err
	}
	if o.Form {
		var pairs []string
		for _, name := range keys(o.Body) {
			pairs = append(pairs, url.QueryEscape(name)+"="+around(fmt.Sprint(tree.(map[string]any)[name]), url.QueryEscape))
		}
		return strings.Join(pairs, "&"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // a body is not for a browser
	err = e.Encode(tree)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// sendable escapes what may not stand in a path as it is, and leaves what a
// scenario's path has escaped already.
func sendable(text string) string {
	return around(text, func(s string) string {
		if plain, err := url.PathUnescape(s); err == nil && plain != s {
			return s
		}
		return url.PathEscape(s)
	})
}

// around escapes a text but for the engine's placeholders.
func around(text string, escape func(string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		b.WriteString(escape(before))
		inside, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			return b.String()
		}
		b.WriteString("{{" + inside + "}}")
		text = after
	}
}

// moved is where a value stands in the answer of another API: the field that the
// first has there, and within a list the field of each item.
func moved(was, is Operation, place string) string {
	field, at := "", ""
	for _, name := range append(keys(was.Fields), Fields()...) {
		p := was.place(name)
		if (place == p || strings.HasPrefix(place, p+".")) && len(p) > len(at) {
			field, at = name, p
		}
	}
	if field == "" {
		return place
	}
	parts := []string{}
	if p := is.place(field); p != "." {
		parts = append(parts, p)
	}
	rest := strings.TrimPrefix(place[len(at):], ".")
	for rest != "" {
		first, after, _ := strings.Cut(rest, ".")
		if _, err := strconv.Atoi(first); err != nil {
			parts = append(parts, moved(was, is, rest))
			break
		}
		parts = append(parts, first)
		rest = after
	}
	return strings.Join(parts, ".")
}

// place is where a field stands: where the profile says, or under its own name.
func (o Operation) place(field string) string {
	if place, ok := o.Fields[field]; ok {
		return place
	}
	return field
}

// made are what a scenario sends where neither its step nor the profile has a value, as
// generated is what probes send: with what the engine makes for every request.
var made = map[string]any{
	"medication_name": "Vitals {{seq}}", "notes": "noted by Vitals", "start_date": "{{today}}", "taken_at": "{{now}}",
	"action": "taken", "quantity": 1, "days": 1,
}

// generators are names that the engine fills in itself, for every request anew.
var generators = []string{"uuid", "seq", "now", "today"}

// wants are the names that answers, feeds and accounts must fill in.
func wants(s scenarios.Step) []string {
	var names []string
	for _, text := range append(slices.Collect(maps.Values(s.Header)), s.Path, s.Body) {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(generators, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	return names
}
