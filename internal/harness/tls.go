package harness

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// ReadTLS reads what a deployment's HTTPS needs beside what every machine trusts:
// the certificate of an authority of its own, and one that the client shows. nil
// when neither is named.
func ReadTLS(ca, cert, key string) (*tls.Config, error) {
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs []error
	if ca != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		text, err := os.ReadFile(ca)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--ca: %w", err))
		case !roots.AppendCertsFromPEM(text):
			errs = append(errs, fmt.Errorf("--ca %s: found no certificate, expected one or more in PEM", ca))
		}
		c.RootCAs = roots
	}
	switch {
	case cert != "" && key != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("--cert %s and --key %s: %w", cert, key, err))
		}
		c.Certificates = []tls.Certificate{pair}
	case cert != "" || key != "":
		errs = append(errs, errors.New("--cert and --key go together: the client's certificate, and the file with its private key"))
	}
	return c, errors.Join(errs...)
}

// PageClient asks a deployment's pages, its health and its metrics, with what ReadTLS
// gives.
func PageClient(as *tls.Config) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: wire.Pages(as)}
}

// HealthRequest is how a profile asks an API whether it is up; nil when no profile says
// how, or not without an account.
func HealthRequest(p *profile.Profile, base *url.URL) *http.Request {
	if p == nil {
		return nil
	}
	m, err := p.Message("health", "", nil)
	if err != nil {
		return nil
	}
	path, query, _ := strings.Cut(m.Path, "?")
	u := base.JoinPath(path)
	u.RawQuery = query
	q, err := http.NewRequest(m.Method, u.String(), bytes.NewReader(m.Body))
	if err != nil {
		return nil
	}
	maps.Copy(q.Header, m.Header)
	return q
}
