package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"github.com/getsentry/sentry-go"

	"vitals/server/web"
)

// tagKeys are the attributes of a record that become tags of the event. They
// hold words of closed sets; free texts stay in the log.
var tagKeys = []string{"code", "route", "policy", "method", "status"}

// Handler reports records of ERROR and above, one event each, tagged with the
// request's ID. It stands beside the log's handler in a slog.MultiHandler. The
// SDK's own slog integration no longer makes issues of records.
func (s *Sentry) Handler() slog.Handler {
	if s == nil {
		return slog.DiscardHandler
	}
	return &sentryHandler{sentry: s, name: "app"}
}

type sentryHandler struct {
	sentry *Sentry
	name   string
	attrs  []slog.Attr
}

func (h *sentryHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (h *sentryHandler) Handle(ctx context.Context, r slog.Record) error {
	event := sentry.NewEvent()
	event.Level, event.Logger, event.Message, event.Timestamp = sentry.LevelError, h.name, r.Message, r.Time
	if r.Level >= LevelCritical {
		event.Level = sentry.LevelFatal
	}
	if id := web.RequestID(ctx); id != "" {
		event.Tags["request_id"] = id
	}
	if user, ok := web.PrincipalFrom(ctx); ok {
		event.User.ID = strconv.FormatInt(user.UserID, 10)
	}
	note := func(a slog.Attr) bool {
		if slices.Contains(tagKeys, a.Key) {
			event.Tags[a.Key] = a.Value.String()
		}
		if err, ok := a.Value.Any().(error); ok && a.Key == "error" {
			event.Exception = []sentry.Exception{{
				Type: rootType(err), Value: err.Error(),
				// Called while the stack that failed still stands.
				Stacktrace: sentry.NewStacktrace(),
			}}
		}
		return true
	}
	for _, a := range h.attrs {
		note(a)
	}
	r.Attrs(note)

	hub := sentry.GetHubFromContext(ctx)
	if hub == nil {
		hub = h.sentry.hub.Clone()
	}
	if hub.CaptureEvent(event) == nil {
		h.sentry.results.WithLabelValues("dropped").Inc()
		return nil
	}
	h.sentry.results.WithLabelValues("captured").Inc()
	return nil
}

func (h *sentryHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clip(next.attrs)
	for _, a := range attrs {
		if a.Key == LoggerKey {
			next.name = a.Value.String()
			continue
		}
		next.attrs = append(next.attrs, a)
	}
	return &next
}

func (h *sentryHandler) WithGroup(string) slog.Handler { return h }

// rootType names the innermost error's type: what went wrong, not who wrapped it.
func rootType(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}
