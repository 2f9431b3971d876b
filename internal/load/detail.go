package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vitals/internal/measure"
	"vitals/internal/redact"
	"vitals/internal/wire"
)

// firstFailures are how many of one visitor's unexpected answers had which class,
// and which step and class. What the recorder keeps whole is among the first of
// each visitor, so only those are worth words.
type firstFailures struct {
	classes map[measure.Class]int
	steps   map[[2]int]int
}

func (f *firstFailures) admits(step int, class measure.Class) bool {
	if f.classes == nil {
		f.classes, f.steps = map[measure.Class]int{}, map[[2]int]int{}
	}
	key := [2]int{step, int(class)}
	f.classes[class]++
	f.steps[key]++
	return f.classes[class] <= measure.DefaultKeep || f.steps[key] <= measure.KeptOfStep
}

// detail says what the step expected of the last call and what came.
func (v *visitor) detail(s *step, class measure.Class, response time.Duration) *measure.Detail {
	secrets := v.secrets()
	d := &measure.Detail{Why: redactKnown(v.why(s, class, response), secrets)}
	if v.call.Code != 0 {
		d.Body = excerpt(v.answer(), secrets, v.opens(s))
	}
	return d
}

// exemplar is the last call, which was s and is in no phase: it was made before any.
func (v *visitor) exemplar(s *step) measure.Exemplar {
	c := &v.call
	took := c.Done - c.Began
	d := v.detail(s, v.class, took)
	e := measure.Exemplar{Step: s.name, Response: took, Service: took, Code: c.Code, Class: v.class.String(), TraceID: string(v.trace), Why: d.Why, Body: d.Body}
	if id, ok := c.Header("X-Request-ID"); ok {
		e.RequestID = string(v.hide(id))
	}
	return e
}

// opens tells whether the last answer may hold what opens a session, where nobody has
// said yet where.
func (v *visitor) opens(s *step) bool {
	return v.call.Code/100 == 2 && (s == v.r.plan.signIn || s == v.r.plan.refresh)
}

// answer is what came, unpacked if it can be.
func (v *visitor) answer() []byte {
	if v.unpacked {
		return v.call.Answer
	}
	plain, _, err := wire.Unpack(&v.call, nil)
	if err == nil {
		return plain
	}
	// Text that only calls itself packed may say why. What is packed indeed is not
	// shown: no secret could be found in it.
	if start := v.call.Answer[:min(shown, len(v.call.Answer))]; bytes.ContainsFunc(start, func(c rune) bool { return c == utf8.RuneError || unicode.IsControl(c) && !unicode.IsSpace(c) }) {
		return nil
	}
	return v.call.Answer
}

// why is in words what was expected and what came, never what was sent.
func (v *visitor) why(s *step, class measure.Class, response time.Duration) string {
	c := &v.call
	switch {
	case c.Class != measure.None && c.Err != nil:
		return redactAll(unanswered(c), nil)
	case class == measure.BadStatus:
		words := fmt.Sprintf("want %s, got %d", s.expect.statusWords(), c.Code)
		if to, ok := c.Header("Location"); ok && c.Code/100 == 3 {
			words += " to " + came(to, v.secrets()) // redirects are not followed
		}
		return words
	case class == measure.Encoding && v.unreadable != nil:
		return v.unreadable.Error()
	}
	if class == measure.TooLong {
		return fmt.Sprintf("%s was not found in the first %d KiB of an answer of %d bytes, and no more is looked at", v.sought(s), len(c.Answer)>>10, c.Bytes)
	}
	words := ""
	if what, wrong := s.expect.check(c, v.vars, &v.scratch); wrong {
		words = what.words(c, v.secrets())
	} else if s.expect.most > 0 && response > s.expect.most {
		words = fmt.Sprintf("want an answer within %s, it took %s", s.expect.most, response.Round(time.Microsecond))
	} else {
		var absent []string
		for i := range s.captures {
			if k := &s.captures[i]; !k.take(c, v.vars, first) {
				absent = append(absent, k.absent(c, v.secrets))
			}
		}
		words = strings.Join(absent, "; ")
	}
	return words
}

// sought is the first thing that the step looks for in the body and that is not there.
func (v *visitor) sought(s *step) string {
	if what, wrong := s.expect.check(&v.call, v.vars, &v.scratch); wrong {
		if what.json != nil {
			return "json " + what.json.name
		}
		return fmt.Sprintf("the text %q", short([]byte(redactKnown(string(what.body), v.secrets()))))
	}
	for i := range s.captures {
		if k := &s.captures[i]; !k.take(&v.call, v.vars, first) {
			return strings.Replace(k.from, ":", " ", 1)
		}
	}
	return "what the step looks for"
}

func (x *expectation) statusWords() string {
	if len(x.status) == 0 {
		return "any 2xx"
	}
	words := make([]string, len(x.status))
	for i, code := range x.status {
		words[i] = strconv.Itoa(code)
	}
	return strings.Join(words, " or ")
}

