package telemetry

import (
	"net/url"
	"regexp"
)

// Scrubbed replaces what must not leave the process.
const Scrubbed = "[scrubbed]"

// secretPatterns find what an error text may carry by accident. They err on the
// side of taking too much: a report with a hole is still a report.
var secretPatterns = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`), ""}, // put by scrubURL
	{regexp.MustCompile(`[\w.+%-]+@[\w-]+(\.[\w-]+)*`), Scrubbed},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[\w.~+/=-]+`), "$1 " + Scrubbed},
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]*\.?[\w-]*`), Scrubbed}, // JWT, whole or cut
	{regexp.MustCompile(`(?i)(["']?\b\w*(?:password|passwd|secret|token|authorization|api_?key|dsn|code)\w*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&}]+)`), "$1" + Scrubbed},
	{regexp.MustCompile(`\?[^\s"'=]+=[^\s"']*`), "?" + Scrubbed}, // query string
	{regexp.MustCompile(`\b[A-Za-z0-9_-]{40,}\b`), Scrubbed},     // opaque tokens, hashes, keys
}

// Scrub takes addresses, credentials, tokens, query strings and what stands
// after a word like "password" out of a text that a person wrote or an error
// carries.
func Scrub(s string) string {
	for i, p := range secretPatterns {
		if i == 0 {
			s = p.find.ReplaceAllStringFunc(s, scrubURL)
			continue
		}
		s = p.find.ReplaceAllString(s, p.put)
	}
	return s
}

// scrubURL keeps scheme, host and path: no user, query or fragment.
func scrubURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return Scrubbed
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: ""}).String()
}
