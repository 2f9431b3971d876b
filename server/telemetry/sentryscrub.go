package telemetry

import (
	"net/url"

	"github.com/getsentry/sentry-go"
)

// allowedHeaders may leave the process; every other header stays.
var allowedHeaders = []string{"Content-Type", "Content-Length", "User-Agent", "X-Request-Id"}

// allowedContexts are the parts of an event about the machine and the trace.
var allowedContexts = []string{"trace", "os", "runtime", "device"}

// closed wraps a scrubber so that it fails closed: if it panics, nothing is sent.
func closed[H, T any](scrub func(*T) *T) func(*T, H) *T {
	return func(v *T, _ H) (out *T) {
		defer func() {
			if recover() != nil {
				out = nil
			}
		}()
		return scrub(v)
	}
}

// scrubEvent keeps what a developer needs and no more: texts scrubbed, contexts
// and headers by allow-list, no body, cookie, query, address or attachment.
func scrubEvent(e *sentry.Event) *sentry.Event {
	e.Message = Scrub(e.Message)
	e.Transaction = Scrub(e.Transaction)
	e.User = sentry.User{ID: e.User.ID}
	e.Attachments, e.Modules = nil, nil
	for i := range e.Exception {
		e.Exception[i].Value = Scrub(e.Exception[i].Value)
		e.Exception[i].Mechanism = nil // holds free data
	}
	for key, value := range e.Tags {
		e.Tags[key] = Scrub(value)
	}
	contexts := map[string]sentry.Context{}
	for _, name := range allowedContexts {
		if c, ok := e.Contexts[name]; ok {
			contexts[name] = scrubData(c)
		}
	}
	e.Contexts = contexts
	if e.Request != nil {
		e.Request = scrubRequest(e.Request)
	}
	kept := e.Breadcrumbs[:0]
	for _, b := range e.Breadcrumbs {
		if b = scrubBreadcrumb(b); b != nil {
			kept = append(kept, b)
		}
	}
	e.Breadcrumbs = kept
	for _, span := range e.Spans {
		span.Description = Scrub(span.Description)
		span.Name = Scrub(span.Name)
		span.Data = scrubData(span.Data)
		for key, value := range span.Tags {
			span.Tags[key] = Scrub(value)
		}
	}
	return e
}

func scrubRequest(r *sentry.Request) *sentry.Request {
	out := &sentry.Request{Method: r.Method, Headers: map[string]string{}}
	if u, err := url.Parse(r.URL); err == nil {
		out.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	for _, name := range allowedHeaders {
		if value, ok := r.Headers[name]; ok {
			out.Headers[name] = Scrub(value)
		}
	}
	return out
}

func scrubBreadcrumb(b *sentry.Breadcrumb) *sentry.Breadcrumb {
	b.Message = Scrub(b.Message)
	b.Data = scrubData(b.Data)
	return b
}

// scrubData scrubs the texts of a free map; what is neither text, number nor
// truth is dropped, because nothing says what is in it.
func scrubData(data map[string]any) map[string]any {
	out := make(map[string]any, len(data))
	for key, value := range data {
		switch v := value.(type) {
		case string:
			out[key] = Scrub(v)
		case map[string]any:
			out[key] = scrubData(v)
		case bool, int, int64, float64, uint64, sentry.SpanStatus, sentry.TraceID, sentry.SpanID:
			out[key] = v
		}
	}
	return out
}
