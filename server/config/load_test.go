package config

import (
	"bufio"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the .want files")

// box is a fixed machine, so that automatic numbers do not depend on this one.
var box = Machine{CPUs: 4, Memory: 1 << 30}

const (
	goodKey  = "mX3v9QpLr7TzKfWb2NcYhD8sJgA5uEe1"
	otherKey = "Zt6uH1kPqBv4RxMn8LwCy0SdGf3Ja9Oe"
)

// production is the smallest environment that production accepts.
func production(with ...string) map[string]string {
	return environment(map[string]string{
		"ENV":                     "production",
		"SECRET_KEY":              goodKey,
		"DATABASE_URL":            "postgres://clinic:t4Kd9sWq@db.internal:5432/clinic?sslmode=verify-full",
		"PRODUCTION_CORS_ORIGINS": "https://app.clinic.test,https://clinic.test",
		"FRONTEND_URL":            "https://app.clinic.test",
	}, with...)
}

// environment adds NAME=value pairs; NAME alone removes.
func environment(env map[string]string, with ...string) map[string]string {
	env = maps.Clone(env)
	if env == nil {
		env = map[string]string{}
	}
	for _, pair := range with {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		} else {
			delete(env, pair)
		}
	}
	return env
}

// violated lists the variables that env breaks rules of.
func violated(t *testing.T, env map[string]string) []string {
	t.Helper()
	c, _, err := LoadOn(box, env)
	var errs Errors
	if !errors.As(err, &errs) {
		if err != nil || c == nil {
			t.Fatalf("got %v, %v, want a config or Errors", c, err)
		}
		return nil
	}
	if c != nil {
		t.Errorf("got a config with an error")
	}
	if errs.ExitCode() != 78 {
		t.Errorf("got exit code %d, want 78", errs.ExitCode())
	}
	var names []string
	for _, v := range errs {
		names = append(names, v.Variable)
	}
	return slices.Compact(names)
}

