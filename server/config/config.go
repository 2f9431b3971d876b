// Package config turns the environment into one checked Config: defaults,
// strict parsing, the rules that hold between variables and the harder rules of
// production. It reports every mistake at once and no value ever. It reads the
// map it is given, and the files that X_FILE variables name; nothing else.
package config

import (
	"net/netip"
	"time"
)

// Env is the deployment kind, from ENV or ENVIRONMENT. Unknown words refuse: a
// typo must not turn production into development.
type Env string

// The four kinds.
const (
	Development Env = "development"
	Test        Env = "test"
	Staging     Env = "staging"
	Production  Env = "production"
)

// Local reports whether this is a developer's machine or a test, where defaults
// stand in for what a deployment must say (key, database, loopback address).
func (e Env) Local() bool { return e == Development || e == Test }

// Config is everything the clinic API reads from its environment, checked, with "auto" already worked out. Make it with Load.
type Config struct {
	Core      Core
	Database  Database
	Pool      Pool
	Redis     Redis
	CORS      CORS
	Limits    Limits
	Throttle  Throttle
	Proxy     Proxy
	Workers   Workers
	HTTP      HTTP
	Shutdown  Shutdown
	Tokens    Tokens
	Passwords Passwords
	Hash      Hash
	Accounts  Accounts
	Mail      Mail
	Sentry    Sentry
	Log       Log

	sources map[string]string // variable -> env or file; absent = default
}

// Core is who and where this service is.
type Core struct {
	Env               Env
	Host              string
	Port              int    // 0 only outside staging and production: any free port
	AdminAddr         string // host:port of /metrics and pprof, never the public port
	SecretKey         Secret
	SecretKeyPrevious Secret // verifies, never signs: for rotation
	EphemeralKey      bool   // SecretKey was made up for this process
	Replicas          int    // API instances sharing one limit; divides degraded budgets
	FrontendURL       string // origin; sole source of links, never the Host header
}

// Engine says which database serves.
type Engine string

// The two engines of package store.
const (
	Postgres Engine = "postgres"
	SQLite   Engine = "sqlite"
)

// Database is where data is kept.
type Database struct {
	URL              Secret // postgres://… without a +driver suffix, or sqlite:path
	Engine           Engine
	Path             string // of the SQLite file; "" on Postgres
	AllowPlaintext   bool   // no TLS to a database off this host (private networks only)
	StatementTimeout time.Duration
	ConnectTimeout   time.Duration
}

// PrePing says when a pooled connection is checked before it is handed out.
type PrePing string

// PingIdle checks connections idle for more than a second, which catches every
// restart of the database at the price of no round trip under load.
const (
	PingIdle   PrePing = "idle"
	PingAlways PrePing = "always"
	PingOff    PrePing = "off"
)

// Pool is the connection pool of ONE process.
type Pool struct {
	Size        int           // connections kept
	MaxOverflow int           // more than Size, under load
	Timeout     time.Duration // longest wait for a connection
	Recycle     time.Duration // age at which a connection is replaced; negative = never, never 0
	PrePing     PrePing
}

// Total is the most connections one process opens: size + overflow.
func (p Pool) Total() int { return p.Size + p.MaxOverflow }

// Redis holds the limiter's shared state; unset URL = in process.
type Redis struct {
	URL Secret
}

// CORS is which browsers' pages may call the API.
type CORS struct {
	Disable     bool
	AllowAll    bool     // never with credentials
	Origins     []string // in force: exact scheme://host[:port]
	Credentials bool     // in force: false under AllowAll
	MaxAge      time.Duration

	Production []string // PRODUCTION_CORS_ORIGINS as given
	Backend    []string // BACKEND_CORS_ORIGINS, development and test only
}

// Quota is so many in a sliding window.
type Quota struct {
	Limit  int
	Window time.Duration
}

// Limits is the limits table and how the limiter behaves.
type Limits struct {
	Enabled        bool
	Login          Quota // failed attempts
	TwoFactor      Quota // wrong codes
	PasswordReset  Quota
	PasswordChange Quota
	API            Quota
	Lockout        time.Duration // of login and 2FA
	APIKey         string        // "user" or "ip"
	IPv6Prefix     int           // bits of a v6 client address that make the key
	Headers        string        // "x", "ietf" or "both"; X-RateLimit-* is always sent
	RedisTimeout   time.Duration
	RedisFailure   string        // "local", "closed" or "open": what a dead Redis means
	SlotWait       time.Duration // LOGIN_SLOT_WAIT: longest wait for checks in flight
}

// Throttle is the account throttle; Failures 0 = off.
type Throttle struct {
	Failures int
	Window   time.Duration
}

// Proxy says whose word about the client's address is taken.
type Proxy struct {
	Trusted []netip.Prefix
	Header  string // X-Forwarded-For, Forwarded or X-Real-IP
}

// Workers is the process model.
type Workers struct {
	Count   int  // processes on one listener, "auto" worked out
	Auto    bool // WORKERS=auto
	CPUs    int  // effective CPUs the automatic numbers were made from
	Timeout time.Duration
}

// HTTP is the public listener's limits.
type HTTP struct {
	RequestTimeout    time.Duration
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	IdleTimeout       time.Duration
	MaxHeaderBytes    int
	MaxBodyBytes      int64 // auth routes take AuthBodyBytes
	MaxConns          int
	// MaxConnsPerAddress bounds one address's connections, trusted proxies apart.
	MaxConnsPerAddress int
	MaxInFlight        int // per process, "auto" worked out
}

// AuthBodyBytes is the body limit of the auth routes: 4 KiB.
const AuthBodyBytes = 4 << 10

// Shutdown is how the service leaves.
type Shutdown struct {
	DrainDelay time.Duration // ready says 503, requests are still served
	Timeout    time.Duration // for what is in flight after it
}

// Tokens is how long each credential lives.
type Tokens struct {
	Access    time.Duration
	Refresh   time.Duration
	Challenge time.Duration // between password and second factor
	Reset     time.Duration
}

// Passwords is the password rule, in code points.
type Passwords struct {
	MinLength int
}

// PasswordMaxLength is fixed, in code points: long enough for any manager,
// short enough to bound hashing.
const PasswordMaxLength = 128

// Hash is the cost of argon2id and how many may run at once in this process.
type Hash struct {
	MemoryKiB    uint32
	Time         uint32
	Parallelism  uint8
	Concurrency  int // "auto" worked out
	Queue        int
	QueueTimeout time.Duration
}

// Accounts is who may sign up, and who must have a second factor.
type Accounts struct {
	RegistrationEnabled    bool
	TwoFactorRequiredRoles []string // patient, clinician, admin
}

// Mail is where mail goes: none, log, dir:PATH, or smtp:// or smtps:// URL.
type Mail struct {
	Sink Secret
}

// Sentry is error reporting; unset DSN = none.
type Sentry struct {
	DSN              Secret
	SampleRate       float64 // 0 = no client at all
	TracesSampleRate float64
	Environment      string // default ENV
	Release          string // "" = the build's version
}

// Log is the level (DEBUG, INFO, WARNING, ERROR, CRITICAL) and format (json, console).
type Log struct {
	Level  string
	Format string
}
