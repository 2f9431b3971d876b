package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hostName is a DNS name, lower case, without a trailing dot.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

func host(s string) error {
	if _, err := netip.ParseAddr(s); err == nil || hostName.MatchString(s) {
		return nil
	}
	return errors.New("must be an IP address or a lower-case host name, without a port")
}

func listenAddr(s string) error {
	h, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("must be host:port, such as 127.0.0.1:9090")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("must end in a port from 0 to 65535")
	}
	if h == "" {
		return errors.New("must name the address to listen on, 0.0.0.0 for all")
	}
	return host(h)
}

// origin checks for exactly what a browser sends in Origin: scheme://host[:port]
// in lower case, no default port, nothing after it.
func origin(s string) error {
	rule := errors.New("must be exact origins, lower-case scheme://host[:port], without path, trailing slash, wildcard, null or user")
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || s != u.Scheme+"://"+u.Host {
		return rule
	}
	name, port := u.Hostname(), u.Port()
	if _, err := netip.ParseAddr(name); err != nil && !hostName.MatchString(name) {
		return rule
	}
	if s != strings.ToLower(s) || strings.HasSuffix(u.Host, ":") {
		return rule
	}
	if port == "" {
		return nil
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port != strconv.Itoa(n) {
		return errors.New("must have a port from 1 to 65535, without leading zeros")
	}
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return errors.New("must leave out the default port: browsers do, so such an origin would never match")
	}
	return nil
}

// placeholderHosts are the domains of guides and samples, ours included.
var placeholderHosts = []string{"example.com", "example.org", "example.net", "yourdomain.com", "your-domain.com"}

// undeployable is what production does not take in an origin, beyond its form.
func undeployable(o string) (why []string) {
	u, err := url.Parse(o)
	if err != nil {
		return []string{"must be an origin"}
	}
	if u.Scheme != "https" {
		why = append(why, "must be https in production")
	}
	if loopback(u.Hostname()) {
		why = append(why, "must not be localhost in production")
	}
	if placeholderOrigin(o) {
		why = append(why, errPlaceholderOrigin.Error())
	}
	return why
}

var errPlaceholderOrigin = errors.New("is a placeholder domain: name your own")

// placeholderOrigin reports an origin of a guide or a sample.
func placeholderOrigin(o string) bool {
	u, err := url.Parse(o)
	return err == nil && slices.ContainsFunc(placeholderHosts, func(p string) bool {
		return u.Hostname() == p || strings.HasSuffix(u.Hostname(), "."+p)
	})
}

func loopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && (a.Unmap().IsLoopback() || a.IsUnspecified())
}

func redisURL(s string) error {
	u, err := url.Parse(s)
	rule := errors.New("must be redis://host[:port][/db], rediss://… or unix:///path")
	if err != nil {
		return rule
	}
	if err := unambiguous(s); err != nil {
		return err
	}
	switch u.Scheme {
	case "redis", "rediss":
		if u.Hostname() == "" {
			return rule
		}
		if db := strings.Trim(u.Path, "/"); db != "" {
			if n, err := strconv.Atoi(db); err != nil || n < 0 {
				return errors.New("must end in a database number, such as /0")
			}
		}
	case "unix":
		if !strings.HasPrefix(u.Path, "/") {
			return rule
		}
	default:
		return rule
	}
	return nil
}

func mailSink(s string) error {
	if s == "none" || s == "log" {
		return nil
	}
	if dir, ok := strings.CutPrefix(s, "dir:"); ok && dir != "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
		return errors.New("must be none, log, dir:PATH, or an smtp:// or smtps:// URL")
	}
	return unambiguous(s)
}

func sentryDSN(s string) error {
	rule := errors.New("must be a DSN, https://KEY@HOST/PROJECT with a numeric project")
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User.Username() == "" {
		return rule
	}
	project := u.Path[strings.LastIndex(u.Path, "/")+1:]
	if _, err := strconv.ParseUint(project, 10, 64); err != nil {
		return rule
	}
	return nil
}

func role(s string) error {
	if s != "patient" && s != "clinician" && s != "admin" {
		return errors.New("must be patient, clinician, admin, between commas")
	}
	return nil
}
