// Package telemetry is what the clinic API says about itself: one JSON line per
// log record in the published shape, errors to Sentry with everything personal
// taken out first, and the metrics of the HTTP edge. It knows no route and no
// rule; the services give it records and counts.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/lmittmann/tint"

	"vitals/server/web"
)

// LoggerKey names the attribute that says which part of the service speaks, as
// in "app.access". Give it with Named.
const LoggerKey = "logger"

// SecurityLogger is the name under which security events are logged; LOG_LEVEL
// does not silence them.
const SecurityLogger = "security"

// TimeLayout is RFC 3339 in UTC with six decimals and Z, the one form of time
// in logs and health answers.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// Named is a logger that signs its records with name.
func Named(l *slog.Logger, name string) *slog.Logger {
	if l == nil {
		l = slog.New(slog.DiscardHandler)
	}
	return l.With(LoggerKey, name)
}

// LogOptions says how records become lines. The zero value is JSON at INFO.
type LogOptions struct {
	Level   slog.Level
	Console bool // coloured lines for a developer's terminal instead of JSON
	NoColor bool // of the console
}

// NewHandler writes records to w, whole lines under one lock: JSON with the published keys
// (production guide, lines 93 to 105), or the console form.
func NewHandler(w io.Writer, o LogOptions) slog.Handler {
	if !o.Console {
		return newJSONHandler(w, o.Level)
	}
	return &contextHandler{tint.NewTextHandler(w, &tint.Options{
		Level: o.Level, NoColor: o.NoColor, TimeFormat: time.TimeOnly,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if l, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey && l >= LevelCritical {
				return tint.Attr(9, slog.String(slog.LevelKey, "CRT")) // tint knows no such level
			}
			return a
		},
	})}
}

// contextHandler gives console records the identity that JSON records carry.
type contextHandler struct{ slog.Handler }

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if strings.ContainsFunc(r.Message, unicode.IsControl) {
		r.Message = strconv.Quote(r.Message) // tint writes messages as they are
	}
	if id := web.RequestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h *contextHandler) WithAttrs(as []slog.Attr) slog.Handler {
	return &contextHandler{h.Handler.WithAttrs(as)}
}

func (h *contextHandler) WithGroup(name string) slog.Handler {
	return &contextHandler{h.Handler.WithGroup(name)}
}