// words say what was expected of the header, the member or the body.
func (k checked) words(c *wire.Call, secrets []string) string {
	switch {
	case k.header != nil:
		got, ok := c.Header(k.header.name)
		if !ok {
			return absentHeader(c, k.header.name).Error()
		}
		value := came(got, secrets)
		if hidden.MatchString(k.header.name) {
			value = redact.Mark
		}
		return fmt.Sprintf("header %s: want %q, got %q", k.header.name, k.want, value)
	case k.json != nil:
		raw, ok := k.json.path.find(c.Answer, first)
		switch {
		case !ok && k.json.want == nil:
			return "json " + k.json.path.absent(c.Answer)
		}
		want := string(k.want)
		if k.json.want != nil && !k.json.want.filled {
			want = string(text(nil, k.want))
		}
		if !ok {
			return fmt.Sprintf("json %s: want %s, but %s", k.json.name, orEmpty(want), k.json.path.absent(c.Answer))
		}
		got := came(text(nil, raw), secrets)
		if hidden.MatchString(k.json.name) {
			got = redact.Mark
		}
		if is, should := kindOf(raw), kindOf(k.want); !k.json.want.filled && is != should {
			return fmt.Sprintf("json %s: want %s, got %s", k.json.name, typed(should, want), typed(is, got))
		}
		return fmt.Sprintf("json %s: want %s, got %s", k.json.name, orEmpty(want), orEmpty(got))
	}
	return fmt.Sprintf("body: want it to contain %q", short([]byte(redactKnown(string(k.body), secrets))))
}

// absent says that what the capture looks for is not there, and what is.
func (k *capture) absent(c *wire.Call, secrets func() []string) string {
	switch {
	case k.follow != nil:
		if _, err := k.follow.resolve(c); err != nil {
			return err.Error()
		}
		return ""
	case k.cookie != "":
		var names []string
		for line := range headerValues(c.Head, "Set-Cookie") {
			name, _, _ := bytes.Cut(line, []byte("="))
			names = append(names, string(name))
		}
		return fmt.Sprintf("cookie %s is not set by the answer%s", k.cookie, has("it sets", names))
	case k.header != "" && k.re != nil:
		if value, ok := c.Header(k.header); ok && hidden.MatchString(k.header) {
			return fmt.Sprintf("%s is not in the header's value", k.from)
		} else if ok {
			return fmt.Sprintf("%s is not in the header's value %q", k.from, came(value, secrets()))
		}
		return absentHeader(c, k.header).Error()
	case k.header != "":
		return absentHeader(c, k.header).Error()
	case k.json != nil:
		return "json " + k.json.absent(c.Answer)
	}
	return k.from + " is not in the answer"
}

func absentHeader(c *wire.Call, name string) error {
	var names []string
	for line := range bytes.SplitSeq(c.Head, []byte("\r\n")) {
		if n, _, ok := bytes.Cut(line, []byte(":")); ok && !slices.Contains(names, string(n)) {
			names = append(names, string(n))
		}
	}
	return fmt.Errorf("header %s is not in the answer%s", name, has("it has", names))
}

// absent says how far the path leads into the document, and what is there.
func (p path) absent(doc []byte) string {
	whole := strings.Join(p, ".")
	var at any
	if json.Unmarshal(doc, &at) != nil {
		if bytes.HasPrefix(doc, []byte("\xef\xbb\xbf")) {
			return whole + " is not in the answer, which begins with a byte order mark, so that it is not JSON (RFC 8259, 8.1)"
		}
		return whole + " is not in the answer, which is not JSON"
	}
	for i, name := range p {
		where := "the answer"
		if i > 0 {
			where = strings.Join(p[:i], ".")
		}
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[name]
			if !ok {
				return fmt.Sprintf("%s is not in the answer: no %s in %s%s", whole, name, where, has("it has", sorted(v)))
			}
			at = next
		case []any:
			n, err := strconv.Atoi(name)
			switch {
			case len(v) == 0:
				return fmt.Sprintf("%s is not in the answer: %s is an empty list", whole, where)
			case name == anyElement:
				n = 0
			case err != nil:
				return fmt.Sprintf("%s is not in the answer: %s is a list, expected a number or * and not %s", whole, where, name)
			case n < 0 || n >= len(v):
				return fmt.Sprintf("%s is not in the answer: %s has %d elements", whole, where, len(v))
			}
			at = v[n]
		default:
			return fmt.Sprintf("%s is not in the answer: %s is neither an object nor a list", whole, where)
		}
	}
	if at == nil {
		return whole + " is null"
	}
	return whole + " is not in the answer"
}

// mostNames are how many names a message lists.
const mostNames = 12

func has(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	more := ""
	if len(names) > mostNames {
		names, more = names[:mostNames], ", …"
	}
	return fmt.Sprintf(" (%s: %s%s)", what, strings.Join(names, ", "), more)
}

// came is what an answer says, cut. Secrets are taken out first: the beginning of one
// that was cut would not be known as such.
func came(b []byte, secrets []string) string {
	return short([]byte(redactAll(string(b[:min(len(b), looked)]), secrets)))
}

func short(b []byte) string {
	if len(b) > 60 {
		return strings.ToValidUTF8(string(b[:60]), "") + "…"
	}
	return string(b)
}

// typed is a JSON value with what it is, where that is what matters.
func typed(kind, value string) string {
	switch {
	case kind == "null" || kind == "no JSON":
		return kind
	case kind == "text":
		return fmt.Sprintf("the text %q", value)
	}
	return "the " + kind + " " + value
}

func orEmpty(s string) string {
	if s == "" {
		return "an empty text"
	}
	return s
}