func mustLoad(t *testing.T, env map[string]string) *Config {
	t.Helper()
	c, _, err := LoadOn(box, env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t, nil)
	if !c.Core.EphemeralKey || len(c.Core.SecretKey) < 32 {
		t.Errorf("got key %v, ephemeral %v, want one made up", c.Core.SecretKey, c.Core.EphemeralKey)
	}
	c.Core.SecretKey, c.Core.EphemeralKey, c.sources = "", false, nil
	localhost := []string{"http://localhost:5173", "http://127.0.0.1:5173", "http://localhost:8080", "http://127.0.0.1:8080"}
	want := &Config{
		Core:     Core{Env: Development, Host: "127.0.0.1", Port: 8000, AdminAddr: "127.0.0.1:9090", Replicas: 1, FrontendURL: "http://localhost:5173"},
		Database: Database{URL: "sqlite:vitals.db", Engine: SQLite, Path: "vitals.db", StatementTimeout: 10 * time.Second, ConnectTimeout: 5 * time.Second},
		Pool:     Pool{Size: 5, MaxOverflow: 10, Timeout: 30 * time.Second, Recycle: time.Hour, PrePing: PingIdle},
		CORS:     CORS{Origins: localhost, Backend: localhost, Credentials: true, MaxAge: 10 * time.Minute},
		Limits: Limits{
			Enabled: true, Login: Quota{5, 300 * time.Second}, TwoFactor: Quota{10, 300 * time.Second}, PasswordReset: Quota{3, time.Hour},
			PasswordChange: Quota{5, time.Hour}, API: Quota{100, time.Hour}, Lockout: 900 * time.Second, APIKey: "user", IPv6Prefix: 64, Headers: "both",
			RedisTimeout: 200 * time.Millisecond, RedisFailure: "local", SlotWait: 3 * time.Second,
		},
		Throttle: Throttle{Failures: 20, Window: 24 * time.Hour},
		Proxy:    Proxy{Header: "X-Forwarded-For"},
		Workers:  Workers{Count: 1, CPUs: 4, Timeout: 120 * time.Second},
		HTTP: HTTP{
			RequestTimeout: time.Minute, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 75 * time.Second,
			MaxHeaderBytes: 16 << 10, MaxBodyBytes: 64 << 10, MaxConns: 10_000, MaxConnsPerAddress: 2_500, MaxInFlight: 256,
		},
		Shutdown:  Shutdown{DrainDelay: 5 * time.Second, Timeout: 20 * time.Second},
		Tokens:    Tokens{Access: 900 * time.Second, Refresh: 604800 * time.Second, Challenge: 300 * time.Second, Reset: 900 * time.Second},
		Passwords: Passwords{MinLength: 12},
		Hash:      Hash{MemoryKiB: 19456, Time: 2, Parallelism: 1, Concurrency: 3, Queue: 64, QueueTimeout: 3 * time.Second},
		Accounts:  Accounts{TwoFactorRequiredRoles: []string{"admin"}},
		Mail:      Mail{Sink: "none"},
		Sentry:    Sentry{SampleRate: 1, TracesSampleRate: 0.1, Environment: "development"},
		Log:       Log{Level: "INFO", Format: "console"},
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestProductionAccepted(t *testing.T) {
	c := mustLoad(t, production())
	if c.Core.Host != "0.0.0.0" || c.Log.Format != "json" || c.Sentry.Environment != "production" {
		t.Errorf("got host %s, log %s, sentry %s", c.Core.Host, c.Log.Format, c.Sentry.Environment)
	}
	if diff := cmp.Diff([]string{"https://app.clinic.test", "https://clinic.test"}, c.CORS.Origins); diff != "" {
		t.Errorf("production origins include others, want -, got +:\n%s", diff)
	}
	if got := c.Deviations(); got != nil {
		t.Errorf("got deviations %v, want none", got)
	}
}

func TestSpellings(t *testing.T) {
	for name, check := range map[string]func(*Config) bool{
		"ENVIRONMENT=test":                func(c *Config) bool { return c.Core.Env == Test },
		"CORS_ORIGINS=https://a.b":        func(c *Config) bool { return c.CORS.Production[0] == "https://a.b" },
		"RATE_LIMIT_LOCKOUT_DURATION=15m": func(c *Config) bool { return c.Limits.Lockout == 900*time.Second },
		"RATE_LIMIT_REDIS_TIMEOUT=50":     func(c *Config) bool { return c.Limits.RedisTimeout == 50*time.Millisecond },
		"DB_POOL_RECYCLE=-1":              func(c *Config) bool { return c.Pool.Recycle < 0 },
		"DB_POOL_PRE_PING=True":           func(c *Config) bool { return c.Pool.PrePing == PingAlways },
		"CORS_DISABLE=On":                 func(c *Config) bool { return c.CORS.Disable },
		"LOG_LEVEL=warning":               func(c *Config) bool { return c.Log.Level == "WARNING" },
		"TRUSTED_PROXY_HEADER=x-real-ip":  func(c *Config) bool { return c.Proxy.Header == "X-Real-IP" },
		"TWO_FACTOR_REQUIRED_ROLES=":      func(c *Config) bool { return len(c.Accounts.TwoFactorRequiredRoles) == 0 },
		"TRUSTED_PROXIES=10.1.2.3/8, ::1": func(c *Config) bool {
			return len(c.Proxy.Trusted) == 2 && c.Proxy.Trusted[0].String() == "10.0.0.0/8" && c.Proxy.Trusted[1].String() == "::1/128"
		},
		"CORS_ALLOW_ALL=true":                            func(c *Config) bool { return c.CORS.AllowAll && !c.CORS.Credentials },
		"DATABASE_URL=sqlite:////var/x.db":               func(c *Config) bool { return c.Database.Path == "/var/x.db" },
		"DATABASE_URL=sqlite:///x.db":                    func(c *Config) bool { return c.Database.Path == "x.db" },
		"DATABASE_URL=sqlite+aiosqlite:///x.db":          func(c *Config) bool { return c.Database.URL == "sqlite:///x.db" },
		"DATABASE_URL=postgresql+asyncpg://u@h/d":        func(c *Config) bool { return c.Database.URL == "postgresql://u@h/d" },
		"DATABASE_URL=postgres://u@/d?host=/run/pg":      func(c *Config) bool { return c.Database.Engine == Postgres },
		"MAX_IN_FLIGHT=12":                               func(c *Config) bool { return c.HTTP.MaxInFlight == 12 },
		"SENTRY_SAMPLE_RATE=0":                           func(c *Config) bool { return c.Sentry.SampleRate == 0 },
		"BACKEND_CORS_ORIGINS=":                          func(c *Config) bool { return len(c.CORS.Origins) == 0 },
		"FRONTEND_URL=https://[2001:db8::7]:8443":        func(c *Config) bool { return c.Core.FrontendURL == "https://[2001:db8::7]:8443" },
		"REDIS_URL=unix:///run/redis.sock":               func(c *Config) bool { return c.Redis.URL.IsSet() },
		"MAIL_SINK=dir:/var/mail":                        func(c *Config) bool { return c.Mail.Sink == "dir:/var/mail" },
		"PRODUCTION_CORS_ORIGINS=https://a.b, https://c": func(c *Config) bool { return len(c.CORS.Production) == 2 },
	} {
		t.Run(name, func(t *testing.T) {
			if c := mustLoad(t, environment(nil, name)); !check(c) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// TestBad walks testdata/bad: NAME.env is refused with the text of NAME.want.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.env")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".env"), func(t *testing.T) {
			_, warnings, err := LoadOn(box, readEnv(t, file))
			if err == nil {
				t.Fatal("got no error")
			}
			got := err.Error() + "\n"
			for _, w := range warnings {
				got += "warning: " + w + "\n"
			}
			wantFile := strings.TrimSuffix(file, ".env") + ".want"
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func readEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	env := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	return env
}
