package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"vitals/server/config"
	"vitals/server/telemetry"
	"vitals/server/web"
)

// testConfig is a test environment's configuration on SQLite and free ports;
// vars are NAME=value and win.
func testConfig(t testing.TB, vars ...string) *config.Config {
	t.Helper()
	env := map[string]string{
		"ENV": "test", "HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "127.0.0.1:0",
		"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "clinic.db"),
		"SECRET_KEY":   "b64-9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu", "LOG_FORMAT": "json",
		"SHUTDOWN_DRAIN_DELAY": "0", "SHUTDOWN_TIMEOUT": "5",
	}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		if value == "" {
			delete(env, name)
			continue
		}
		env[name] = value
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatalf("load test configuration: %v", err)
	}
	return cfg
}

// logBuffer collects log lines from many goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines decodes every line; one that is not JSON fails the test.
func (l *logBuffer) lines(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		out = append(out, line)
	}
	return out
}

// testbed is a chain with small operations behind it, on a real listener.
type testbed struct {
	url  string
	api  *Server
	log  *logBuffer
	reg  *prometheus.Registry
	http *http.Client

	cancel context.CancelFunc // begins the drain, as SIGTERM does
	ended  chan error         // serve's result
}

type echoInput struct {
	Body struct {
		Name string `json:"name" maxLength:"10"`
		List []any  `json:"list,omitempty"`
	}
}

type echoOutput struct {
	Body struct {
		Name string `json:"name"`
		User int64  `json:"user"`
		IP   string `json:"ip"`
	}
}

func echo(ctx context.Context, in *echoInput) (*echoOutput, error) {
	out := new(echoOutput)
	out.Body.Name = in.Body.Name
	user, _ := web.PrincipalFrom(ctx)
	out.Body.User = user.UserID
	out.Body.IP = web.ClientIP(ctx).String()
	return out, nil
}

var bearer = []map[string][]string{{"bearer": {}}}

// operations of the testbed: enough to reach every layer.
func testOperations(api huma.API) {
	huma.Register(api, huma.Operation{Method: "POST", Path: "/api/v1/echo", OperationID: "echo"}, echo)
	huma.Register(api, huma.Operation{Method: "POST", Path: "/api/v1/auth/login", OperationID: "login", MaxBodyBytes: 4 << 10}, echo)
	huma.Register(api, huma.Operation{Method: "POST", Path: "/api/v1/auth/password-change", OperationID: "change", Security: bearer}, echo)
	huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/items/{id}", OperationID: "item", Security: bearer},
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*echoOutput, error) {
			out := new(echoOutput)
			user, _ := web.PrincipalFrom(ctx)
			out.Body.User = user.UserID
			return out, nil
		})
	huma.Register(api, huma.Operation{
		Method: "POST", Path: "/api/v1/admin", OperationID: "admin", Security: bearer,
		Metadata: map[string]any{"roles": []web.Role{web.Admin}},
	}, echo)
	huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/fault/{kind}", OperationID: "fault"},
		func(ctx context.Context, in *struct {
			Kind string `path:"kind"`
		}) (*struct{}, error) {
			switch in.Kind {
			case "panic":
				panic("secret canary in a panic")
			case "nil":
				var p *web.Principal
				_ = p.UserID
			case "error":
				return nil, io.ErrUnexpectedEOF
			case "deadline":
				<-ctx.Done()
				return nil, ctx.Err()
			case "locked":
				return nil, web.Fail(http.StatusTooManyRequests, "locked_out", "Wait.").WithRetry(1)
			}
			return nil, web.Fail(http.StatusNotFound, "not_found", "No such thing.")
		})
}

// newTestbed starts the chain until the test ends; change may replace parts.
func newTestbed(t testing.TB, change func(*Deps), vars ...string) *testbed {
	t.Helper()
	bed := newTestbedStopped(t, change, vars...)
	t.Cleanup(func() {
		bed.cancel()
		if err := <-bed.ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return bed
}

// newTestbedStopped is newTestbed for a test that ends the service itself and
// reads ended.
func newTestbedStopped(t testing.TB, change func(*Deps), vars ...string) *testbed {
	t.Helper()
	bed := &testbed{log: new(logBuffer), reg: prometheus.NewRegistry(), http: &http.Client{Transport: &http.Transport{}}}
	d := Deps{
		Log:      slog.New(telemetry.NewHandler(bed.log, telemetry.LogOptions{Level: slog.LevelDebug})),
		Registry: bed.reg, Version: "1.2.3",
		ClientIP: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
		Authenticate: func(_ context.Context, token string) (web.Principal, error) {
			switch token {
			case "patient", "disabled", "broken":
				return web.Principal{UserID: 7, Role: web.Patient, SessionID: token}, nil
			case "admin":
				return web.Principal{UserID: 1, Role: web.Admin}, nil
			}
			return web.Principal{}, io.EOF
		},
		CheckSession: func(_ context.Context, p web.Principal) (web.Principal, error) {
			switch p.SessionID {
			case "disabled":
				return web.Principal{}, web.Fail(http.StatusUnauthorized, "invalid_token", "Sign in again.")
			case "broken":
				return web.Principal{}, io.ErrClosedPipe
			}
			return p, nil
		},
		Register: []func(huma.API){testOperations},
	}
	if change != nil {
		change(&d)
	}
	var err error
	if bed.api, err = New(testConfig(t, vars...), d); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bed.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	bed.cancel, bed.ended = cancel, make(chan error, 1)
	go func() { bed.ended <- bed.api.serve(ctx, l, nil) }()
	t.Cleanup(func() { cancel(); bed.http.CloseIdleConnections() })
	return bed
}

// slow adds an operation that works for d, or until its client is gone.
func slow(d time.Duration) func(*Deps) {
	return func(deps *Deps) {
		deps.Register = append(deps.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/slow", OperationID: "slow"},
				func(ctx context.Context, _ *struct{}) (*struct{}, error) {
					select {
					case <-time.After(d):
					case <-ctx.Done():
					}
					return nil, ctx.Err()
				})
		})
	}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body    string
	problem web.Problem
}

// ask sends one request; headers are "Name: value".
func (b *testbed) ask(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return ask(t, b.http, method, b.url+path, body, headers...)
}

func ask(t testing.TB, c *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Content-Type" {
			req.Header.Set(name, value)
			continue
		}
		req.Header.Add(name, value)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: res, body: string(text)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(text, &a.problem); err != nil {
			t.Errorf("%s %s: problem %q: %v", method, url, text, err)
		}
	}
	return a
}

// metric is the value of one counter or gauge, or a histogram's count; 0 if
// there is none. labels are names and values in turn.
func metric(t testing.TB, g prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return sample(families, name, labels...)
}

func sample(families []*dto.MetricFamily, name string, labels ...string) float64 {
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && have[labels[i]] == labels[i+1]
			}
			if match {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

func parseMetrics(t testing.TB, text string) []*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse metrics: %v", err)
	}
	return slices.Collect(maps.Values(families))
}
