package strict

import (
	"fmt"
	"net/url"
	"strconv"
)

// ParseURL reads a URL that a flag was given.
func ParseURL(flag, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s %q: want http://host:port or https://host", flag, text)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%s: no user or password in a URL: it would stand in the process list; accounts come from a file", flag)
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return nil, fmt.Errorf("%s %q: there is no port %s: want 1 to 65535", flag, text, u.Port())
	}
	if (flag == "--url" || flag == "--record") && (u.RawQuery != "" || u.Fragment != "") {
		return nil, fmt.Errorf("%s %q: no query or fragment: requests have their own paths, and it would not be sent with them (a key belongs into a step's header)", flag, u.Redacted())
	}
	return u, nil
}
