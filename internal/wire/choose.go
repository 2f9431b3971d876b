package wire

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Choose makes the client for the server at base, and says which and why, for the
// result: figures of one are not figures of the other. netHTTP asks for net/http
// where the lean client would do; as is what Secure takes.
func Choose(base *url.URL, netHTTP bool, as *tls.Config) (client Doer, why string) {
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: base}) // an unreadable setting is none
	var through func(*http.Request) (*url.URL, error)
	if proxy != nil {
		through = http.ProxyURL(proxy)
	}
	switch {
	case base.Scheme == "https":
		why = "net/http: HTTPS, HTTP/2 where the server offers it"
	case proxy != nil:
		why = "net/http: through the proxy " + proxy.Host
	case netHTTP:
		why = "net/http: asked for"
	default:
		return NewRaw(HostPort(base), nil), "lean HTTP/1.1 client: plain HTTP, no proxy"
	}
	return NewStd(base, HostPort(base), Secure(base, as), through), why
}

// Secure is the TLS configuration for the server at base; nil for plain HTTP. as
// holds authorities to trust and a certificate to show; nil = the system's and none.
func Secure(base *url.URL, as *tls.Config) *tls.Config {
	if base.Scheme != "https" {
		return nil
	}
	c := &tls.Config{}
	if as != nil {
		c = as.Clone()
	}
	c.ServerName, c.MinVersion = cmp.Or(c.ServerName, base.Hostname()), max(c.MinVersion, tls.VersionTLS12)
	return c
}

// HostPort is base's host with its port, that of the scheme where it names none.
func HostPort(base *url.URL) string {
	port := "80"
	if base.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(base.Hostname(), cmp.Or(base.Port(), port))
}

// Prefix is what every path on the server at base begins with, escaped as base
// writes it; "" for most.
func Prefix(base *url.URL) string { return strings.TrimRight(base.EscapedPath(), "/") }

// RequestTarget is the path and query of u as a request line takes them: url.URL
// escapes the path, but leaves a query as it was written, with spaces and letters beyond
// ASCII.
func RequestTarget(u *url.URL) string {
	var b strings.Builder
	for _, c := range []byte(u.RequestURI()) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Pages is the transport for pages beside the load, as health and metrics, with
// authorities to trust and a certificate to show; as nil = the system's and none.
func Pages(as *tls.Config) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if as != nil {
		t.TLSClientConfig = as
	}
	return t
}
