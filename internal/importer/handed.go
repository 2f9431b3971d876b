package importer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// hand makes the headers of an answer good for a client that talks to the recorder:
// redirects within the API stay here, and cookies are those of whoever handed them out.
func (r *recorder) hand(h http.Header) {
	base := strings.TrimRight(r.to.EscapedPath(), "/")
	if at, err := url.Parse(h.Get("Location")); err == nil && (at.Host == r.to.Host && at.Scheme == r.to.Scheme || at.Host == "" && strings.HasPrefix(at.Path, "/")) {
		path, within := below(base, at.EscapedPath())
		switch rest := (&url.URL{RawQuery: at.RawQuery, Fragment: at.Fragment, RawFragment: at.RawFragment}).String(); {
		case within:
			h.Set("Location", path+rest)
		case at.Host == "": // beside the base nothing can be reached by way of the recorder
			h.Set("Location", r.to.Scheme+"://"+r.to.Host+at.EscapedPath()+rest)
		}
	}
	for i, cookie := range h["Set-Cookie"] {
		var parts []string
		for part := range strings.SplitSeq(cookie, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if name = strings.ToLower(name); name == "path" && len(parts) > 0 && base != "" {
				if path, within := below(base, value); within {
					part = " Path=" + path
				}
			}
			if len(parts) == 0 || name != "domain" && name != "secure" && name != "partitioned" {
				parts = append(parts, part)
			}
		}
		h["Set-Cookie"][i] = strings.Join(parts, ";")
	}
}

// below is a path without the base that the recorder adds, and whether it was below that.
func below(base, path string) (string, bool) {
	rest, within := strings.CutPrefix(path, base)
	if !within || rest != "" && rest[0] != '/' {
		return path, false
	}
	if rest == "" {
		rest = "/"
	}
	return rest, true
}

var (
	longSegment = regexp.MustCompile(`^[A-Za-z0-9_+=.~:-]{20,}$`)
	hasDigit    = regexp.MustCompile(`[0-9]`)
)

// shownPath is a path for the screen, without what may be a token: that of a reset is
// part of a link.
func shownPath(path string) string {
	parts := strings.Split(printable(path), "/")
	for i, p := range parts {
		if tokenLike.MatchString(p) || longSegment.MatchString(p) && hasDigit.MatchString(p) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

// itself tells whether a URL leads to the recorder that listens at own.
func itself(ctx context.Context, to *url.URL, own net.Addr) bool {
	l, err := netip.ParseAddrPort(own.String())
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n != int(l.Port()) {
		return false
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", to.Hostname())
	if err != nil {
		return false // the first request will tell
	}
	mine := map[netip.Addr]bool{l.Addr().Unmap(): true}
	if l.Addr().IsUnspecified() {
		mine = ofThisMachine()
	}
	for _, ip := range ips {
		if ip = ip.Unmap().WithZone(""); mine[ip] || ip.IsUnspecified() || l.Addr().IsUnspecified() && ip.IsLoopback() {
			return true
		}
	}
	return false
}

// ofThisMachine are the addresses of its interfaces.
func ofThisMachine() map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	addrs, _ := net.InterfaceAddrs() // none is known then
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all[p.Addr().Unmap()] = true
		}
	}
	return all
}

// many is so many of something that takes an s.
func many(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
