package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"vitals/internal/observe"
)

// External is a deployment that is already there.
type External struct {
	URL             *url.URL
	Metrics         *url.URL // its Prometheus page, when it can be reached
	Cores           float64  // cores it may use; needed to judge its CPU
	Accounts        []Account
	Own             []string // hosts the user declares to own (--i-own)
	AllowProduction bool
	Forward         bool // the driver is a declared trusted proxy of it
	Client          *http.Client
}

// NotOwned is the refusal to send load to a host that nobody vouched for.
type NotOwned struct{ Host, Why string }

func (e *NotOwned) Error() string { return "refusing to send load to " + e.Host + ": " + e.Why }

// Start checks that the host may be loaded and that it answers. Nothing is sent
// to a public host that Own does not name: not even a name lookup.
func (e External) Start(ctx context.Context) (*Stack, error) {
	host := e.URL.Hostname()
	if !local(host) && !slices.Contains(e.Own, host) {
		return nil, &NotOwned{host, fmt.Sprintf("it is neither loopback nor private; name it with --i-own %s if it is yours", host)}
	}
	env, err := e.health(ctx)
	if err != nil {
		return nil, err
	}
	if env == "production" && !e.AllowProduction {
		return nil, &NotOwned{host, "its /health says env: production; add --allow-production if that is meant"}
	}
	s := &Stack{
		Kind: "url", URL: e.URL, Replicas: []*url.URL{e.URL}, Metrics: e.Metrics, Accounts: e.Accounts, Cores: e.Cores,
		Info: map[string]string{"env": env},
	}
	if e.Metrics != nil {
		s.Meter = observe.Scraped(e.Client, e.Metrics)
	}
	switch ip, err := netip.ParseAddr(host); {
	case e.Forward:
		s.Source, s.Forward = Benchmark, true
		s.Info["addresses"] = "client addresses travel in X-Forwarded-For: this driver is declared a trusted proxy"
	case host == "localhost" || err == nil && ip.Is4() && ip.IsLoopback():
		s.Source = Loopback
		s.Info["addresses"] = "each user and each intruder has a source address of its own in 127.0.0.0/8"
	default:
		s.Info["addresses"] = "all requests come from this machine's one address"
	}
	return s, nil
}

// health asks /health, which both guides publish. An API without one is taken
// as it is, once it answers at all.
func (e External) health(ctx context.Context) (env string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL.JoinPath("health").String(), nil)
	if err != nil {
		return "", err
	}
	resp, err := e.Client.Do(req)
	if err != nil {
		return "", fmt.Errorf("reach %s: %w; is it running, and is the port right?", e.URL.Redacted(), err)
	}
	defer resp.Body.Close()
	var h struct {
		Env string `json:"env"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&h) // not JSON: env stays unknown
	return h.Env, nil
}

// local tells whether a host is loopback or private by its text alone: a name
// other than localhost is not looked up, for that would already be a packet.
func local(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
}
