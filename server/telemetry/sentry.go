package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/prometheus/client_golang/prometheus"
)

// SentryOptions says where errors go and how many.
type SentryOptions struct {
	DSN              string
	SampleRate       float64 // of errors; 0 = no client at all, since the SDK reads 0 as 1
	TracesSampleRate float64 // of requests; 0 = none
	Environment      string
	Release          string
}

// Sentry sends errors and sampled traces, scrubbed, from a bounded queue in the
// background. A nil *Sentry is none and answers every call.
type Sentry struct {
	hub     *sentry.Hub
	traces  bool
	results *prometheus.CounterVec
	abort   context.CancelFunc // cuts deliveries that outlast the flush
}

// NewSentry makes the client, or none (nil, nil) without a DSN or at rate 0.
func NewSentry(o SentryOptions, reg prometheus.Registerer) (*Sentry, error) {
	if o.DSN == "" || o.SampleRate == 0 {
		return nil, nil
	}
	s := &Sentry{
		traces: o.TracesSampleRate > 0,
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sentry_events_total",
			Help: "Reports to Sentry: captured, dropped (sampled out or refused by the scrubber); then envelopes: sent, refused, failed.",
		}, []string{"result"}),
	}
	ctx, abort := context.WithCancel(context.Background())
	s.abort = abort
	off := &sentry.KeyValueCollectionBehavior{Mode: sentry.CollectionOff}
	allowed := &sentry.KeyValueCollectionBehavior{Mode: sentry.CollectionAllowList, Terms: allowedHeaders}
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: o.DSN, Environment: o.Environment, Release: o.Release,
		SampleRate:     o.SampleRate,
		EnableTracing:  s.traces,
		MaxBreadcrumbs: -1,
		// An empty DataCollection would collect bodies.
		DataCollection: &sentry.DataCollection{
			UserInfo: sentry.Set(false), HTTPBodies: []sentry.BodyType{},
			Cookies: off, QueryParams: off,
			HTTPHeaders: &sentry.HeaderCollectionConfig{Request: allowed, Response: allowed},
		},
		// The parent's decision comes from the client's header, which anyone can
		// forge; only our rate decides.
		TracesSampler:         func(sentry.SamplingContext) float64 { return o.TracesSampleRate },
		BeforeSend:            closed[*sentry.EventHint](scrubEvent),
		BeforeSendTransaction: closed[*sentry.EventHint](scrubEvent),
		BeforeBreadcrumb:      closed[*sentry.BreadcrumbHint](scrubBreadcrumb),
		BeforeSendLog:         func(*sentry.Log) *sentry.Log { return nil },       // none is made
		BeforeSendMetric:      func(*sentry.Metric) *sentry.Metric { return nil }, // none is made
		HTTPClient:            &http.Client{Timeout: 10 * time.Second, Transport: &courier{ctx, s.results}},
		Integrations:          func([]sentry.Integration) []sentry.Integration { return nil },
	})
	if err != nil {
		abort()
		return nil, errors.New("make Sentry client: SENTRY_DSN is not one") // the SDK's text quotes it
	}
	s.hub = sentry.NewHub(client, sentry.NewScope())
	if reg != nil {
		reg.MustRegister(s.results)
	}
	return s, nil
}

// Trace begins the span of one request under a route's name; the returned func
// ends it with the status sent. Nothing of the request itself is in it.
func (s *Sentry) Trace(ctx context.Context, method, route string) (context.Context, func(status int)) {
	if s == nil || !s.traces {
		return ctx, func(int) {}
	}
	span := sentry.StartTransaction(sentry.SetHubOnContext(ctx, s.hub.Clone()), method+" "+route,
		sentry.WithOpName("http.server"), sentry.WithTransactionSource(sentry.SourceRoute))
	return span.Context(), func(status int) {
		span.Status = sentry.HTTPtoSpanStatus(status)
		span.SetData("http.response.status_code", status)
		span.Finish()
	}
}

// Test sends one event and waits until it is on its way, for `vitals serve
// sentry-test`.
func (s *Sentry) Test(ctx context.Context) error {
	if s == nil {
		return errors.New("SENTRY_DSN is unset or SENTRY_SAMPLE_RATE is 0: nothing would be sent")
	}
	event := sentry.NewEvent()
	event.Level, event.Message = sentry.LevelInfo, "Test message from the clinic API"
	if s.hub.Clone().CaptureEvent(event) == nil {
		return errors.New("the event was not taken: it was sampled out")
	}
	if !s.hub.FlushWithContext(ctx) {
		return fmt.Errorf("deliver: %w", context.Cause(ctx))
	}
	return nil
}

// Close sends what is queued for at most wait, then drops the rest and ends.
func (s *Sentry) Close(wait time.Duration) {
	if s == nil {
		return
	}
	s.hub.Client().Flush(wait)
	s.abort()
	s.hub.Client().Close()
}

// courier carries envelopes and counts what became of them.
type courier struct {
	ctx     context.Context
	results *prometheus.CounterVec
}

// maxReply bounds what is read of the ingest's answer, in bytes.
const maxReply = 16 << 10

func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	res, err := http.DefaultTransport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		c.results.WithLabelValues("failed").Inc()
		return nil, err
	}
	// The body is read here, because ctx ends with this call.
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		c.results.WithLabelValues("failed").Inc()
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	result := "sent"
	if res.StatusCode >= http.StatusBadRequest {
		result = "refused"
	}
	c.results.WithLabelValues(result).Inc()
	return res, nil
}
