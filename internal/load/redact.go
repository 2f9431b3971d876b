package load

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"vitals/internal/redact"
)

// shown is how much of an unexpected answer a result carries, and looked is how
// much of it is searched for secrets before it is cut.
const (
	shown  = 200
	looked = 4 << 10
)

// leastSecret is how long a secret is at least: a shorter one would be found by chance,
// and tells nothing.
const leastSecret = 4

// secretName is a name whose value is nobody's business, in JSON, forms and headers.
const secretName = `(?:pass(?:word|wd|code|phrase)?|secret|token|authorization|api[-_]?key|cookie|session(?:[-_]?id)?|sid|csrf|credentials?|otp|pin|private[-_]?key|signature)`

// hidden finds the names whose values are not shown.
var hidden = regexp.MustCompile(`(?i)` + secretName)

// identity finds the names of what says who somebody is, and opens nothing: of all that
// a sign-in gives only this is shown.
var identity = regexp.MustCompile(`(?i)^(?:(?:user|account|owner|customer|member|tenant|organi[sz]ation|org|patient|profile|team)[_-]?)?(?:id|name|role|number)$|^(?:user|account|owner|customer|member|tenant|patient)$`)

// form is a way to write a secret, whose text is the pattern's group.
type form struct {
	*regexp.Regexp
	escaped bool // it ends where a line ends that is escaped within JSON
}

var secretForms = []form{
	{regexp.MustCompile(`(?i)"[^"\\]{0,60}` + secretName + `[^"\\]{0,60}"\s*:\s*("(?:[^"\\]|\\.)*"?|[^\s,}\]"\[{][^\s,}\]]*)`), false},
	{regexp.MustCompile(`(?i)\b[\w.-]{0,40}` + secretName + `[\w.-]{0,40}=(\\*"[^"\r\n]*"?|[^&;\s"<]+)`), true},
	{regexp.MustCompile(`(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{6,})`), false},
	{regexp.MustCompile(`\b(eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*)`), false}, // a JSON web token
}

// lineEnd is the end of a line, escaped. A backslash and an n alone may be a part of a
// secret: they are no end unless the text ends there, or the name of the next begins.
var lineEnd = regexp.MustCompile(`(\\+r\\+n)|(\\+n)(?:$|["\\]|[\w-]+[:=])`)

// redact takes the secrets of this form out of a text, but those with a part that is
// no secret; "" = none is spared.
func (f form) redact(s, spared string) string {
	var b strings.Builder
	for {
		at := f.FindStringSubmatchIndex(s)
		if at == nil {
			return b.String() + s
		}
		value, rest := s[at[2]:at[3]], at[3]
		if end := lineEnd.FindStringSubmatchIndex(value); f.escaped && end != nil && strings.TrimLeft(value, `\`)[0] != '"' {
			rest = at[2] + max(end[3], end[5])
			value = value[:end[0]]
		}
		if spared == "" || !strings.Contains(value, spared) {
			b.WriteString(s[:at[2]] + redact.Mark + s[at[2]+len(value):rest])
		} else {
			b.WriteString(s[:rest])
		}
		s = s[rest:]
	}
}

// redactKnown takes what is known to be secret out of a text. Words of the scenario
// are nothing else: an expression that speaks of a token is no token.
func redactKnown(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < leastSecret {
			continue
		}
		s = redact.New(secret).Hide(s)
		for _, code := range coded(secret) {
			s = strings.ReplaceAll(s, code, redact.Mark)
		}
	}
	return s
}

// coded are the codes in which answers repeat a secret: base64, longest first, and
// hexadecimal digits.
func coded(secret string) []string {
	b := []byte(secret)
	return []string{
		base64.StdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)),
	}
}

// redactAll takes what is known to be secret, and what is called so, out of what was
// sent or came.
func redactAll(s string, secrets []string) string {
	s = redactKnown(s, secrets)
	for _, f := range secretForms {
		s = f.redact(s, "")
	}
	return s
}

// tokenLike is a long text without blanks, as a value of JSON; bare is one anywhere.
var (
	tokenLike = regexp.MustCompile(`(:\s*)"[A-Za-z0-9._~+/=-]{16,}(?:"|$)`)
	bare      = regexp.MustCompile(`[A-Za-z0-9._~+=-]{16,}`)
)

// withoutTokens takes long texts out of an answer that opens a session: one of them
// may be what opens it, whatever it is called.
func withoutTokens(s string) string {
	if s != "" && (s[0] == '{' || s[0] == '[') {
		return tokenLike.ReplaceAllString(s, `$1"`+redact.Mark+`"`)
	}
	return bare.ReplaceAllString(s, redact.Mark)
}

// excerpt is the beginning of an answer as people may see it: without secrets (and,
// where it opens a session, without what may be one), on one line, cut to what is shown.
func excerpt(answer []byte, secrets []string, opens bool) string {
	answer = bytes.TrimSpace(answer[:min(len(answer), looked)])
	s := redactAll(strings.ToValidUTF8(string(answer), "�"), secrets)
	if opens {
		s = withoutTokens(s)
	}
	s = strings.Join(strings.FieldsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if len(s) <= shown {
		return s
	}
	end := shown
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
