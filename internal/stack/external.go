package stack

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"vitals/internal/observe"
)

// External is a deployment that is already there.
type External struct {
	URL             *url.URL
	Metrics         *url.URL      // its Prometheus page, when it can be reached
	Names           observe.Names // what that page calls our figures; nil = as ours does
	Cores           float64       // cores it may use; needed to judge its CPU
	Accounts        []Account
	Own             []string // hosts the user declares to own (--i-own)
	AllowProduction bool
	Health          *http.Request // what else but GET /health may tell its environment; nil = nothing
	Forward         bool          // the driver is a declared trusted proxy of it
	Client          *http.Client
}

// NotOwned is the refusal to send load to a host that nobody vouched for.
type NotOwned struct{ Host, Why string }

func (e *NotOwned) Error() string { return "refusing to send load to " + e.Host + ": " + e.Why }

// MayLoad is a NotOwned when the host is neither loopback, nor private, nor one of
// own. It asks nobody.
func MayLoad(host string, own []string) error {
	if local(host) || slices.Contains(own, host) {
		return nil
	}
	return &NotOwned{host, fmt.Sprintf("it is neither loopback nor private; name it with --i-own %s if it is yours", host)}
}

// Start checks that the host may be loaded and that it answers. Nothing is sent
// to a public host that Own does not name: not even a name lookup.
func (e External) Start(ctx context.Context) (*Stack, error) {
	host := e.URL.Hostname()
	if err := MayLoad(host, e.Own); err != nil {
		return nil, err
	}
	usual, err := http.NewRequest(http.MethodGet, e.URL.JoinPath("health").String(), nil)
	if err != nil {
		return nil, err
	}
	env := ""
	for _, q := range []*http.Request{usual, e.Health} {
		if q == nil {
			continue
		}
		said, err := e.health(ctx, q)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(said, "production") && !e.AllowProduction {
			return nil, &NotOwned{host, "its " + q.URL.Path + " says env: " + said + "; add --allow-production if that is meant"}
		}
		env = cmp.Or(env, said)
	}
	s := &Stack{
		Kind: "url", URL: e.URL, Replicas: []*url.URL{e.URL}, Metrics: e.Metrics, Accounts: e.Accounts, Cores: e.Cores,
		Info: map[string]string{"env": env},
	}
	if e.Metrics != nil {
		s.Meter = observe.Scraped(e.Client, e.Metrics, e.Names)
		s.Names = e.Names
	}
	switch ip, err := netip.ParseAddr(host); {
	case e.Forward:
		s.Source, s.Forward = Benchmark, true
		s.Info["addresses"] = "client addresses travel in X-Forwarded-For: this driver is declared a trusted proxy"
	case host == "localhost" && !e.onIPv4(ctx):
		s.Info["addresses"] = "all requests come from this machine's one address: localhost answers on IPv6 alone"
	case host == "localhost" || err == nil && ip.Is4() && ip.IsLoopback():
		s.Source = Loopback
		s.Info["addresses"] = "each user and each intruder has a source address of its own in 127.0.0.0/8"
	default:
		s.Info["addresses"] = "all requests come from this machine's one address"
	}
	return s, nil
}

// onIPv4 tells whether localhost takes connections on 127.0.0.1: source addresses
// of their own are addresses of IPv4.
func (e External) onIPv4(ctx context.Context) bool {
	port := e.URL.Port()
	if port == "" {
		port = e.URL.Scheme // http and https are names of ports, too
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent
	return true
}

// health asks for the environment, as /health does, which both guides publish. An API
// without one is taken as it is, once it answers at all.
func (e External) health(ctx context.Context, q *http.Request) (env string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := *e.Client
	client.CheckRedirect = sameHost
	resp, err := client.Do(q.Clone(ctx))
	if err != nil {
		return "", fmt.Errorf("reach %s: %w; %s", e.URL.Redacted(), err, remedy(err))
	}
	defer resp.Body.Close()
	var h struct {
		Env string `json:"env"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&h) // not JSON: env stays unknown
	return h.Env, nil
}

// sameHost follows redirects within the host that was named, and no other: the
// user vouched for none but that.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Host != via[0].URL.Host || len(via) > 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

// remedy is what the user can do about a deployment that was not reached.
func remedy(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that this machine does not trust: name a file with that authority's certificate, --ca ca.pem or SSL_CERT_FILE=ca.pem (on Linux)"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name: use that name in the URL, or give it a certificate for this one"
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return "its certificate must be renewed, or this machine's clock set"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak TLS there: is the URL's scheme http?"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it sent no answer in time: does it hang, does it wait for TLS (https), or is another program at that port?"
	}
	return "is it running, and is the port right?"
}

// OwnAddresses tells whether users of a host can each have a source address of
// their own: it is reached over IPv4's loopback.
func OwnAddresses(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Is4() && ip.IsLoopback()
}

// local tells whether a host is loopback or private by its text alone: a name
// other than localhost is not looked up, for that would already be a packet.
// Link-local addresses are not: whoever shares the cable answers them, and in a
// cloud the provider's own services do.
func local(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}
