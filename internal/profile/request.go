package profile

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

var placeholder = regexp.MustCompile(`\{\{([a-z_][a-z0-9_]*)\}\}`)

const formType = "application/x-www-form-urlencoded"

// Message is one of a profile's operations, filled in and ready to be sent.
type Message struct {
	Method, Path string // the path escaped, from the server's root
	Header       http.Header
	Body         []byte
	Policy       string // limit policy it counts under; "" = none
}

// Message is the operation of that name with the values given, or the profile's
// own, and with the token of whoever is signed in, "" for nobody. An operation that
// the profile does not have, and a value that nobody gives, is an error that names
// it.
func (p *Profile) Message(operation, token string, values map[string]string) (Message, error) {
	op, ok := p.Operations[operation]
	if !ok {
		return Message{}, fmt.Errorf("profile %s has no operation %q", p.Name, operation)
	}
	m, err := p.Fill(op, token, values)
	if err != nil {
		return Message{}, fmt.Errorf("profile %s, operation %s: %w", p.Name, operation, err)
	}
	return m, nil
}

// Fill is Message for an operation that may have no name, as one of promises.admins.
func (p *Profile) Fill(op Operation, token string, values map[string]string) (Message, error) {
	if _, given := values["access_token"]; token != "" && !given {
		values = maps.Clone(values)
		if values == nil {
			values = map[string]string{}
		}
		values["access_token"] = token
	}
	path, body, kind, err := op.Request(values, p.Values)
	m := Message{Method: op.Method, Path: path, Header: http.Header{}, Body: body, Policy: op.policy()}
	for name, value := range op.Header {
		if _, in := values["access_token"]; !in && strings.Contains(value, "{{access_token}}") {
			continue // nobody is signed in
		}
		if err == nil {
			value, err = expand(value, lookIn(values, p.Values), func(s string) string { return s })
			m.Header.Set(name, value)
		}
	}
	if err != nil {
		return Message{}, err
	}
	if kind != "" {
		m.Header.Set("Content-Type", kind)
	}
	if token != "" && m.Header.Get("Authorization") == "" {
		m.Header.Set("Authorization", "Bearer "+token)
	}
	return m, nil
}

// policy is the limit policy that the operation counts under; "" = none.
func (o Operation) policy() string {
	switch o.Policy {
	case "none":
		return ""
	case "":
		return API
	}
	return o.Policy
}

// Request fills the operation's path and body. A value that neither the caller
// nor the profile gives is an error that names it. kind is the body's content
// type, "" without a body.
func (o Operation) Request(values map[string]string, defaults map[string]any) (path string, body []byte, kind string, err error) {
	look := lookIn(values, defaults)
	path, err = expand(o.Path, look, url.PathEscape)
	if err != nil || o.Body == nil {
		return path, nil, "", err
	}
	tree, err := fill(o.Body, look)
	if err != nil {
		return "", nil, "", err
	}
	if !o.Form {
		body, err = json.Marshal(tree)
		return path, body, "application/json", err
	}
	form := url.Values{}
	for name, v := range tree.(map[string]any) {
		form.Set(name, fmt.Sprint(v))
	}
	return path, []byte(form.Encode()), formType, nil
}

// lookIn finds the value of a placeholder: the caller's, the profile's, or one that is
// made for the request.
func lookIn(values map[string]string, defaults map[string]any) func(string) (any, bool) {
	return func(name string) (any, bool) {
		if v, ok := values[name]; ok {
			return v, true
		}
		if v, ok := defaults[name]; ok {
			return v, true
		}
		return generated(name)
	}
}

// generated is a value that is made for every request, where nobody gives one: texts
// that any field of the kind takes.
func generated(name string) (any, bool) {
	switch now := time.Now().UTC(); name {
	case "uuid":
		return uuid.NewString(), true
	case "now", "taken_at":
		return now.Format(time.RFC3339), true
	case "today", "start_date":
		return now.Format(time.DateOnly), true
	case "medication_name":
		return "Vitals " + uuid.NewString()[:8], true
	case "notes":
		return "noted by Vitals", true
	case "action":
		return "taken", true
	case "quantity", "days":
		return 1, true
	}
	return nil, false
}

// expand replaces the placeholders of a text.
func expand(text string, look func(string) (any, bool), escape func(string) string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := look(m[2 : len(m)-2])
		if !ok {
			missing = append(missing, m)
			return m
		}
		return escape(fmt.Sprint(v))
	})
	if missing != nil {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// fill replaces the placeholders in a body's tree. A text that is nothing but a
// placeholder takes the value with its type.
func fill(v any, look func(string) (any, bool)) (any, error) {
	switch v := v.(type) {
	case string:
		if m := placeholder.FindString(v); m == v && m != "" {
			if value, ok := look(m[2 : len(m)-2]); ok {
				return value, nil
			}
		}
		return expand(v, look, func(s string) string { return s })
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = fill(v[i], look); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			var err error
			if out[name], err = fill(v[name], look); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// Field reads a field of an answer's JSON body: where the profile says it is, or
// by its own name. Numbers and flags come as their text. False when it is not
// there, or is neither text, number nor flag.
func (o Operation) Field(body []byte, name string) (string, bool) {
	v, ok := o.Value(body, name)
	switch v := v.(type) {
	case string:
		return v, ok
	case json.Number:
		return v.String(), ok
	case bool:
		return strconv.FormatBool(v), ok
	}
	return "", false
}

// Value is Field for any kind of value.
func (o Operation) Value(body []byte, name string) (any, bool) {
	v, ok := decode(body)
	if !ok {
		return nil, false
	}
	return at(v, o.place(name))
}

// decode reads a JSON body, numbers as they are written.
func decode(body []byte) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err == nil
}

// at is what stands at a place of a decoded body: "data.items.0.id", "." = all.
func at(v any, place string) (any, bool) {
	if place == "." {
		return v, true
	}
	ok := true
	for part := range strings.SplitSeq(place, ".") {
		switch in := v.(type) {
		case map[string]any:
			if v, ok = in[part]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, v != nil
}

// Succeeded tells whether a status is the operation's success.
func (o Operation) Succeeded(status int) bool {
	return status == o.OK || o.OK == 0 && status/100 == 2
}

// Refusal is the status of a wrong credential.
func (o Operation) Refusal() int {
	if o.Refuse == 0 {
		return 401
	}
	return o.Refuse
}

// Placeholders are the names that the operation wants values for, sorted.
func (o Operation) Placeholders() []string {
	var names []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			for _, m := range placeholder.FindAllStringSubmatch(v, -1) {
				names = append(names, m[1])
			}
		case []any:
			for _, c := range v {
				walk(c)
			}
		case map[string]any:
			for _, c := range v {
				walk(c)
			}
		}
	}
	walk(o.Path)
	walk(o.Body)
	for _, value := range o.Header {
		walk(value)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Token finds a reset token in its mail.
func Token(p *Profile, mail string) (string, bool) {
	re, err := regexp.Compile(p.Token)
	if err != nil || p.Token == "" {
		return "", false
	}
	m := re.FindStringSubmatch(mail)
	if len(m) < 2 {
		return "", false
	}
	return m[1], true
}
