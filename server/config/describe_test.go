package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// CF5: whatever prints a configuration prints no secret.
func TestNoSecretIsPrinted(t *testing.T) {
	canaries := map[string]string{
		"SECRET_KEY":          "canaryA3v9QpLr7TzKfWb2NcYhD8sJgu",
		"SECRET_KEY_PREVIOUS": "canaryB3v9QpLr7TzKfWb2NcYhD8sJgu",
		"DATABASE_URL":        "postgres://clinic:canaryC@db.internal/clinic?sslmode=require",
		"REDIS_URL":           "redis://:canaryD@redis.internal:6379/0",
		"MAIL_SINK":           "smtps://clinic:canaryE@mail.internal:465",
		"SENTRY_DSN":          "https://canaryF@errors.internal/7",
	}
	env := production()
	for k, v := range canaries {
		env[k] = v
	}
	c := mustLoad(t, env)
	var out bytes.Buffer
	if err := WriteText(&out, c.Describe()); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&out).Encode(c.Describe()); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := xml.NewEncoder(&out).Encode(c.Core); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", c.Core.SecretKey, "all", c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", c.Core.SecretKey, "all", *c)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08.3f"} {
		fmt.Fprintf(&out, verb, c.Core)
		fmt.Fprintf(&out, verb, c.Core.SecretKey)
	}
	if got := out.String(); strings.Contains(strings.ToLower(got), "canary") || strings.Contains(strings.ToLower(got), "63616e617279") {
		t.Errorf("a secret was printed:\n%s", got)
	}
	if !strings.Contains(out.String(), "set(len=32)") {
		t.Errorf("got no redacted form")
	}
}

// What Describe prints, Load reads back: the report of a run is enough to
// repeat it, secrets apart.
func TestDescribeRoundTrip(t *testing.T) {
	first := mustLoad(t, production("WORKERS=auto", "REDIS_URL=redis://h", "DB_POOL_RECYCLE=-1", "RATE_LIMIT_API=777", "LOGIN_SLOT_WAIT=1500us", "TRUSTED_PROXIES=10.0.0.0/8,192.0.2.1"))
	again := production("REDIS_URL=redis://h")
	for _, l := range first.Describe() {
		if !strings.HasPrefix(l.Value, "set(len=") && l.Value != "unset" {
			again[l.Name] = l.Value
		}
	}
	if diff := cmp.Diff(values(first), values(mustLoad(t, again))); diff != "" {
		t.Errorf("first -, again +:\n%s", diff)
	}
}

func values(c *Config) map[string]string {
	m := map[string]string{}
	for _, l := range c.Describe() {
		m[l.Name] = l.Value
	}
	return m
}

func TestDeviations(t *testing.T) {
	c := mustLoad(t, environment(nil, "ENV=test", "RATE_LIMIT_API=200", "RATE_LIMIT_LOCKOUT_DURATION=5s", "RATE_LIMIT_LOGIN_WINDOW=1500ms", "RATE_LIMIT_ENABLED=no", "DB_POOL_SIZE=9"))
	want := []Deviation{
		{"RATE_LIMIT_ENABLED", "true", "false"},
		{"RATE_LIMIT_LOGIN_WINDOW", "300", "1.5s"},
		{"RATE_LIMIT_API", "100", "200"},
		{"RATE_LIMIT_LOCKOUT_DURATION", "900", "5"},
	}
	if diff := cmp.Diff(want, c.Deviations()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// The defaults of the table are the published numbers.
func TestPublishedTable(t *testing.T) {
	want := map[string]string{
		"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_LOGIN": "5", "RATE_LIMIT_LOGIN_WINDOW": "300", "RATE_LIMIT_2FA": "10", "RATE_LIMIT_2FA_WINDOW": "300",
		"RATE_LIMIT_PASSWORD_RESET": "3", "RATE_LIMIT_PASSWORD_RESET_WINDOW": "3600", "RATE_LIMIT_PASSWORD_CHANGE": "5", "RATE_LIMIT_PASSWORD_CHANGE_WINDOW": "3600",
		"RATE_LIMIT_API": "100", "RATE_LIMIT_API_WINDOW": "3600", "RATE_LIMIT_LOCKOUT_DURATION": "900",
	}
	got := map[string]string{}
	for _, v := range variables(&Config{}) {
		if _, ok := want[v.name]; ok {
			got[v.name] = v.def
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if len(publishedTable) != len(want) {
		t.Errorf("got %d variables, want %d", len(publishedTable), len(want))
	}
}

// The table itself: every default passes its own rule, names are unique.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range variables(&Config{}) {
		if seen[v.name] {
			t.Errorf("%s twice", v.name)
		}
		seen[v.name] = true
		if v.def == "" {
			continue
		}
		if err := v.value.Set(v.def); err != nil {
			t.Errorf("%s: default: %v", v.name, err)
		}
	}
	var out bytes.Buffer
	if err := WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(out.String(), "\n"), len(seen)+2; got != want {
		t.Errorf("got %d lines of Markdown, want %d", got, want)
	}
	if err := WriteMarkdown(full{}); err == nil {
		t.Error("got no error from a writer that fails")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }
