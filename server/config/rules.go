package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// check applies the rules between variables, and production's.
func (c *Config) check(r *report, m Machine) {
	c.checkCore(r)
	c.checkDatabase(r)
	c.checkRedis(r)
	c.checkCORS(r)
	c.checkLimits(r)
	c.checkTimes(r)
	c.checkHash(r, m)
	c.checkOutside(r)
}

func (c *Config) production() bool { return c.Core.Env == Production }

// deployed reports an environment that others reach: what a guide prints as a
// sample is refused there.
func (c *Config) deployed() bool { return c.Core.Env == Production || c.Core.Env == Staging }

func (c *Config) checkCore(r *report) {
	k := c.Core
	if k.SecretKey == "" {
		r.refuse("SECRET_KEY", "is required here: in staging and production, and wherever several WORKERS or REPLICAS must agree on it")
	}
	if k.SecretKeyPrevious != "" && k.SecretKeyPrevious == k.SecretKey {
		r.refuse("SECRET_KEY_PREVIOUS", "must differ from SECRET_KEY")
	}
	c.checkPlaceholder(r, "SECRET_KEY", k.SecretKey)
	c.checkPlaceholder(r, "SECRET_KEY_PREVIOUS", k.SecretKeyPrevious)
	if k.EphemeralKey {
		r.warn("SECRET_KEY", "is not set: one was made up, sessions end with this process")
	}
	if k.Port == 0 && !k.Env.Local() {
		r.refuse("PORT", "must be 1 to 65535 here: clients must know it")
	}
	if port := adminPort(k.AdminAddr); k.Port != 0 && port == k.Port {
		r.refuse("ADMIN_ADDR", "must not use PORT: metrics are not for the public")
	}
	if c.production() {
		for _, why := range undeployable(k.FrontendURL) {
			r.refuse("FRONTEND_URL", why)
		}
	} else if c.deployed() && placeholderOrigin(k.FrontendURL) {
		r.refuse("FRONTEND_URL", errPlaceholderOrigin.Error())
	}
}

func (c *Config) checkPlaceholder(r *report, name string, key Secret) {
	switch {
	case !placeholderKey(key.Reveal()):
	case c.deployed():
		r.refuse(name, "is a placeholder or a published sample; make one with: openssl rand -base64 32")
	default:
		r.warn(name, "is a placeholder or a published sample: production will refuse it")
	}
}

func (c *Config) checkDatabase(r *report) {
	if c.Database.URL == "" {
		r.refuse("DATABASE_URL", "is required in staging and production")
		return
	}
	d, _, err := parseDatabase(c.Database.URL.Reveal())
	if err != nil {
		return // rejected when it was read
	}
	for _, why := range d.flaws {
		r.refuse("DATABASE_URL", why)
	}
	if why := samplePassword(d.user, d.password); c.deployed() && why != "" {
		r.refuse("DATABASE_URL", why)
	}
	if c.production() {
		if d.engine == SQLite {
			r.refuse("DATABASE_URL", "must be Postgres in production: SQLite has one writer and one host")
			return
		}
		if !d.local() && !d.encrypted() && !c.Database.AllowPlaintext {
			r.refuse("DATABASE_URL", "must say sslmode=require, verify-ca or verify-full (or set DB_ALLOW_PLAINTEXT=true on a private network)")
		}
	}
	if c.Database.AllowPlaintext && c.production() {
		r.warn("DB_ALLOW_PLAINTEXT", "patients' data may cross the network unencrypted")
	}
	if c.Pool.PrePing == PingOff && c.production() {
		r.warn("DB_POOL_PRE_PING", "is off: the first requests after a database restart will fail")
	}
}

func (c *Config) checkRedis(r *report) {
	if r.unread["REDIS_URL"] {
		return
	}
	if u, err := url.Parse(c.Redis.URL.Reveal()); err == nil && c.deployed() {
		password, _ := u.User.Password()
		if why := samplePassword(u.User.Username(), password); why != "" {
			r.refuse("REDIS_URL", why)
		}
	}
	switch {
	case c.Redis.URL != "" || !c.shared():
	case c.production():
		r.refuse("REDIS_URL", "is required with several WORKERS or REPLICAS: limits kept per process are multiplied by them")
	default:
		r.warn("REDIS_URL", "is not set: each process counts for itself, so the limits are multiplied")
	}
	if c.Redis.URL == "" && c.production() && !c.shared() {
		r.warn("REDIS_URL", "is not set: limits live in this process, a restart forgets attempts")
	}
}

func (c *Config) checkCORS(r *report) {
	o := c.CORS
	if o.AllowAll && o.Credentials {
		r.refuse("CORS_ALLOW_CREDENTIALS", "must be false with CORS_ALLOW_ALL: any page could act for a signed-in user")
	}
	if !c.production() {
		if c.deployed() && slices.ContainsFunc(o.Production, placeholderOrigin) {
			r.refuse("PRODUCTION_CORS_ORIGINS", errPlaceholderOrigin.Error())
		}
		return
	}
	if o.Disable {
		r.warn("CORS_DISABLE", "no CORS headers are sent: the proxy in front must do it")
	}
	if o.AllowAll {
		r.refuse("CORS_ALLOW_ALL", "must be false in production")
	}
	if len(o.Production) == 0 && !o.Disable {
		r.refuse("PRODUCTION_CORS_ORIGINS", "is required in production (or CORS_DISABLE=true behind a proxy that does CORS)")
	}
	for i, o := range o.Production {
		if origin(o) != nil {
			continue // rejected when it was read
		}
		for _, why := range undeployable(o) {
			r.also("PRODUCTION_CORS_ORIGINS", fmt.Sprintf("origin %d of %d %s", i+1, len(c.CORS.Production), why))
		}
	}
}

