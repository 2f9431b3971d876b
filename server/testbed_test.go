package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/telemetry"
	"vitals/server/web"
)

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
			case "patient", "disabled", "broken", "unenrolled":
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
			case "unenrolled":
				p.Role = "" // as of a role that needs a second factor and has none
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
	go func() { bed.ended <- bed.api.Serve(ctx, l, nil) }()
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
