package config

import "time"

// A variable is one setting: the table below drives parsing,
// Describe, the spelling check and the table of docs/DEPLOYMENT.md.
type variable struct {
	name   string
	alias  string // a second name; both set and different refuse
	def    string // text of the default; "" when it depends on others, see shown
	shown  string // how documentation words a default that def cannot
	rule   string
	prod   string // the harder rule of production
	blank  bool   // empty text is a value of its own, the same as unset
	secret bool   // may also come as name_FILE
	value  value
}

const (
	second = time.Second
	hour   = time.Hour
	day    = 24 * time.Hour
)

// variables binds the table to c's fields.
func variables(c *Config) []variable {
	seconds := func(p *time.Duration, lo, hi time.Duration) value { return span{p: p, unit: second, min: lo, max: hi} }
	millis := func(p *time.Duration, lo, hi time.Duration) value {
		return span{p: p, unit: time.Millisecond, min: lo, max: hi}
	}
	number := func(p *int, lo, hi int64) value { return integer[int]{p: p, min: lo, max: hi} }
	auto := func(p *int, lo, hi int64) value { return integer[int]{p: p, min: lo, max: hi, auto: true} }
	quota := func(name string, q *Quota, limit, window, prod string) []variable {
		return []variable{
			{name: name, def: limit, rule: "1 to 1000000", prod: prod, value: number(&q.Limit, 1, 1_000_000)},
			{name: name + "_WINDOW", def: window, rule: "seconds, 1 to 86400", prod: "at least 60", value: seconds(&q.Window, second, day)},
		}
	}
	l := &c.Limits
	vars := []variable{
		{
			name: "ENV", alias: "ENVIRONMENT", def: "development", rule: "development, test, staging or production; unknown words refuse",
			value: word[Env]{p: &c.Core.Env, of: []Env{Development, Test, Staging, Production}},
		},
		{name: "HOST", shown: "127.0.0.1 in development and test, else 0.0.0.0", rule: "address or host name to listen on", value: text{&c.Core.Host, host}},
		{name: "PORT", def: "8000", rule: "1 to 65535; 0 takes a free port", prod: "not 0", value: number(&c.Core.Port, 0, 65535)},
		{name: "ADMIN_ADDR", def: "127.0.0.1:9090", rule: "host:port of /metrics and pprof, not PORT", value: text{&c.Core.AdminAddr, listenAddr}},
		{
			name: "SECRET_KEY", secret: true, shown: "made up at each start in development and test",
			rule: "at least 32 bytes with 12 distinct characters; required with several WORKERS or REPLICAS",
			prod: "required; placeholders and published sample keys refuse", value: secret{&c.Core.SecretKey, keyStrength},
		},
		{
			name: "SECRET_KEY_PREVIOUS", secret: true, blank: true, rule: "as SECRET_KEY and not the same; verifies, never signs",
			prod: "placeholders refuse", value: secret{&c.Core.SecretKeyPrevious, keyStrength},
		},
		{
			name: "DATABASE_URL", secret: true, shown: "sqlite:vitals.db in development and test",
			rule: "postgres:// or postgresql:// with host and database, or sqlite:PATH; no pool_* parameters; a +driver suffix is dropped with a warning",
			prod: "required; Postgres only; no sample passwords; sslmode=require or stricter unless loopback, unix socket or DB_ALLOW_PLAINTEXT", value: secret{&c.Database.URL, databaseURL},
		},
		{name: "DB_ALLOW_PLAINTEXT", def: "false", rule: "permits Postgres without TLS on a private network", prod: "warns", value: boolean{&c.Database.AllowPlaintext}},
		{name: "DB_STATEMENT_TIMEOUT", def: "10", rule: "seconds, 1 to 300; enforced by the server", value: seconds(&c.Database.StatementTimeout, second, 300*second)},
		{name: "DB_CONNECT_TIMEOUT", def: "5", rule: "seconds, 1 to 60", value: seconds(&c.Database.ConnectTimeout, second, 60*second)},
		{name: "DB_POOL_SIZE", def: "5", rule: "1 to 500; connections kept, per process", prod: "workers x (size + overflow) within max_connections", value: number(&c.Pool.Size, 1, 500)},
		{name: "DB_MAX_OVERFLOW", def: "10", rule: "0 to 500; connections beyond the size, under load", value: number(&c.Pool.MaxOverflow, 0, 500)},
		{name: "DB_POOL_TIMEOUT", def: "30", rule: "seconds, 1 to 120 and below REQUEST_TIMEOUT; past it 503 pool_timeout", value: seconds(&c.Pool.Timeout, second, 120*second)},
		{name: "DB_POOL_RECYCLE", def: "3600", rule: "seconds, at least 60, or -1 for never; 0 refuses", value: span{p: &c.Pool.Recycle, unit: second, min: 60 * second, max: 365 * day, never: true}},
		{
			name: "DB_POOL_PRE_PING", def: "idle", rule: "idle (after more than 1 s), always (or true), off", prod: "off warns",
			value: word[PrePing]{p: &c.Pool.PrePing, of: []PrePing{PingIdle, PingAlways, PingOff}, same: map[string]PrePing{"true": PingAlways, "false": PingOff}},
		},
		{name: "REDIS_URL", secret: true, blank: true, shown: "in process", rule: "redis://, rediss:// or unix://", prod: "required with several WORKERS or REPLICAS, else warns; no sample passwords", value: secret{&c.Redis.URL, redisURL}},
		{name: "REPLICAS", def: "1", rule: "1 to 1000; API instances behind one address", value: number(&c.Core.Replicas, 1, 1000)},
		{name: "FRONTEND_URL", def: "http://localhost:5173", rule: "absolute origin without path", prod: "https and not a placeholder", value: text{&c.Core.FrontendURL, origin}},
		{name: "CORS_DISABLE", def: "false", rule: "no CORS header at all", prod: "true warns", value: boolean{&c.CORS.Disable}},
		{name: "CORS_ALLOW_ALL", def: "false", rule: "any origin, without credentials", prod: "true refuses", value: boolean{&c.CORS.AllowAll}},
		{
			name: "PRODUCTION_CORS_ORIGINS", alias: "CORS_ORIGINS", blank: true, rule: "exact lower-case scheme://host[:port] between commas",
			prod: "required unless CORS_DISABLE; https; no localhost, no placeholder", value: list{&c.CORS.Production, origin},
		},
		{
			name: "BACKEND_CORS_ORIGINS", blank: true, def: "http://localhost:5173,http://127.0.0.1:5173,http://localhost:8080,http://127.0.0.1:8080",
			rule: "as above, for development and test", prod: "ignored (in staging too)", value: list{&c.CORS.Backend, origin},
		},
		{name: "CORS_ALLOW_CREDENTIALS", def: "true", rule: "excludes CORS_ALLOW_ALL", value: boolean{&c.CORS.Credentials}},
		{name: "CORS_MAX_AGE", def: "600", rule: "seconds, 0 to 7200", value: seconds(&c.CORS.MaxAge, 0, 7200*second)},
		{name: "RATE_LIMIT_ENABLED", def: "true", rule: "", prod: "false refuses", value: boolean{&l.Enabled}},
	}
	vars = append(vars, quota("RATE_LIMIT_LOGIN", &l.Login, "5", "300", "at most 20")...)
	vars = append(vars, quota("RATE_LIMIT_2FA", &l.TwoFactor, "10", "300", "at most 20")...)
	vars = append(vars, quota("RATE_LIMIT_PASSWORD_RESET", &l.PasswordReset, "3", "3600", "")...)
	vars = append(vars, quota("RATE_LIMIT_PASSWORD_CHANGE", &l.PasswordChange, "5", "3600", "")...)
	vars = append(vars, quota("RATE_LIMIT_API", &l.API, "100", "3600", "")...)
	return append(vars, []variable{
		{name: "RATE_LIMIT_LOCKOUT_DURATION", def: "900", rule: "seconds, 1 to 86400; not below the login and 2FA windows except in test", prod: "at least 300", value: seconds(&l.Lockout, second, day)},
		{name: "RATE_LIMIT_API_KEY", def: "user", rule: "user or ip", value: word[string]{p: &l.APIKey, of: []string{"user", "ip"}}},
		{name: "RATE_LIMIT_IPV6_PREFIX", def: "64", rule: "bits, 48 to 128", value: number(&l.IPv6Prefix, 48, 128)},
		{name: "RATE_LIMIT_HEADERS", def: "both", rule: "x, ietf or both; X-RateLimit-* is always sent", value: word[string]{p: &l.Headers, of: []string{"x", "ietf", "both"}}},
		{name: "RATE_LIMIT_REDIS_TIMEOUT", def: "200", rule: "milliseconds, 1 to 2000", value: millis(&l.RedisTimeout, time.Millisecond, 2*second)},
		{name: "RATE_LIMIT_REDIS_FAILURE", def: "local", rule: "local, closed or open", prod: "open refuses", value: word[string]{p: &l.RedisFailure, of: []string{"local", "closed", "open"}}},
		{name: "LOGIN_SLOT_WAIT", def: "3000", rule: "milliseconds, 0 to 5000; wait for a check in flight", value: millis(&l.SlotWait, 0, 5*second)},
		{name: "ACCOUNT_THROTTLE_FAILURES", def: "20", rule: "0 to 100; 0 is off", value: number(&c.Throttle.Failures, 0, 100)},
		{name: "ACCOUNT_THROTTLE_WINDOW", def: "86400", rule: "seconds, 60 to 2592000", value: seconds(&c.Throttle.Window, 60*second, 30*day)},
		{name: "TRUSTED_PROXIES", blank: true, rule: "CIDR ranges or addresses between commas; /0 refuses, wider than /8 warns", value: networks{&c.Proxy.Trusted}},
		{
			name: "TRUSTED_PROXY_HEADER", def: "X-Forwarded-For", rule: "X-Forwarded-For, Forwarded or X-Real-IP",
			value: word[string]{p: &c.Proxy.Header, of: []string{"X-Forwarded-For", "Forwarded", "X-Real-IP"}, fold: true},
		},
		{name: "WORKERS", def: "1", rule: "1 to 256, or auto = max(2, 2 x CPUs - 1)", value: auto(&c.Workers.Count, 1, 256)},
		{name: "WORKER_TIMEOUT", def: "120", rule: "seconds, 1 to 3600 and above REQUEST_TIMEOUT", value: seconds(&c.Workers.Timeout, second, hour)},
		{name: "REQUEST_TIMEOUT", def: "60", rule: "seconds, 1 to 3600", value: seconds(&c.HTTP.RequestTimeout, second, hour)},
		{name: "READ_HEADER_TIMEOUT", def: "5", rule: "seconds, 1 to 60", value: seconds(&c.HTTP.ReadHeaderTimeout, second, 60*second)},
		{name: "READ_TIMEOUT", def: "15", rule: "seconds, 1 to 300", value: seconds(&c.HTTP.ReadTimeout, second, 300*second)},
		{name: "IDLE_TIMEOUT", def: "75", rule: "seconds, 1 to 3600", value: seconds(&c.HTTP.IdleTimeout, second, hour)},
		{name: "MAX_HEADER_BYTES", def: "16384", rule: "4096 to 1048576", value: number(&c.HTTP.MaxHeaderBytes, 4<<10, 1<<20)},
		{name: "MAX_BODY_BYTES", def: "65536", rule: "4096 to 16777216; auth routes take 4096", value: integer[int64]{p: &c.HTTP.MaxBodyBytes, min: 4 << 10, max: 16 << 20}},
		{name: "MAX_CONNS", def: "10000", rule: "1 to 1000000; open at once, per process; when full, idle ones are closed first", value: number(&c.HTTP.MaxConns, 1, 1_000_000)},
		{name: "MAX_CONNS_PER_ADDRESS", def: "2500", rule: "1 to 1000000; open at once from one address, TRUSTED_PROXIES apart, per process", value: number(&c.HTTP.MaxConnsPerAddress, 1, 1_000_000)},
		{name: "MAX_IN_FLIGHT", def: "auto", rule: "1 to 100000, or auto = max(256, 8 x pool), per process", value: auto(&c.HTTP.MaxInFlight, 1, 100_000)},
		{name: "SHUTDOWN_DRAIN_DELAY", def: "5", rule: "seconds, 0 to 29; with SHUTDOWN_TIMEOUT below 30", value: seconds(&c.Shutdown.DrainDelay, 0, 29*second)},
		{name: "SHUTDOWN_TIMEOUT", def: "20", rule: "seconds, 1 to 29", value: seconds(&c.Shutdown.Timeout, second, 29*second)},
		{name: "ACCESS_TOKEN_TTL", def: "900", rule: "seconds, 1 to 3600", value: seconds(&c.Tokens.Access, second, hour)},
		{name: "REFRESH_TOKEN_TTL", def: "604800", rule: "seconds, 60 to 7776000 and above ACCESS_TOKEN_TTL", value: seconds(&c.Tokens.Refresh, 60*second, 90*day)},
		{name: "TWO_FACTOR_CHALLENGE_TTL", def: "300", rule: "seconds, 1 to 900", value: seconds(&c.Tokens.Challenge, second, 900*second)},
		{name: "PASSWORD_RESET_TTL", def: "900", rule: "seconds, 1 to 3600", value: seconds(&c.Tokens.Reset, second, hour)},
		{name: "PASSWORD_MIN_LENGTH", def: "12", rule: "8 to 64; the most is 128", value: number(&c.Passwords.MinLength, 8, 64)},
		{name: "ARGON2_MEMORY_KIB", def: "19456", rule: "1024 to 1048576", prod: "not below the ASVS table: 47104 for time 1, 19456 for 2, 12288 from 3", value: integer[uint32]{p: &c.Hash.MemoryKiB, min: 1024, max: 1 << 20}},
		{name: "ARGON2_TIME", def: "2", rule: "1 to 20", value: integer[uint32]{p: &c.Hash.Time, min: 1, max: 20}},
		{name: "ARGON2_PARALLELISM", def: "1", rule: "1 to 16", value: integer[uint8]{p: &c.Hash.Parallelism, min: 1, max: 16}},
		{name: "HASH_CONCURRENCY", def: "auto", rule: "1 to 256 per process, or auto = max(1, (CPUs - 1) / workers); with ARGON2_MEMORY_KIB at most half the memory limit", value: auto(&c.Hash.Concurrency, 1, 256)},
		{name: "HASH_QUEUE", def: "64", rule: "0 to 10000; waiting beyond it is 503 hash_capacity", value: number(&c.Hash.Queue, 0, 10_000)},
		{name: "HASH_QUEUE_TIMEOUT", def: "3", rule: "seconds, 1 to 30", value: seconds(&c.Hash.QueueTimeout, second, 30*second)},
		{name: "REGISTRATION_ENABLED", def: "false", rule: "", value: boolean{&c.Accounts.RegistrationEnabled}},
		{name: "TWO_FACTOR_REQUIRED_ROLES", blank: true, def: "admin", rule: "patient, clinician, admin between commas", value: list{&c.Accounts.TwoFactorRequiredRoles, role}},
		{name: "MAIL_SINK", secret: true, def: "none", rule: "none, log, dir:PATH, smtp:// or smtps:// URL", prod: "log and dir refuse, none warns", value: secret{&c.Mail.Sink, mailSink}},
		{name: "SENTRY_DSN", secret: true, blank: true, rule: "http(s)://KEY@HOST/PROJECT", prod: "absent warns; the guide's samples refuse", value: secret{&c.Sentry.DSN, sentryDSN}},
		{name: "SENTRY_SAMPLE_RATE", def: "1.0", rule: "0 to 1; 0 starts no client", value: ratio{&c.Sentry.SampleRate}},
		{name: "SENTRY_TRACES_SAMPLE_RATE", def: "0.1", rule: "0 to 1", value: ratio{&c.Sentry.TracesSampleRate}},
		{name: "SENTRY_ENVIRONMENT", blank: true, shown: "ENV", rule: "", value: text{p: &c.Sentry.Environment}},
		{name: "SENTRY_RELEASE", blank: true, shown: "the build's version", rule: "", value: text{p: &c.Sentry.Release}},
		{name: "LOG_LEVEL", def: "INFO", rule: "DEBUG, INFO, WARNING, ERROR or CRITICAL", prod: "DEBUG warns", value: word[string]{p: &c.Log.Level, of: []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}, fold: true}},
		{name: "LOG_FORMAT", shown: "json in production, else console", rule: "json or console", prod: "json always", value: word[string]{p: &c.Log.Format, of: []string{"json", "console"}}},
	}...)
}
