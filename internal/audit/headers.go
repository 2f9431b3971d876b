package audit

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vitals/internal/profile"
)

// year is what a Strict-Transport-Security lasts at least, in seconds.
const year = 31536000

// standardHeaders holds answers to what OWASP ASVS asks of the headers of all answers, a
// requirement at a time.
func (t *T) standardHeaders(answers []Answer) {
	all := func(id, want string, ok func(Answer) bool) {
		var off []string
		for _, a := range answers {
			if !ok(a) {
				off = append(off, fmt.Sprintf("%v (%d)", a, a.Status))
			}
		}
		t.For(id).Check(len(off) == 0, "%s%s asks for %s; without it: %s", release, id, want, strings.Join(off, ", "))
	}
	if t.target.URL.Scheme == "https" {
		all("3.4.1", "Strict-Transport-Security of a year or more, subdomains included", func(a Answer) bool { return strictTransport(a.Header.Get("Strict-Transport-Security")) })
	} else {
		t.For("3.4.1").Missing("the target was asked over plain HTTP, where Strict-Transport-Security says nothing")
	}
	all("3.4.3", "a Content-Security-Policy with object-src 'none' and base-uri 'none', and a list for scripts", func(a Answer) bool {
		csp := policy(a.Header.Values("Content-Security-Policy"))
		_, listed := csp["script-src"]
		return csp.none("object-src") && slices.Equal(csp["base-uri"], []string{"'none'"}) && (listed || csp["default-src"] != nil)
	})
	all("3.4.4", "X-Content-Type-Options: nosniff", func(a Answer) bool {
		return strings.EqualFold(strings.TrimSpace(a.Header.Get("X-Content-Type-Options")), "nosniff")
	})
	all("3.4.5", "a Referrer-Policy that keeps paths and queries from other sites", func(a Answer) bool { return discreet(a.Header.Values("Referrer-Policy")) })
	all("3.4.6", "a Content-Security-Policy with frame-ancestors", func(a Answer) bool {
		who := policy(a.Header.Values("Content-Security-Policy"))["frame-ancestors"]
		return len(who) > 0 && !slices.Contains(who, "*")
	})
	all("13.4.6", "no version of a component", func(a Answer) bool {
		return !versioned.MatchString(a.Header.Get("Server") + " " + a.Header.Get("X-Powered-By") + " " + a.Header.Get("X-AspNet-Version"))
	})
}

// versioned finds a version in the name of a piece of software: nginx/1.25, 4.0.30319.
var versioned = regexp.MustCompile(`\d+\.\d+|/\d`)

// uncached holds the answer to somebody who is signed in to what the standard asks of
// what must not be kept by a browser.
func (t *T) uncached() {
	t = t.For("14.3.2")
	const unseen = "no answer to somebody signed in was looked at: "
	if _, ok := t.target.Profile.Operations["me"]; !ok {
		t.Missing("%sit takes the operation me", unseen)
		return
	}
	s, in, why := t.signedIn()
	if why != "" {
		t.Missing("%s%s", unseen, why)
		return
	}
	for _, a := range []Answer{in, t.Do("me", s.from, s.access, nil)} {
		t.Check(slices.Contains(words(a.Header.Values("Cache-Control"), ","), "no-store"), "%s14.3.2 asks for Cache-Control: no-store where somebody is signed in: %v (%d) has %q", release, a, a.Status, a.Header.Get("Cache-Control"))
	}
}

// directives are a Content-Security-Policy taken apart.
type directives map[string][]string

// policy reads Content-Security-Policy headers; of a directive that comes twice the
// first counts, as in browsers.
func policy(lines []string) directives {
	out := directives{}
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ";") {
			if w := strings.Fields(strings.ToLower(part)); len(w) > 0 && out[w[0]] == nil {
				out[w[0]] = append([]string{}, w[1:]...)
			}
		}
	}
	return out
}

// none tells whether a directive, or default-src in its place, allows nothing.
func (d directives) none(name string) bool {
	got, ok := d[name]
	if !ok {
		got = d["default-src"]
	}
	return slices.Equal(got, []string{"'none'"})
}

// words are a header's words in small letters.
func words(lines []string, between string) (out []string) {
	for _, line := range lines {
		for part := range strings.SplitSeq(strings.ToLower(line), between) {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// strictTransport tells whether a Strict-Transport-Security is one by the standard.
func strictTransport(value string) bool {
	long, sub := false, false
	for _, w := range words([]string{value}, ";") {
		if age, ok := strings.CutPrefix(w, "max-age="); ok {
			n, err := strconv.Atoi(strings.Trim(age, `"`))
			long = err == nil && n >= year
		}
		sub = sub || w == "includesubdomains"
	}
	return long && sub
}

// discreet tells whether a Referrer-Policy hands no path or query to other sites. Of
// several words browsers take the last that they know.
func discreet(lines []string) bool {
	w := words(lines, ",")
	return len(w) > 0 && slices.Contains([]string{"no-referrer", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin"}, w[len(w)-1])
}

// promisedHeaders holds an answer to the headers that the profile promises.
func (t *T) promisedHeaders(a Answer, p *profile.SecurityHeaders) {
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		parts := p.Headers[name]
		t.Check(len(parts) > 0 || a.Header.Get(name) != "", "%v (%d): no %s", a, a.Status, name)
		for _, part := range parts {
			t.header(a, name, strings.ToLower(part))
		}
	}
}

// header checks that a header's value contains texts.
func (t *T) header(a Answer, name string, parts ...string) {
	got := strings.Join(a.Header.Values(name), ", ")
	for _, part := range parts {
		t.Check(strings.Contains(strings.ToLower(got), part), "%v (%d): %s is %q, want %s", a, a.Status, name, got, part)
	}
}
