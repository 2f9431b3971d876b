package audit

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"vitals/internal/redact"
)

// secrets are the texts that no transcript, reason or note may show: passwords
// and tokens that the audit sends or is given. The zero value is ready.
type secrets struct {
	mu    sync.RWMutex
	texts []*redact.Secret // longest first, so that no part of one is left over
	sizes []int            // their lengths
	known map[string]bool
	names []string // account addresses, long and short in turn
}

// person registers the address of somebody's account, which is shown shortened.
func (s *secrets) person(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if short := shorten(email); short != email && !slices.Contains(s.names, email) {
		s.names = append(s.names, email, short)
	}
}

// add registers a secret. Texts below 6 characters are left alone: as a code of
// digits they would blot out half the transcript, and field names cover them.
func (s *secrets) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(text) < 6 || s.known[text] {
		return
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[text] = true
	at, _ := slices.BinarySearchFunc(s.sizes, len(text), func(a, b int) int { return b - a })
	s.texts, s.sizes = slices.Insert(s.texts, at, redact.New(text)), slices.Insert(s.sizes, at, len(text))
}

// cookies registers those that a request sends and its answer sets.
func (s *secrets) cookies(sent, got http.Header) {
	values := redact.SetCookies(got["Set-Cookie"])
	for name, lines := range sent {
		if strings.EqualFold(name, "Cookie") {
			values = append(values, redact.Cookies(strings.Join(lines, ";"))...)
		}
	}
	for _, value := range values {
		s.add(value)
	}
}

// fields of a JSON or form body whose values are secret wherever they stand.
var (
	secretJSON = regexp.MustCompile(`(?i)("(?:[a-z_]*password|[a-z_]*token|secret|code|recovery_code|recovery_codes|otpauth_uri|authorization)"\s*:\s*)("(?:[^"\\]|\\.)*"?|\[[^\]]*\]?)`)
	secretForm = regexp.MustCompile(`(?i)((?:^|[&?])(?:[a-z_]*password|[a-z_]*token|secret|code)=)[^&\s"<]+`)
	// A problem's machine word is no secret: lower-case words with underscores.
	machineWord = regexp.MustCompile(`^"[a-z][a-z_]*"$`)
)

// redact replaces every secret in a text.
func (s *secrets) redact(text string) string {
	if text == "" {
		return ""
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.texts {
		text = secret.Hide(text)
	}
	text = secretJSON.ReplaceAllStringFunc(text, func(m string) string {
		at := strings.LastIndex(m[:strings.Index(m, ":")+1], ":") + 1
		name, value := m[:at], strings.TrimSpace(m[at:])
		if strings.Contains(strings.ToLower(name), `"code"`) && machineWord.MatchString(value) {
			return m
		}
		if strings.HasPrefix(value, "[") {
			return name + `["` + redact.Mark + `"]`
		}
		return name + `"` + redact.Mark + `"`
	})
	text = secretForm.ReplaceAllString(text, "${1}"+redact.Mark)
	for i := 0; i < len(s.names); i += 2 {
		text = strings.ReplaceAll(text, s.names[i], s.names[i+1])
	}
	return text
}

// credential tells whether a header's value is one.
func credential(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-refresh-token", "x-api-key":
		return true
	}
	return false
}
