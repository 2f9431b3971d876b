package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/telemetry"
)

// BenchmarkChain is what all layers cost a request: access log, metrics, body
// checks and the framework, without limiter, session and database.
func BenchmarkChain(b *testing.B) {
	api, err := New(testConfig(b), Deps{
		Log:      slog.New(telemetry.NewHandler(io.Discard, telemetry.LogOptions{})),
		Registry: prometheus.NewRegistry(), Register: []func(huma.API){testOperations},
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("127.0.0.1") },
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/live", "/api/v1/fault/locked"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
			}
		})
	}
}
