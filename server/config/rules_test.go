package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRules breaks one rule per line, on top of an accepted environment.
func TestRules(t *testing.T) {
	long := "https://" + strings.Repeat("a", 64) + ".b"
	tests := []struct {
		env  map[string]string
		want string // the one variable refused; "" = accepted
	}{
		{production("ENV=prod"), "ENV"},
		{production("ENV=Production"), "ENV"},
		{production("ENV="), "ENV"},
		{production("ENVIRONMENT=staging"), "ENV"},
		{production("ENVIRONMENT=production"), ""},
		{production("HOST=http://x"), "HOST"},
		{production("PORT=0"), "PORT"},
		{environment(nil, "PORT=0"), ""},
		{production("PORT=65536"), "PORT"},
		{production("PORT= 80"), "PORT"},
		{production("PORT=80\n"), "PORT"},
		{production("ADMIN_ADDR=:9090"), "ADMIN_ADDR"},
		{production("ADMIN_ADDR=0.0.0.0:8000"), "ADMIN_ADDR"},
		{production("ADMIN_ADDR=9090"), "ADMIN_ADDR"},
		{production("SECRET_KEY"), "SECRET_KEY"},
		{production("SECRET_KEY=" + goodKey[:31]), "SECRET_KEY"},
		{production("SECRET_KEY=" + strings.Repeat("abcdefghijk", 4)), "SECRET_KEY"},
		{production("SECRET_KEY=" + strings.Repeat("abcdefghijkl", 4)), ""},
		{production("SECRET_KEY_PREVIOUS=" + otherKey), ""},
		{production("SECRET_KEY_PREVIOUS=" + goodKey), "SECRET_KEY_PREVIOUS"},
		{production("SECRET_KEY_PREVIOUS=" + sampleKeys[0]), "SECRET_KEY_PREVIOUS"},
		{environment(nil, "ENV=staging", "DATABASE_URL=sqlite:x"), "SECRET_KEY"},
		{environment(nil, "WORKERS=2"), "SECRET_KEY"},
		{environment(nil, "ENV=staging", "SECRET_KEY="+goodKey), "DATABASE_URL"},
		{production("DATABASE_URL"), "DATABASE_URL"},
		{production("DATABASE_URL=sqlite:///x.db"), "DATABASE_URL"},
		{production("DATABASE_URL=mysql://u@h/d"), "DATABASE_URL"},
		{production("DATABASE_URL=host=h user=u"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u:p%zz@h/d"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h?sslmode=require"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres:///d?sslmode=require"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d?sslmode=require&pool_max_conns=9"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d?sslmode=require&ssl=true"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d?sslmode=required"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d?sslmode=prefer"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u@h/d", "DB_ALLOW_PLAINTEXT=true"), ""},
		{production("DATABASE_URL=postgres://u@127.0.0.1/d"), ""},
		{production("DATABASE_URL=postgres://u@[::1]/d"), ""},
		{production("DATABASE_URL=postgres://u@/d?host=/run/postgresql"), ""},
		{production("DATABASE_URL=postgres://u@127.0.0.1/d?host=db.internal"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u:u@127.0.0.1/d"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u:PostGres@127.0.0.1/d"), "DATABASE_URL"},
		{production("DATABASE_URL=postgres://u:t4Kd9@127.0.0.1/d?password=password"), "DATABASE_URL"},
		{production("DATABASE_URL=postgresql://clinic:strongpassword@db.example.com:5432/clinic_prod?sslmode=require"), "DATABASE_URL"},
		{environment(nil, "DATABASE_URL=sqlite::memory:"), "DATABASE_URL"},
		{environment(nil, "DATABASE_URL=sqlite://"), "DATABASE_URL"},
		{environment(nil, "DATABASE_URL=sqlite:x?mode=memory"), "DATABASE_URL"},
		{production("REDIS_URL=http://h"), "REDIS_URL"},
		{production("REDIS_URL=redis://h/x"), "REDIS_URL"},
		{production("REDIS_URL=redis://:change-me@h/0"), "REDIS_URL"},
		{environment(nil, "REDIS_URL=redis://:change-me@h/0"), ""},
		{production("WORKERS=2"), "REDIS_URL"},
		{production("REPLICAS=2"), "REDIS_URL"},
		{production("REPLICAS=2", "REDIS_URL=rediss://h:6380/0"), ""},
		{production("FRONTEND_URL=http://clinic.test"), "FRONTEND_URL"},
		{production("FRONTEND_URL=https://clinic.example.com"), "FRONTEND_URL"},
		{production("FRONTEND_URL=https://clinic.test/"), "FRONTEND_URL"},
		{production("FRONTEND_URL"), "FRONTEND_URL"},
		{production("CORS_DISABLE=maybe"), "CORS_DISABLE"},
		{production("CORS_ALLOW_ALL=true"), "CORS_ALLOW_ALL"},
		{environment(nil, "CORS_ALLOW_ALL=true", "CORS_ALLOW_CREDENTIALS=true"), "CORS_ALLOW_CREDENTIALS"},
		{production("PRODUCTION_CORS_ORIGINS"), "PRODUCTION_CORS_ORIGINS"},
		{production("PRODUCTION_CORS_ORIGINS="), "PRODUCTION_CORS_ORIGINS"},
		{production("PRODUCTION_CORS_ORIGINS", "CORS_DISABLE=true"), ""},
		{production("CORS_ORIGINS=https://b.test"), "PRODUCTION_CORS_ORIGINS"},
		{production("CORS_MAX_AGE=7201"), "CORS_MAX_AGE"},
		{production("RATE_LIMIT_ENABLED=false"), "RATE_LIMIT_ENABLED"},
		{environment(nil, "RATE_LIMIT_ENABLED=false"), ""},
		{production("RATE_LIMIT_LOGIN=5/minute"), "RATE_LIMIT_LOGIN"},
		{production("RATE_LIMIT_LOGIN=0"), "RATE_LIMIT_LOGIN"},
		{production("RATE_LIMIT_LOGIN=21"), "RATE_LIMIT_LOGIN"},
		{environment(nil, "RATE_LIMIT_LOGIN=21"), ""},
		{production("RATE_LIMIT_2FA=21"), "RATE_LIMIT_2FA"},
		{production("RATE_LIMIT_API=1000000"), ""},
		{production("RATE_LIMIT_API_WINDOW=59"), "RATE_LIMIT_API_WINDOW"},
		{production("RATE_LIMIT_API_WINDOW=86401"), "RATE_LIMIT_API_WINDOW"},
		{production("RATE_LIMIT_LOCKOUT_DURATION=299", "RATE_LIMIT_LOGIN_WINDOW=60", "RATE_LIMIT_2FA_WINDOW=60"), "RATE_LIMIT_LOCKOUT_DURATION"},
		{environment(nil, "RATE_LIMIT_LOCKOUT_DURATION=299"), "RATE_LIMIT_LOCKOUT_DURATION"},
		{environment(nil, "RATE_LIMIT_LOCKOUT_DURATION=5", "ENV=test"), ""},
		{production("RATE_LIMIT_API_KEY=session"), "RATE_LIMIT_API_KEY"},
		{production("RATE_LIMIT_IPV6_PREFIX=47"), "RATE_LIMIT_IPV6_PREFIX"},
		{production("RATE_LIMIT_HEADERS=none"), "RATE_LIMIT_HEADERS"},
		{production("RATE_LIMIT_REDIS_TIMEOUT=2001"), "RATE_LIMIT_REDIS_TIMEOUT"},
		{production("RATE_LIMIT_REDIS_FAILURE=open"), "RATE_LIMIT_REDIS_FAILURE"},
		{environment(nil, "RATE_LIMIT_REDIS_FAILURE=open"), ""},
		{production("LOGIN_SLOT_WAIT=5001"), "LOGIN_SLOT_WAIT"},
		{production("ACCOUNT_THROTTLE_FAILURES=101"), "ACCOUNT_THROTTLE_FAILURES"},
		{production("ACCOUNT_THROTTLE_FAILURES=0"), ""},
		{production("TRUSTED_PROXIES=10.0.0.0/8,0.0.0.0/0"), "TRUSTED_PROXIES"},
		{production("TRUSTED_PROXIES=proxy.internal"), "TRUSTED_PROXIES"},
		{production("TRUSTED_PROXIES=::ffff:10.0.0.1"), "TRUSTED_PROXIES"},
		{production("TRUSTED_PROXY_HEADER=True-Client-IP"), "TRUSTED_PROXY_HEADER"},
		{production("DB_POOL_SIZE=0"), "DB_POOL_SIZE"},
		{production("DB_MAX_OVERFLOW=-1"), "DB_MAX_OVERFLOW"},
		{production("DB_POOL_TIMEOUT=60"), "DB_POOL_TIMEOUT"},
		{production("DB_POOL_TIMEOUT=121"), "DB_POOL_TIMEOUT"},
		{production("DB_POOL_RECYCLE=0"), "DB_POOL_RECYCLE"},
		{production("DB_POOL_RECYCLE=59"), "DB_POOL_RECYCLE"},
		{production("DB_POOL_RECYCLE=-2"), "DB_POOL_RECYCLE"},
		{production("DB_POOL_PRE_PING=sometimes"), "DB_POOL_PRE_PING"},
		{production("WORKERS=0"), "WORKERS"},
		{production("WORKERS=257"), "WORKERS"},
		{production("WORKER_TIMEOUT=60"), "WORKER_TIMEOUT"},
		{production("REQUEST_TIMEOUT=0"), "REQUEST_TIMEOUT"},
		{production("REQUEST_TIMEOUT=-5s"), "REQUEST_TIMEOUT"},
		{production("REQUEST_TIMEOUT=9223372036854775807"), "REQUEST_TIMEOUT"},
		{production("SHUTDOWN_DRAIN_DELAY=10"), "SHUTDOWN_TIMEOUT"},
		{production("ACCESS_TOKEN_TTL=3601"), "ACCESS_TOKEN_TTL"},
		{production("PASSWORD_RESET_TTL=3601"), "PASSWORD_RESET_TTL"},
		{production("REFRESH_TOKEN_TTL=900"), "REFRESH_TOKEN_TTL"},
		{production("PASSWORD_MIN_LENGTH=7"), "PASSWORD_MIN_LENGTH"},
		{production("ARGON2_MEMORY_KIB=19455"), "ARGON2_MEMORY_KIB"},
		{production("ARGON2_MEMORY_KIB=12288", "ARGON2_TIME=3"), ""},
		{production("ARGON2_TIME=1"), "ARGON2_MEMORY_KIB"},
		{environment(nil, "ARGON2_MEMORY_KIB=1024"), ""},
		{production("HASH_CONCURRENCY=28"), "HASH_CONCURRENCY"},
		{production("HASH_CONCURRENCY=26"), ""},
		{production("TWO_FACTOR_REQUIRED_ROLES=admin,root"), "TWO_FACTOR_REQUIRED_ROLES"},
		{production("MAIL_SINK=log"), "MAIL_SINK"},
		{production("MAIL_SINK=dir:/tmp"), "MAIL_SINK"},
		{production("MAIL_SINK=sendmail"), "MAIL_SINK"},
		{production("MAIL_SINK=smtps://u:p@mail.clinic.test:465"), ""},
		{production("SENTRY_DSN=https://key@sentry.io/project-id"), "SENTRY_DSN"},
		{production("SENTRY_DSN=https://abc123@sentry.io/12345"), "SENTRY_DSN"},
		{production("SENTRY_DSN=https://9f3c@errors.clinic.test/7"), ""},
		{production("SENTRY_SAMPLE_RATE=1.01"), "SENTRY_SAMPLE_RATE"},
		{production("SENTRY_SAMPLE_RATE=NaN"), "SENTRY_SAMPLE_RATE"},
		{production("LOG_LEVEL=TRACE"), "LOG_LEVEL"},
		{production("LOG_FORMAT=text"), "LOG_FORMAT"},
		{production("RATE_LIMIT_LOGNI=5"), "RATE_LIMIT_LOGNI"},
		{environment(nil, "RATE_LIMIT_LOGNI=5"), ""},
		{production("DB_POOL_OVERFLOW=5"), "DB_POOL_OVERFLOW"},
		{production("RATE_LIMIT_LOGIN_FILE=/x"), "RATE_LIMIT_LOGIN_FILE"},
		{production("SENTRY_SEND_TEST=1"), ""},
		{production("PATH=/bin", "DEBUG=1", "POSTGRES_DB=x"), ""},
	}
	for _, o := range []string{
		"*", "null", "http://clinic.test", "https://clinic.test/", "https://app.example.com", "https://localhost", "https://127.0.0.1", "https://CLINIC.test",
		"https://clinic.test:443", "https://u@clinic.test", "https://clinic.test?x", "https://clinic.test#x", "https://*.clinic.test", "https://clinic.test.",
		"https://yourdomain.com", "https://www.yourdomain.com", "clinic.test", "https://", "https://clinic.test:", "https://clinic.test:0443", "ftp://clinic.test", long,
		"https://clinic.test,https://clinic.test", "https://clinic.test,",
	} {
		tests = append(tests, struct {
			env  map[string]string
			want string
		}{production("PRODUCTION_CORS_ORIGINS=" + o), "PRODUCTION_CORS_ORIGINS"})
	}
	for _, tt := range tests {
		t.Run(name(tt.env), func(t *testing.T) {
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if diff := cmp.Diff(want, violated(t, tt.env)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// Every origin is told with all that is wrong of it, by its place.
func TestEveryOriginIsTold(t *testing.T) {
	_, _, err := LoadOn(box, production("PRODUCTION_CORS_ORIGINS=http://a.test,https://localhost,https://app.yourdomain.com,http://localhost"))
	for _, want := range []string{
		"origin 1 of 4 must be https", "origin 2 of 4 must not be localhost", "origin 3 of 4 is a placeholder domain", "origin 4 of 4 must be https", "origin 4 of 4 must not be localhost",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// So is every entry that is no origin.
func TestEveryEntryIsTold(t *testing.T) {
	_, _, err := LoadOn(box, production("PRODUCTION_CORS_ORIGINS=https://a.test,https://b.test/x,*,https://a.test"))
	for _, want := range []string{"entry 2 must be", "entry 3 must be", "entry 4 is named twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// name is what env changes against production's.
func name(env map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		if v, ok := production()[k]; !ok || v != env[k] {
			parts = append(parts, k+"="+env[k])
		}
	}
	return strings.Join(parts, " ")
}

// CF1: the key's rules: a length rule alone is met by the guide's
// own sample, and an unknown ENV must not become development.
func TestKeysAndUnknownEnv(t *testing.T) {
	for what, key := range map[string]string{
		"missing":        "",
		"31 characters":  goodKey[:31],
		"short sample":   "your-32-char-or-longer-secret-key",
		"long sample":    "6HK2DZj8qL4xPRvYnM9aS7cWfT3gJbE0uNhXiYlOpQw",
		"S2 origin":      "your-super-secret-jwt-key-change-this-in-production-min-32-chars",
		"fastapi manual": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
	} {
		_, _, err := LoadOn(box, production("SECRET_KEY="+key))
		if err == nil {
			t.Errorf("%s: got accepted", what)
		} else if key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error repeats the key: %v", what, err)
		}
	}
	if c := mustLoad(t, production()); c.Core.SecretKey.Reveal() != goodKey {
		t.Errorf("got %v, want the key given", c.Core.SecretKey)
	}
	got := violated(t, map[string]string{"ENV": "produktion"})
	for _, want := range []string{"ENV", "SECRET_KEY", "DATABASE_URL", "PRODUCTION_CORS_ORIGINS"} {
		if !slices.Contains(got, want) {
			t.Errorf("unknown ENV: got %v, want %s too: production's rules hold until it is known", got, want)
		}
	}
}

// CF2: every refusal in one message.
func TestAllErrorsAtOnce(t *testing.T) {
	got := violated(t, production("CORS_ALLOW_ALL=true", "RATE_LIMIT_ENABLED=false", "DATABASE_URL=sqlite:x", "ENVIRONMENT=test", "RATE_LIMIT_LOGNI=9", "PORT=x"))
	want := []string{"ENV", "PORT", "DATABASE_URL", "CORS_ALLOW_ALL", "RATE_LIMIT_ENABLED", "RATE_LIMIT_LOGNI"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// Configuration's side: -1 is never, 0 refuses, so neither reaches the
// driver as 0.
// A mistake of one value, or of a part of it, hides none of another.
func TestOneMistakeHidesNoOther(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want []string
	}{
		{production("DATABASE_URL=postgres://clinic:clinic@db.internal/d?pool_max_conns=5&ssl=true", "REDIS_URL=rediss://:secret@h:6379/0"),
			[]string{"DATABASE_URL: must not carry pool_*", "DATABASE_URL: must say sslmode, not ssl", "DATABASE_URL: has a password that equals the user", "DATABASE_URL: must say sslmode=require", "REDIS_URL: has a sample password"}},
		{production("DATABASE_URL=sqlite:x", "REDIS_URL=rediss://:secret@h:6379/0"), []string{"DATABASE_URL: must be Postgres", "REDIS_URL: has a sample password"}},
		{production("DATABASE_URL", "REDIS_URL=rediss://:secret@h:6379/0"), []string{"DATABASE_URL: is required", "REDIS_URL: has a sample password"}},
		{production("PRODUCTION_CORS_ORIGINS=http://a.test,https://localhost:3000,*,https://b.test/"), []string{
			"PRODUCTION_CORS_ORIGINS: entry 3 must be exact origins, lower-case scheme://host[:port], without path, trailing slash, wildcard, null or user; entry 4 must be",
			"PRODUCTION_CORS_ORIGINS: origin 1 of 4 must be https", "PRODUCTION_CORS_ORIGINS: origin 2 of 4 must not be localhost"}},
		{production("DATABASE_URL=mysql://u@h/d", "REPLICAS=2"), []string{"DATABASE_URL: want a URL that begins with", "REDIS_URL: is required with several"}},
	} {
		_, _, err := LoadOn(Machine{}, c.env)
		lines := strings.Split(fmt.Sprint(err), "\n  ")[1:]
		if !slices.EqualFunc(lines, c.want, strings.HasPrefix) {
			t.Errorf("got %q, want lines that begin with %q", lines, c.want)
		}
	}
}

func TestRecycleNever(t *testing.T) {
	if got := mustLoad(t, production("DB_POOL_RECYCLE=-1")).Pool.Recycle; got >= 0 {
		t.Errorf("got %v, want negative", got)
	}
	if got := violated(t, production("DB_POOL_RECYCLE=0")); !slices.Equal(got, []string{"DB_POOL_RECYCLE"}) {
		t.Errorf("got %v, want DB_POOL_RECYCLE refused", got)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		env  map[string]string
		want string // the variable warned of
	}{
		{production("CORS_DISABLE=true"), "CORS_DISABLE"},
		{production(), "REDIS_URL"},
		{production(), "SENTRY_DSN"},
		{production(), "MAIL_SINK"},
		{production("DB_POOL_PRE_PING=off"), "DB_POOL_PRE_PING"},
		{production("DB_ALLOW_PLAINTEXT=yes"), "DB_ALLOW_PLAINTEXT"},
		{production("LOG_LEVEL=DEBUG"), "LOG_LEVEL"},
		{production("LOG_FORMAT=console"), "LOG_FORMAT"},
		{production("TRUSTED_PROXIES=0.0.0.0/7"), "TRUSTED_PROXIES"},
		{production("DATABASE_URL=postgresql+psycopg2://u@127.0.0.1/d"), "DATABASE_URL"},
		{environment(nil), "SECRET_KEY"},
		{environment(nil, "SENTRY_DSN=https://9f3c@errors.clinic.test/7"), "SENTRY_DSN"},
		{environment(nil, "SECRET_KEY="+sampleKeys[0]), "SECRET_KEY"},
		{environment(nil, "RATE_LIMIT_LOGNI=9"), "RATE_LIMIT_LOGNI"},
		{environment(nil, "WORKERS=2", "SECRET_KEY="+goodKey), "REDIS_URL"},
		{environment(nil, "ARGON2_MEMORY_KIB=1024"), "ARGON2_MEMORY_KIB"},
	}
	for _, tt := range tests {
		_, warnings, err := LoadOn(box, tt.env)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, tt.want+": ") }) {
			t.Errorf("%s: got %q, want one about %s", name(tt.env), warnings, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	_, _, err := LoadOn(box, production("RATE_LIMIT_LOGNI=9"))
	if want := "did you mean RATE_LIMIT_LOGIN?"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	for got, want := range map[string]string{"DB_POOLSIZE": "DB_POOL_SIZE", "CORS_ORIGIN": "CORS_ORIGINS", "RATE_LIMIT_ZZZZZZZZZZZZZZ": ""} {
		if n := nearest(got, []string{"DB_POOL_SIZE", "CORS_ORIGINS", "RATE_LIMIT_LOGIN"}); n != want {
			t.Errorf("%s: got %q, want %q", got, n, want)
		}
	}
	if got := fmt.Sprint(edits("", "abc"), edits("kitten", "sitting"), edits("a", "a")); got != "3 3 0" {
		t.Errorf("got %s, want 3 3 0", got)
	}
}