func (c *Config) checkLimits(r *report) {
	l := c.Limits
	if c.Core.Env != Test && l.Lockout < max(l.Login.Window, l.TwoFactor.Window) {
		r.refuse("RATE_LIMIT_LOCKOUT_DURATION", "must not be shorter than RATE_LIMIT_LOGIN_WINDOW and RATE_LIMIT_2FA_WINDOW: it would be no lock")
	}
	for _, n := range c.Proxy.Trusted {
		switch {
		case n.Bits() == 0:
			r.refuse("TRUSTED_PROXIES", "must not trust everyone (/0)")
		case n.Bits() < 8:
			r.warn("TRUSTED_PROXIES", "trusts a range wider than /8")
		}
	}
	if !c.production() {
		return
	}
	if !l.Enabled {
		r.refuse("RATE_LIMIT_ENABLED", "must be true in production")
	}
	for _, p := range []struct {
		name string
		q    Quota
		most int
	}{
		{"RATE_LIMIT_LOGIN", l.Login, 20},
		{"RATE_LIMIT_2FA", l.TwoFactor, 20},
		{"RATE_LIMIT_PASSWORD_RESET", l.PasswordReset, 0},
		{"RATE_LIMIT_PASSWORD_CHANGE", l.PasswordChange, 0},
		{"RATE_LIMIT_API", l.API, 0},
	} {
		if p.most > 0 && p.q.Limit > p.most {
			r.refuse(p.name, "must be at most 20 in production")
		}
		if p.q.Window < time.Minute {
			r.refuse(p.name+"_WINDOW", "must be at least 60 seconds in production")
		}
	}
	if l.Lockout < 300*time.Second {
		r.refuse("RATE_LIMIT_LOCKOUT_DURATION", "must be at least 300 seconds in production")
	}
	if l.RedisFailure == "open" {
		r.refuse("RATE_LIMIT_REDIS_FAILURE", "must be local or closed in production: stopping Redis must not free an attacker")
	}
}

func (c *Config) checkTimes(r *report) {
	if c.Pool.Timeout >= c.HTTP.RequestTimeout {
		r.refuse("DB_POOL_TIMEOUT", "must be below REQUEST_TIMEOUT, or no request could report it")
	}
	if c.Workers.Timeout <= c.HTTP.RequestTimeout {
		r.refuse("WORKER_TIMEOUT", "must be above REQUEST_TIMEOUT, or slow requests look like dead workers")
	}
	if c.Shutdown.DrainDelay+c.Shutdown.Timeout >= 30*time.Second {
		r.refuse("SHUTDOWN_TIMEOUT", "with SHUTDOWN_DRAIN_DELAY must stay below 30 seconds, Kubernetes' grace period")
	}
	if c.Tokens.Refresh <= c.Tokens.Access {
		r.refuse("REFRESH_TOKEN_TTL", "must be above ACCESS_TOKEN_TTL")
	}
}

// argonFloor is ASVS 5.0 appendix C for argon2id: least memory in KiB by
// passes; three and more share the last.
var argonFloor = []uint32{47104, 19456, 12288}

func (c *Config) checkHash(r *report, m Machine) {
	h := c.Hash
	if floor := argonFloor[min(int(h.Time), len(argonFloor))-1]; h.MemoryKiB < floor {
		if c.production() {
			r.refuse("ARGON2_MEMORY_KIB", "is below the ASVS table for ARGON2_TIME: 47104 for 1, 19456 for 2, 12288 from 3")
		} else {
			r.warn("ARGON2_MEMORY_KIB", "is below the ASVS table for ARGON2_TIME: production will refuse it")
		}
	}
	need := int64(h.MemoryKiB) << 10 * int64(h.Concurrency) * int64(c.Workers.Count)
	if m.Memory > 0 && need > m.Memory/2 {
		r.refuse("HASH_CONCURRENCY", "times ARGON2_MEMORY_KIB times workers must stay within half the memory limit")
	}
}

// checkOutside is about what leaves the service: mail, errors, logs.
func (c *Config) checkOutside(r *report) {
	sink, dsn := c.Mail.Sink.Reveal(), c.Sentry.DSN.Reveal()
	if c.Core.Env == Development && dsn != "" {
		r.warn("SENTRY_DSN", "is set in development: its errors will mix with the service's")
	}
	if !c.production() {
		return
	}
	switch {
	case sink == "log" || strings.HasPrefix(sink, "dir:"):
		r.refuse("MAIL_SINK", "must not be log or dir in production: reset links would lie in the open")
	case sink == "none":
		r.warn("MAIL_SINK", "is none: password resets will never arrive")
	}
	switch {
	case dsn == "":
		r.warn("SENTRY_DSN", "is not set: errors are only in the logs")
	case sampleDSNs.MatchString(dsn):
		r.refuse("SENTRY_DSN", "is a published sample: use your project's, or unset it")
	}
	if c.Log.Level == "DEBUG" {
		r.warn("LOG_LEVEL", "is DEBUG in production")
	}
}

// union is a then what b adds.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
