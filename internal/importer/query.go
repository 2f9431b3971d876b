package importer

import (
	"net/url"
	"strings"
)

// query is a request's query as it was captured, but for the values that others take the
// place of.
func (c *correlation) query(u *url.URL, s *step) string {
	captured := u.RawQuery
	pairs := strings.Split(captured, "&")
	for i, pair := range pairs {
		key, raw, has := strings.Cut(pair, "=")
		pairs[i] = asCaptured(key)
		if has {
			pairs[i] += "=" + c.parameter(spot{key: key, of: about(u)}, raw, captured, s)
		}
	}
	return strings.Join(pairs, "&")
}

// parameter is the value of a query's parameter.
func (c *correlation) parameter(at spot, raw, query string, s *step) string {
	key := at.key
	text, err := url.QueryUnescape(raw)
	if err != nil {
		text = raw
	}
	v, ok := c.filled(text, at, s)
	if _, carries := c.shown.in["?"+plain(key)]; carries && len(c.steps) != c.signIn {
		v, ok = "{{token}}", true
	}
	if ok {
		return v
	}
	if why, ok := c.unfit(text, strings.Contains(text, gone) || marked.FindString(text) != text && secretParameter(key, text, query)); ok {
		s.decide = append(s.decide, "the parameter "+key+": "+why)
		return gone
	}
	if cacheBuster.MatchString(key) && digits.MatchString(text) && text != unixTime {
		return "{{seq}}"
	}
	own := c.email != "" && strings.Contains(text, c.email)
	if !own && !marked.MatchString(text) {
		return asCaptured(raw)
	}
	if v = placed(strings.ToValidUTF8(text, ""), url.QueryEscape); own {
		v = strings.ReplaceAll(v, url.QueryEscape(c.email), "{{email}}")
	}
	return v
}

// asCaptured is a part of a query as it stood there; braces that would read as a placeholder
// are encoded.
func asCaptured(raw string) string {
	if marked.MatchString(raw) || strings.Contains(raw, "{{") || strings.Contains(raw, "}}") {
		return placed(raw, strings.NewReplacer("{", "%7B", "}", "%7D").Replace)
	}
	return raw
}
