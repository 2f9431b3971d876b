package limit

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func proxies(header string) Proxies {
	return Proxies{Header: header, Trusted: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"),
	}}
}

func requestFrom(peer string, header string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	for _, line := range lines {
		r.Header.Add(header, line)
	}
	return r
}

// LK17, LK18.
func TestOnlyWhatATrustedProxyAppendedIsEvidence(t *testing.T) {
	const xff, fwd, real = "X-Forwarded-For", "Forwarded", "X-Real-IP"
	for _, c := range []struct {
		name, header, peer string
		lines              []string
		want               string
	}{
		{"no proxy", xff, "203.0.113.9:4711", nil, "203.0.113.9"},
		{"forged by a client", xff, "203.0.113.9:4711", []string{"1.2.3.4"}, "203.0.113.9"},
		{"appended", xff, "10.1.1.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"forged on the left", xff, "10.1.1.1:1", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"forged in a line before", xff, "10.1.1.1:1", []string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{"two proxies", xff, "10.1.1.1:1", []string{"1.2.3.4, 203.0.113.9, 10.2.2.2"}, "203.0.113.9"},
		{"forged trusted address", xff, "10.1.1.1:1", []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		{"all trusted", xff, "10.1.1.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.1.1.1"},
		{"unreadable on the right", xff, "10.1.1.1:1", []string{"203.0.113.9, unknown"}, "10.1.1.1"},
		{"unreadable behind the client", xff, "10.1.1.1:1", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		{"empty", xff, "10.1.1.1:1", []string{""}, "10.1.1.1"},
		{"missing", xff, "10.1.1.1:1", nil, "10.1.1.1"},
		{"with port", xff, "10.1.1.1:1", []string{"203.0.113.9:99"}, "203.0.113.9"},
		{"v6 with port", xff, "[fd00::1]:1", []string{"[2001:db8::9]:99"}, "2001:db8::9"},
		{"v6 with zone", xff, "[fd00::1%eth0]:1", []string{"2001:db8::9%x"}, "2001:db8::9"},
		{"v4 in v6", xff, "[::ffff:10.1.1.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"unix socket", xff, "@", []string{"203.0.113.9"}, "invalid IP"},
		{"another header than configured", real, "10.1.1.1:1", nil, "10.1.1.1"},
		{"real ip", real, "10.1.1.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"real ip twice", real, "10.1.1.1:1", []string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{"real ip forged", real, "203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"forwarded", fwd, "10.1.1.1:1", []string{"for=203.0.113.9"}, "203.0.113.9"},
		{"forwarded v6", fwd, "10.1.1.1:1", []string{`For="[2001:db8::9]:4711";proto=https`}, "2001:db8::9"},
		{"forwarded forged", fwd, "10.1.1.1:1", []string{"for=1.2.3.4, for=203.0.113.9;by=10.1.1.1"}, "203.0.113.9"},
		{"forwarded hidden", fwd, "10.1.1.1:1", []string{"for=203.0.113.9, for=_hidden"}, "10.1.1.1"},
		{"forwarded without for", fwd, "10.1.1.1:1", []string{"for=203.0.113.9, by=10.1.1.1"}, "10.1.1.1"},
		{"forwarded, quote left open", fwd, "10.1.1.1:1", []string{`for=1.2.3.4;x=", for=203.0.113.9`}, "10.1.1.1"},
		{"forwarded, quote open in a line before", fwd, "10.1.1.1:1", []string{`for=1.2.3.4;x="`, `for=203.0.113.9`}, "203.0.113.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := proxies(c.header).ClientIP(requestFrom(c.peer, c.header, c.lines...)).String()
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// LK19.
func TestKey(t *testing.T) {
	for _, c := range []struct {
		addr string
		bits int
		want string
	}{
		{"192.0.2.1", 64, "192.0.2.1"},
		{"::ffff:192.0.2.1", 64, "192.0.2.1"},
		{"2001:db8::1", 64, "2001:db8::/64"},
		{"2001:db8::ffff:1%eth0", 64, "2001:db8::/64"},
		{"2001:db8:0:1::1", 64, "2001:db8:0:1::/64"},
		{"2001:db8:0:1::1", 48, "2001:db8::/48"},
		{"2001:db8::1", 200, "2001:db8::1"},
	} {
		if got := Key(netip.MustParseAddr(c.addr), c.bits); got != c.want {
			t.Errorf("key of %s with %d bits: got %s, want %s", c.addr, c.bits, got, c.want)
		}
	}
	if got := Key(netip.Addr{}, 64); got != "unknown" {
		t.Errorf("key of no address: got %s, want unknown", got)
	}
}

// Whatever a client writes in front of the line that the proxy appends, the
// proxy's word decides.
func FuzzClientIP(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", `for="`, `for=1.2.3.4;x="`, "[::1", "10.0.0.1,,", `a="b";`, "unknown, _x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, forged string) {
		for header, appended := range map[string]string{
			"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9",
		} {
			p := proxies(header)
			got := p.ClientIP(requestFrom("10.1.1.1:1", header, forged, appended))
			if got.String() != "203.0.113.9" {
				t.Errorf("%s %q then %q: got %s", header, forged, appended, got)
			}
			alone := p.ClientIP(requestFrom("10.1.1.1:1", header, forged))
			if !alone.IsValid() || alone.Is4In6() || alone.Zone() != "" {
				t.Errorf("%s %q: got %s, not in its one form", header, forged, alone)
			}
			if got := p.ClientIP(requestFrom("203.0.113.7:1", header, forged)); got.String() != "203.0.113.7" {
				t.Errorf("untrusted peer with %s %q: got %s", header, forged, got)
			}
		}
	})
}

// A line that the grammar allows is read back; anything else is one hop.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"for=1.2.3.4", `for="[::1]:1";by=x, for=_y`, "=", "a=b;;", `a="\""`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		hops := forwardedFor(line)
		if len(hops) == 0 {
			t.Fatalf("%q: no hop", line)
		}
		if slices.ContainsFunc(hops, func(h string) bool { return strings.ContainsAny(h, `"`) }) {
			t.Errorf("%q: a quote is left in %q", line, hops)
		}
	})
}
