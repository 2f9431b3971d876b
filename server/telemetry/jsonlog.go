package telemetry

import (
	"context"
	"io"
	"log/slog"
	"path"
	"runtime"
	"slices"
	"strings"

	"vitals/server/web"
)

// reserved are the published keys (production guide, lines 93 to 105) and slog's own, which a caller's attribute
// may not take: it is renamed with a trailing underscore. request_id and user_id
// may be given, for records made outside a request's context.
var reserved = []string{
	"timestamp", "level", "logger", "message", "module", "function", "line",
	slog.TimeKey, slog.MessageKey, slog.SourceKey,
}

// jsonHandler writes records in the published order of keys, then the caller's.
// slog's own JSON handler does the encoding, and with it the escaping that keeps
// one record on one line (ASVS 16.4.1).
type jsonHandler struct {
	out    slog.Handler // empties time, level and message: they come as attributes
	level  slog.Level
	name   string // value of LoggerKey
	attrs  []slog.Attr
	groups []string // open groups, outermost first
}

func newJSONHandler(w io.Writer, level slog.Level) *jsonHandler {
	return &jsonHandler{
		level: level, name: "app",
		out: slog.NewJSONHandler(w, &slog.HandlerOptions{
			Level: slog.LevelDebug - 4, // this handler decides
			ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if len(groups) == 0 && (a.Key == slog.LevelKey && a.Value.Kind() == slog.KindAny || a.Key == slog.MessageKey) {
					return slog.Attr{}
				}
				return a
			},
		}),
	}
}

func (h *jsonHandler) Enabled(_ context.Context, l slog.Level) bool {
	if h.name == SecurityLogger {
		return l >= min(h.level, slog.LevelInfo)
	}
	return l >= h.level
}

func (h *jsonHandler) Handle(ctx context.Context, r slog.Record) error {
	module, function, line := source(r.PC)
	own := h.attrs
	r.Attrs(func(a slog.Attr) bool {
		own = put(own, h.groups, a)
		return true
	})
	requestID, own := take(own, "request_id", slog.StringValue(web.RequestID(ctx)))
	userID, own := take(own, "user_id", userOf(ctx))

	out := slog.Record{} // no time: it is the first attribute
	out.AddAttrs(
		slog.String("timestamp", r.Time.UTC().Format(TimeLayout)),
		slog.String("level", LevelName(r.Level)),
		slog.String("logger", h.name),
		slog.String("message", r.Message),
		slog.Attr{Key: "request_id", Value: requestID},
		slog.String("module", module),
		slog.String("function", function),
		slog.Int("line", line),
		slog.Attr{Key: "user_id", Value: userID},
	)
	out.AddAttrs(own...)
	return h.out.Handle(ctx, out)
}

func (h *jsonHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		if a.Key == LoggerKey && len(h.groups) == 0 {
			next.name = a.Value.String()
			continue
		}
		next.attrs = put(next.attrs, h.groups, a)
	}
	next.attrs = slices.Clip(next.attrs) // records append to it
	return &next
}

func (h *jsonHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.groups = append(slices.Clip(h.groups), name)
	return &next
}

// put adds a under its open groups as one flat key ("pool.size"); a later value
// replaces an earlier one, so that no line has a key twice.
func put(attrs []slog.Attr, groups []string, a slog.Attr) []slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			groups = append(slices.Clip(groups), a.Key)
		}
		for _, member := range a.Value.Group() {
			attrs = put(attrs, groups, member)
		}
		return attrs
	}
	if a.Key == "" {
		return attrs
	}
	if err, ok := a.Value.Any().(error); ok && err != nil {
		// Somebody else's words: a relay quotes the address, a driver the query.
		a.Value = slog.StringValue(Scrub(err.Error()))
	}
	if len(groups) > 0 {
		a.Key = strings.Join(groups, ".") + "." + a.Key
	}
	if slices.Contains(reserved, a.Key) {
		a.Key += "_"
	}
	if i := slices.IndexFunc(attrs, func(b slog.Attr) bool { return b.Key == a.Key }); i >= 0 {
		attrs = slices.Clone(attrs)
		attrs[i] = a
		return attrs
	}
	return append(attrs, a)
}

// take removes the caller's own value for key; without one it is fallback.
func take(attrs []slog.Attr, key string, fallback slog.Value) (slog.Value, []slog.Attr) {
	i := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == key })
	if i < 0 {
		return fallback, attrs
	}
	return attrs[i].Value, slices.Delete(slices.Clone(attrs), i, i+1)
}

// userOf is the signed-in user's number, or null.
func userOf(ctx context.Context) slog.Value {
	if p, ok := web.PrincipalFrom(ctx); ok {
		return slog.Int64Value(p.UserID)
	}
	return slog.AnyValue(nil)
}

// source says where the record was made: the file without .go, the function
// without its package, the line.
func source(pc uintptr) (module, function string, line int) {
	if pc == 0 {
		return "", "", 0
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	function = f.Function[strings.LastIndexByte(f.Function, '/')+1:]
	if _, after, ok := strings.Cut(function, "."); ok {
		function = after
	}
	return strings.TrimSuffix(path.Base(f.File), ".go"), function, f.Line
}
