package redact

import "strings"

// Cookies are the secrets in a Cookie header's value ("a=1; b=2"), or in a part of one.
func Cookies(header string) (values []string) {
	for pair := range strings.SplitSeq(header, ";") {
		_, value, named := strings.Cut(pair, "=")
		if !named {
			value = pair
		}
		if value = Cookie(value); value != "" {
			values = append(values, value)
		}
	}
	return values
}

// SetCookies are the secrets in the values of Set-Cookie headers.
func SetCookies(headers []string) (values []string) {
	for _, line := range headers {
		pair, _, _ := strings.Cut(line, ";")
		values = append(values, Cookies(pair)...)
	}
	return values
}

// Cookie is what is secret of a cookie's value: all but the quotes around it, which
// servers leave out; "" where it is too short to be one.
func Cookie(value string) string {
	value = strings.Trim(strings.TrimSpace(value), `"`)
	if len(value) < Least {
		return ""
	}
	return value
}
