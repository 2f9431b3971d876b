package stack_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/stack"
)

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// found is a deployment at a URL as the program looks for it.
func found(t *testing.T, text string) (*stack.Stack, error) {
	t.Helper()
	s, err := stack.External{URL: parse(t, text), Client: &http.Client{Timeout: 5 * time.Second}}.Start(t.Context())
	if err == nil {
		t.Cleanup(func() { _ = s.Close(t.Context()) }) // nothing was started
	}
	return s, err
}

// Nothing goes to a host that the user did not name, whatever /health says; what
// the named host says at another path counts.
func TestHealthIsNotFollowedElsewhere(t *testing.T) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `{"env":"production"}`)
	}))
	defer elsewhere.Close()
	to := elsewhere.URL
	named := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, `{"env":"production"}`)
	}))
	defer named.Close()
	if s, err := found(t, named.URL); err != nil || s.Info["env"] != "" {
		t.Errorf("/health redirects to another host: got %v, want a stack that says nothing of its environment", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("a host that nobody named got %d requests, want none", n)
	}
	to = "/health/"
	if refused, ok := errors.AsType[*stack.NotOwned](second(found(t, named.URL))); !ok {
		t.Errorf("/health redirects to a page of the same host that says production: got %v, want a refusal", refused)
	}
}

func second(_ *stack.Stack, err error) error { return err }

func TestWhoseHostsNeedNoDeclaration(t *testing.T) {
	for host, ours := range map[string]bool{
		"127.0.0.1": true, "127.5.5.5": true, "[::1]": true, "10.1.2.3": true, "192.168.0.1": true, "172.16.9.9": true, "[fd00::1]": true, "localhost": true,
		"169.254.169.254": false, "169.254.1.1": false, "[fe80::1]": false, "[::ffff:169.254.169.254]": false, "0.0.0.0": false,
		"8.8.8.8": false, "172.32.0.1": false, "[2001:db8::1]": false, "staging.example.org": false, "localhost.example.org": false,
	} {
		client := &http.Client{Transport: noPackets{}}
		_, err := stack.External{URL: parse(t, "http://"+host+"/"), Client: client}.Start(t.Context())
		_, refused := errors.AsType[*stack.NotOwned](err)
		if refused == ours {
			t.Errorf("%s: got %v, want it to count as ours: %v", host, err, ours)
		}
	}
}

// noPackets stands for the network.
type noPackets struct{}

var errNoPackets = errors.New("no packet is sent in this test")

func (noPackets) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoPackets }

// A server of localhost on IPv6 alone is loaded as it is: without source
// addresses, which are IPv4's.
func TestLocalhostOnIPv6Alone(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.NotFoundHandler()}}
	srv.Start()
	defer srv.Close()
	u := parse(t, srv.URL)
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { // as where localhost is ::1, too
		return net.Dial("tcp6", u.Host)
	}}}
	s, err := stack.External{URL: parse(t, "http://localhost:"+u.Port()), Client: client}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Source != nil {
		t.Errorf("requests would come from %v, which cannot reach [::1]", s.Source(1))
	}
	if !strings.Contains(s.Info["addresses"], "IPv6") {
		t.Errorf("addresses: got %q, want the reason", s.Info["addresses"])
	}
	v4 := httptest.NewServer(http.NotFoundHandler())
	defer v4.Close()
	if s, err = found(t, "http://localhost:"+parse(t, v4.URL).Port()); err != nil || s.Source == nil {
		t.Errorf("localhost on IPv4: got %v, want source addresses", err)
	}
}

// What answers there and is no API is told from one that does not run.
func TestOtherThanHTTP(t *testing.T) {
	for _, c := range []struct{ scheme, says, want string }{
		{"https", "SSH-2.0-OpenSSH_9.2\r\n", "is the URL's scheme http?"},
		{"https", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "is the URL's scheme http?"},
		{"http", "", "does it hang, does it wait for TLS (https), or is another program at that port?"},
	} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, c.says)
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = stack.External{URL: parse(t, c.scheme+"://"+l.Addr().String()), Client: &http.Client{}}.Start(ctx)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, answered %q: got %v, want %q", c.scheme, c.says, err, c.want)
		}
	}
}

// What is wrong with TLS is said with what to do, and what is said works.
func TestTLSWords(t *testing.T) {
	quiet := httptest.NewUnstartedServer(http.NotFoundHandler())
	quiet.Config.ErrorLog = log.New(io.Discard, "", 0)
	quiet.StartTLS()
	defer quiet.Close()
	_, err := found(t, quiet.URL)
	if err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") || strings.Contains(err.Error(), "is it running") {
		t.Errorf("an unknown authority: got %v, want SSL_CERT_FILE in it", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: quiet.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" { // another process, for this one has read its authorities
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), reacher+"="+quiet.URL, "SSL_CERT_FILE="+ca)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("with SSL_CERT_FILE: got %v %s, want it to be reached", err, out)
		}
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err = found(t, strings.Replace(plain.URL, "http:", "https:", 1))
	if err == nil || !strings.Contains(err.Error(), "scheme http") {
		t.Errorf("https to a server without TLS: got %v, want a word on the scheme", err)
	}
	trusting := quiet.Client()
	other := parse(t, quiet.URL)
	other.Host = "localhost:" + other.Port() // the certificate is for example.com and the addresses
	_, err = stack.External{URL: other, Client: trusting}.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "another name") {
		t.Errorf("a certificate for another name: got %v, want a word on the name", err)
	}
}

// Where a profile says that the health check is elsewhere, that is asked as well.
func TestProductionIsAskedWhereTheProfileSays(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/shop/healthz?full=1" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"env":"Production"}`)
	}))
	defer s.Close()
	q, err := http.NewRequest(http.MethodPost, s.URL+"/shop/healthz?full=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := stack.External{URL: parse(t, s.URL), Client: http.DefaultClient, Health: q}
	if refused, ok := errors.AsType[*stack.NotOwned](second(e.Start(t.Context()))); !ok || !strings.Contains(refused.Why, "its /shop/healthz says env: Production") {
		t.Errorf("got %v, want a refusal", refused)
	}
	e.AllowProduction = true
	if st, err := e.Start(t.Context()); err != nil || st.Info["env"] != "Production" {
		t.Errorf("got %v, %v, want it loaded as production", st, err)
	}
}
