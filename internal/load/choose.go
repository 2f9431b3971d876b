package load

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"vitals/internal/wire"
)

// choose is the client for the server at hand, and says which and why, for the
// result: figures of one are not figures of the other.
func choose(opt Options) (wire.Doer, string) {
	addr := hostport(opt.Base)
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: opt.Base})
	switch {
	case opt.Base.Scheme == "https":
		return std(opt.Base, proxy), "net/http: HTTPS, HTTP/2 where the server offers it"
	case proxy != nil:
		return std(opt.Base, proxy), "net/http: through the proxy " + proxy.Host
	case opt.NetHTTP:
		return std(opt.Base, nil), "net/http: asked for"
	}
	return wire.NewRaw(addr, nil), "lean HTTP/1.1 client: plain HTTP, no proxy"
}

func std(base, proxy *url.URL) *wire.Std {
	var through func(*http.Request) (*url.URL, error)
	if proxy != nil {
		through = http.ProxyURL(proxy)
	}
	return wire.NewStd(base, hostport(base), secure(base), through)
}

// burster is the lean client even over TLS: only a connection of our own can hold
// the last byte of a request back.
func burster(base *url.URL) *wire.Raw { return wire.NewRaw(hostport(base), secure(base)) }

func secure(base *url.URL) *tls.Config {
	if base.Scheme != "https" {
		return nil
	}
	return &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12}
}

func hostport(u *url.URL) string {
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}
