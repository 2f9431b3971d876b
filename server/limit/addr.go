package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"vitals/server/fault"
)

// Proxies says whose word about the client's address is taken: of the proxies
// whose own TCP address is trusted, and only in the one header they write. The
// zero value trusts nobody.
type Proxies struct {
	Trusted []netip.Prefix
	Header  string // X-Forwarded-For (the default), Forwarded or X-Real-IP
}

// ClientIP is the address of whoever sent r: the TCP peer, or, if that is a
// trusted proxy, the rightmost address in its header that is not one. Everything
// further left was written by the client and proves nothing. A header
// that cannot be read up to there leaves the peer. v4-in-v6 is unmapped and the
// zone stripped; the zero Addr means that the peer has no address, as on a unix
// socket.
func (p Proxies) ClientIP(r *http.Request) netip.Addr {
	if fault.Is(fault.LeftmostForwarded) {
		if addr, ok := parseAddr(p.hops(r.Header)[0]); ok {
			return addr
		}
	}
	peer, ok := parseAddr(r.RemoteAddr)
	if !ok || !p.trusts(peer) {
		return peer
	}
	for _, hop := range slices.Backward(p.hops(r.Header)) {
		addr, ok := parseAddr(hop)
		if !ok {
			return peer
		}
		if !p.trusts(addr) {
			return addr
		}
	}
	return peer
}

func (p Proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(t netip.Prefix) bool { return t.Contains(a) })
}

// hops is what the header says of the way here, nearest proxy last. Header lines
// are joined first: Go keeps repeated ones apart, and a forged line in front of
// the proxy's must not stand for it.
func (p Proxies) hops(h http.Header) []string {
	switch p.Header {
	case "Forwarded":
		var hops []string
		for _, line := range h.Values("Forwarded") {
			hops = append(hops, forwardedFor(line)...)
		}
		return hops
	case "X-Real-IP":
		return h.Values("X-Real-IP")
	default:
		return strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	}
}

// parseAddr reads an address, with or without a port and brackets, into the one
// form that keys and prefixes are compared in.
func parseAddr(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	addr, err := netip.ParseAddr(bare)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// forwardedFor reads one line of the Forwarded header (RFC 7239): the value of
// "for" of each element, "" where there is none. A line that breaks the grammar
// is one unreadable hop, never a guess: an open quote could otherwise swallow
// what the proxy appended.
func forwardedFor(line string) []string {
	unreadable := []string{""}
	var hops []string
	hop, rest := "", line
	for {
		name, after, ok := strings.Cut(rest, "=")
		name = strings.Trim(name, " \t")
		if !ok || name == "" || strings.ContainsAny(name, "\",; \t") {
			return unreadable
		}
		value, after, ok := forwardedValue(after)
		if !ok {
			return unreadable
		}
		if strings.EqualFold(name, "for") {
			hop = value
		}
		after = strings.TrimLeft(after, " \t")
		switch {
		case after == "":
			return append(hops, hop)
		case after[0] == ',':
			hops, hop = append(hops, hop), ""
		case after[0] != ';':
			return unreadable
		}
		rest = after[1:]
	}
}

// forwardedValue cuts a token or a quoted string off the front of s. Escapes
// inside quotes are refused: no address needs one.
func forwardedValue(s string) (value, rest string, ok bool) {
	if quoted, found := strings.CutPrefix(s, `"`); found {
		value, rest, ok = strings.Cut(quoted, `"`)
		return value, rest, ok && !strings.Contains(value, `\`)
	}
	end := strings.IndexAny(s, ",; \t")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], end > 0 && !strings.Contains(s[:end], `"`)
}

// Key is the limiter's key of an address: IPv4 whole, IPv6 cut to its first bits
// (RATE_LIMIT_IPV6_PREFIX), because one customer holds a whole /64. No address
// is one key for all such clients.
func Key(a netip.Addr, v6bits int) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return "unknown"
	case a.Is4():
		return a.String()
	}
	masked, err := a.Prefix(v6bits)
	if err != nil { // a prefix length out of range must not join two clients
		return a.String()
	}
	return masked.String()
}
