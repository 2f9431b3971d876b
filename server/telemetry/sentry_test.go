package telemetry_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/telemetry"
	"vitals/server/telemetry/sentrytest"
	"vitals/server/web"
)

func newSentry(t testing.TB, o telemetry.SentryOptions) *telemetry.Sentry {
	t.Helper()
	s, err := telemetry.NewSentry(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestErrorRecordIsOneScrubbedEvent(t *testing.T) {
	in := sentrytest.New(t)
	s := newSentry(t, telemetry.SentryOptions{DSN: in.DSN(), SampleRate: 1, Environment: "staging", Release: "v1"})
	log := telemetry.Named(slog.New(s.Handler()), "app.http")
	ctx := web.WithRequestID(t.Context(), "probe-0123456789ab")
	log.WarnContext(ctx, "not an error")
	log.ErrorContext(ctx, "request failed", "code", "internal", "secret_attr", "canary-attr",
		"error", fmt.Errorf("query: %w", errors.New(`password=canary-pass for canary@mail.test at postgres://u:canary-db@h/d?x=canary-q`)))
	s.Close(5 * time.Second)

	events := in.Items("event")
	if len(events) != 1 {
		t.Fatalf("got %d events, want 1", len(events))
	}
	e := events[0]
	tags, _ := e["tags"].(map[string]any)
	for what, c := range map[string]struct{ got, want any }{
		"request_id": {tags["request_id"], "probe-0123456789ab"}, "code": {tags["code"], "internal"},
		"environment": {e["environment"], "staging"}, "release": {e["release"], "v1"},
		"message": {e["message"], "request failed"}, "logger": {e["logger"], "app.http"}, "level": {e["level"], "error"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", what, c.got, c.want)
		}
	}
	if text := in.Raw(); strings.Contains(text, "canary") {
		t.Errorf("a canary reached Sentry: %s", text)
	}
	if !strings.Contains(in.Raw(), "TestErrorRecordIsOneScrubbedEvent") {
		t.Error("the event has no stack trace of its origin")
	}
}

func TestRateZeroMakesNoClient(t *testing.T) {
	s, err := telemetry.NewSentry(telemetry.SentryOptions{DSN: "http://key@127.0.0.1:1/1", SampleRate: 0, TracesSampleRate: 1}, nil)
	if s != nil || err != nil {
		t.Fatalf("got %v, %v, want no client and no error", s, err)
	}
	s.Close(time.Second) // none is safe to use
	if s.Handler().Enabled(t.Context(), slog.LevelError) {
		t.Error("got a handler that takes records, want none")
	}
}

func TestSampleRateHolds(t *testing.T) {
	in := sentrytest.New(t)
	reg := prometheus.NewRegistry()
	s, err := telemetry.NewSentry(telemetry.SentryOptions{DSN: in.DSN(), SampleRate: 0.25}, reg)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(s.Handler())
	const n = 400
	for i := range n {
		log.Error("failed", "code", fmt.Sprint(i%3))
	}
	s.Close(5 * time.Second)
	// Binomial(400, 0.25): 99.99 % of runs lie within 66..136.
	got := counterValue(t, reg, "sentry_events_total", "captured")
	if got < 66 || got > 136 {
		t.Errorf("got %v of %d captured at rate 0.25, want 66..136", got, n)
	}
}

func TestForgedTraceHeaderDoesNotSample(t *testing.T) {
	in := sentrytest.New(t)
	s := newSentry(t, telemetry.SentryOptions{DSN: in.DSN(), SampleRate: 1, TracesSampleRate: 0.1})
	const n = 500
	sampled := 0
	for range n {
		// What a framework's middleware would do with the client's header.
		ctx := sentry.SetHubOnContext(t.Context(), s.Hub())
		span := sentry.StartSpan(ctx, "http.server", sentry.WithTransactionName("GET /x"),
			sentry.ContinueFromHeaders("0123456789abcdef0123456789abcdef-0123456789abcdef-1", ""))
		if span.Sampled.Bool() {
			sampled++
		}
	}
	s.Close(time.Second)
	// Binomial(500, 0.1): 99.99 % of runs lie within 26..78.
	if sampled < 26 || sampled > 78 {
		t.Errorf("got %d of %d sampled behind a forged parent, want about 50", sampled, n)
	}
}

func TestTraceNamesTheRouteAlone(t *testing.T) {
	in := sentrytest.New(t)
	s := newSentry(t, telemetry.SentryOptions{DSN: in.DSN(), SampleRate: 1, TracesSampleRate: 1, Environment: "test"})
	_, finish := s.Trace(t.Context(), "GET", "/api/v1/patients/{id}")
	finish(http.StatusNotFound - 4) // 404 is ignored by the SDK's default
	s.Close(5 * time.Second)
	traces := in.Items("transaction")
	if len(traces) != 1 || traces[0]["transaction"] != "GET /api/v1/patients/{id}" {
		t.Fatalf("got %v, want one transaction named by its route", traces)
	}
	if traces[0]["request"] != nil || traces[0]["user"] != nil {
		t.Errorf("got request %v and user %v, want neither", traces[0]["request"], traces[0]["user"])
	}
}

// A hanging ingest must not hold up callers or the exit (probe SE3).
func TestHangingIngestHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hang.Close()
	defer close(release)
	s := newSentry(t, telemetry.SentryOptions{DSN: strings.Replace(hang.URL, "http://", "http://k@", 1) + "/1", SampleRate: 1})
	log := slog.New(s.Handler())
	began := time.Now()
	for range 2000 { // far more than the queue holds
		log.Error("failed")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("2000 records took %v, want no waiting for the ingest", took)
	}
	began = time.Now()
	s.Close(300 * time.Millisecond)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("close took %v, want about 300 ms", took)
	}
}

func counterValue(t testing.TB, g prometheus.Gatherer, name, label string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
