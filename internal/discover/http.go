package discover

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// Over sends sign-ins as a profile has them. forward says that the client's address
// travels in X-Forwarded-For, this machine being a trusted proxy. Connections are not
// kept, so that no address shares one with another. as has the authorities to trust and
// the certificate to show; nil = the system's and none.
func Over(base *url.URL, p *profile.Profile, forward bool, as *tls.Config) (Try, error) {
	op, ok := p.Operations["login"]
	if !ok {
		return nil, fmt.Errorf("profile %s has no operation %q", p.Name, "login")
	}
	if _, _, _, err := op.Request(map[string]string{"email": "e", "password": "p"}, p.Values); err != nil {
		return nil, fmt.Errorf("profile %s, operation login: %w", p.Name, err)
	}
	if as == nil {
		as = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return func(ctx context.Context, from netip.Addr, account, password string) (Answer, error) {
		path, body, kind, err := op.Request(map[string]string{"email": account, "password": password}, p.Values)
		if err != nil {
			return Answer{}, fmt.Errorf("fill in the sign-in: %w", err)
		}
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, op.Method, base.Scheme+"://"+base.Host+base.Path+path, bytes.NewReader(body))
		if err != nil {
			return Answer{}, fmt.Errorf("make the sign-in: %w", err)
		}
		for name, value := range op.Header {
			req.Header.Set(name, value)
		}
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		dial := &net.Dialer{Timeout: 5 * time.Second}
		if forward && from.IsValid() {
			req.Header.Set("X-Forwarded-For", from.String())
		} else if from.IsValid() {
			dial.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		t := &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true, TLSClientConfig: as}
		defer t.CloseIdleConnections()
		a := Answer{Sent: time.Now(), Header: map[string]string{}}
		res, err := t.RoundTrip(req) // a redirect is an answer
		if err != nil {
			return a, fmt.Errorf("send a sign-in: %w", err)
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // what it says does not matter
		_ = res.Body.Close()                                        // nothing is kept of it
		a.Done, a.Status = time.Now(), res.StatusCode
		for name := range res.Header {
			a.Header[name] = res.Header.Get(name)
		}
		if seconds, told := limitcheck.Wait(res.Header.Get("Retry-After"), a.Done); told {
			a.RetryAfter, a.Told = time.Duration(seconds)*time.Second, true
		}
		return a, nil
	}, nil
}
