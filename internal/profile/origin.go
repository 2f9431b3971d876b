package profile

import (
	"net/url"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Origin is the origin that a text names, as browsers send it: scheme://host, and the port
// where it is not the scheme's own; "" when it names none. Browsers send nothing else, so
// a text that differs from it is no origin.
func Origin(text string) string {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") && strings.Contains(text, ".") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.ContainsFunc(u.Host, func(c rune) bool { return c > '~' || strings.ContainsRune("*, ", c) }) {
		return ""
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":")
}

// OriginForm is what an origin looks like, in messages.
const OriginForm = "an origin as browsers send it: scheme, host and any port, without a slash after them"

// origin reads an origin of promises.cors.
func (r *reader) origin(n *yaml.Node) string {
	text := r.Word(n, "origins")
	right := Origin(text)
	switch {
	case text == "" || text == right:
		return text
	case right == "":
		right = "https://shop.example"
	}
	r.Fail(n, "as in "+right, "origins: found %q, expected %s", text, OriginForm)
	return text
}
