package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/server/telemetry"
	"vitals/server/web"
)

// one logs through a fresh JSON logger and gives the keys in order and the
// decoded line; it fails unless exactly one line came out.
func one(t testing.TB, log func(*slog.Logger)) (keys []string, line map[string]any) {
	t.Helper()
	var out bytes.Buffer
	log(slog.New(telemetry.NewHandler(&out, telemetry.LogOptions{Level: slog.LevelDebug})))
	text := out.String()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Fatalf("got %q, want one line", text)
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("line %q does not parse: %v", text, err)
	}
	dec := json.NewDecoder(&out)
	_, _ = dec.Token() // {
	for dec.More() {
		key, _ := dec.Token()
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys, line
}

func TestJSONLineHasThePublishedShape(t *testing.T) {
	ctx := web.WithRequestID(t.Context(), "probe-0123456789ab")
	ctx = web.WithPrincipal(ctx, web.Principal{UserID: 123})
	keys, line := one(t, func(l *slog.Logger) {
		telemetry.Named(l, "clinic.main").InfoContext(ctx, "User logged in", "method", "POST")
	})
	want := []string{"timestamp", "level", "logger", "message", "request_id", "module", "function", "line", "user_id", "method"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for key, want := range map[string]any{
		"level": "INFO", "logger": "clinic.main", "message": "User logged in",
		"request_id": "probe-0123456789ab", "module": "log_test", "user_id": 123.0,
	} {
		if line[key] != want {
			t.Errorf("%s: got %v, want %v", key, line[key], want)
		}
	}
	if ts := line["timestamp"].(string); len(ts) != len("2024-12-10T12:00:00.000000Z") || ts[19] != '.' || ts[26] != 'Z' {
		t.Errorf("timestamp: got %q, want six decimals and Z", ts)
	}
}

func TestJSONKeysAreUnique(t *testing.T) {
	keys, line := one(t, func(l *slog.Logger) {
		l.With("a", 1, "message", "mine").WithGroup("g").With("b", 1).Warn("m", "b", 2, "level", "x", slog.Group("h", "c", 3))
	})
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[k] {
			t.Errorf("key %q twice in %v", k, keys)
		}
		seen[k] = true
	}
	for key, want := range map[string]any{"message": "m", "message_": "mine", "level": "WARNING", "g.b": 2.0, "g.level": "x", "g.h.c": 3.0} {
		if line[key] != want {
			t.Errorf("%s: got %v, want %v", key, line[key], want)
		}
	}
}

func TestErrorsAreScrubbed(t *testing.T) {
	_, line := one(t, func(l *slog.Logger) {
		l.Warn("mail not sent", "error", errors.New("550 <anna@clinic.test>: unknown"), "none", error(nil))
	})
	if line["error"] != "550 <[scrubbed]>: unknown" {
		t.Errorf("got %q, want the address taken out", line["error"])
	}
}

func TestLevelNames(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug - 4: "DEBUG", slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelInfo + 1: "INFO",
		slog.LevelWarn: "WARNING", slog.LevelError: "ERROR", telemetry.LevelCritical: "CRITICAL", 99: "CRITICAL",
	} {
		if got := telemetry.LevelName(level); got != want {
			t.Errorf("level %d: got %s, want %s", level, got, want)
		}
	}
	if _, err := telemetry.ParseLevel("WARN"); err == nil {
		t.Error("WARN: got no error, want one: the word is WARNING")
	}
}

func TestSecurityEventsPassTheLevel(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(telemetry.NewHandler(&out, telemetry.LogOptions{Level: slog.LevelError}))
	l.Info("silent")
	telemetry.Named(l, telemetry.SecurityLogger).Info("login_failed")
	if got := out.String(); strings.Contains(got, "silent") || !strings.Contains(got, "login_failed") {
		t.Errorf("got %q, want the security event alone", got)
	}
}

func TestConsoleLine(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(telemetry.NewHandler(&out, telemetry.LogOptions{Console: true, NoColor: true}))
	ctx := web.WithRequestID(t.Context(), "probe-0123456789ab")
	telemetry.Named(l, "app.x").With("a", 1).WithGroup("g").Log(ctx, telemetry.LevelCritical, "one\ntwo")
	l.Debug("silent")
	got := out.String()
	if strings.Count(got, "\n") != 1 {
		t.Errorf("got %q, want one line", got)
	}
	for _, want := range []string{"CRT", "logger=app.x", "a=1", "request_id=probe-0123456789ab"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

func TestScrub(t *testing.T) {
	cases := map[string]struct{ in, without, with string }{
		"email":      {"no user anna.b+x@clinic.test here", "anna", "no user"},
		"bearer":     {"header Bearer abc.def.ghi refused", "abc.def", "refused"},
		"password":   {`{"password":"hunter2 \" x","a":1}`, "hunter2", `"a":1`},
		"equals":     {"dial user=app password=hunter2 host=db", "hunter2", "host=db"},
		"jwt":        {"bad eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln token", "eyJ", "bad"},
		"dsn":        {"open postgres://app:hunter2@db:5432/clinic?sslmode=off", "hunter2", "postgres://db:5432/clinic"},
		"query":      {"GET /api/v1/patients?name=anna failed", "anna", "failed"},
		"opaque":     {"hit 4f9cQ2mU7yXwT1zR8kLpN5vB3hJ6dG0sAaEeIiOo again", "4f9c", "again"},
		"plain word": {"connection refused after 3 tries", "@", "connection refused after 3 tries"},
	}
	for name, c := range cases {
		got := telemetry.Scrub(c.in)
		if strings.Contains(got, c.without) || !strings.Contains(got, c.with) {
			t.Errorf("%s: got %q, want without %q and with %q", name, got, c.without, c.with)
		}
	}
}

func FuzzJSONLine(f *testing.F) {
	f.Add("hello", "key", "value")
	f.Add("a\n {\"level\":\"INFO\"}", "message", "\x00\xff\u2028")
	f.Add("", "", "\r\n")
	f.Fuzz(func(t *testing.T, message, key, value string) {
		ctx := web.WithRequestID(context.Background(), value)
		_, line := one(t, func(l *slog.Logger) {
			l.With(key, value).WithGroup(key).ErrorContext(ctx, message, key, value, "error", errors.New(value))
		})
		if _, ok := line["timestamp"].(string); !ok {
			t.Errorf("got no timestamp in %v", line)
		}
	})
}
