package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/telemetry"
	"vitals/server/telemetry/sentrytest"
)

// One panic and one unexpected error are one event each, with the request's ID
// and the environment, and nothing of the request (probe SE1).
func TestFaultsAreOneEventEach(t *testing.T) {
	in := sentrytest.New(t)
	sentry, err := telemetry.NewSentry(telemetry.SentryOptions{DSN: in.DSN(), SampleRate: 1, Environment: "staging"}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	bed := newTestbed(t, func(d *Deps) {
		d.Log, d.Trace = slog.New(slog.NewMultiHandler(d.Log.Handler(), sentry.Handler())), sentry.Trace
	})
	want := map[string]bool{}
	for _, kind := range []string{"panic", "error"} {
		a := bed.ask(t, "GET", "/api/v1/fault/"+kind+"?q=canary", "", "Authorization: Bearer canary", "Cookie: canary", "X-Refresh-Token: canary")
		want[a.Header.Get(requestIDHeader)] = true
	}
	bed.ask(t, "GET", "/api/v1/fault/locked", "") // a refusal is no event
	sentry.Close(5 * time.Second)
	for _, e := range in.Items("event") {
		tags, _ := e["tags"].(map[string]any)
		id := fmt.Sprint(tags["request_id"])
		if !want[id] || e["environment"] != "staging" {
			t.Errorf("got an event for request %q in %v, want one each for %v", id, e["environment"], want)
		}
		delete(want, id)
	}
	if len(want) > 0 {
		t.Errorf("got no event for %v", want)
	}
	// The panic's own text is a developer's; what came with the request is not.
	if text := strings.ReplaceAll(in.Raw(), "secret canary in a panic", ""); strings.Contains(text, "canary") {
		t.Errorf("the request's content reached Sentry: %s", text)
	}
}

func TestHalfAnAnswerIsCutOff(t *testing.T) {
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/half", OperationID: "half"},
				func(context.Context, *struct{}) (*huma.StreamResponse, error) {
					return &huma.StreamResponse{Body: func(ctx huma.Context) {
						ctx.SetStatus(http.StatusOK)
						_, _ = ctx.BodyWriter().Write([]byte(strings.Repeat("x", 10_000)))
						panic("in the middle")
					}}, nil
				})
		})
	})
	res, err := bed.http.Get(bed.url + "/api/v1/half")
	if err == nil {
		defer res.Body.Close()
		buf := make([]byte, 20_000)
		for err == nil {
			_, err = res.Body.Read(buf)
		}
	}
	if err == nil || err.Error() == "EOF" {
		t.Errorf("got %v, want the connection cut", err)
	}
	if got := metric(t, bed.reg, "http_requests_total", "route", "/api/v1/half", "status", "500"); got != 1 {
		t.Errorf("got %v counted as 500, want 1", got)
	}
}
