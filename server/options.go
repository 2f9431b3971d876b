package server

import (
	"time"

	"vitals/server/config"
	"vitals/server/identity"
	"vitals/server/identity/password"
	"vitals/server/limit"
	"vitals/server/web"
)

// limitOptions maps the configuration to the limiter's own options.
func limitOptions(c *config.Config) (limit.Options, error) {
	l := c.Limits
	secret, err := derive(c.Core.SecretKey.Reveal(), "vitals limiter pseudonyms")
	if err != nil {
		return limit.Options{}, err
	}
	return limit.Options{
		Off: !l.Enabled,
		Quotas: limit.Quotas{
			Login: limit.Quota(l.Login), TwoFactor: limit.Quota(l.TwoFactor),
			PasswordReset: limit.Quota(l.PasswordReset), PasswordChange: limit.Quota(l.PasswordChange),
			API: limit.Quota(l.API), Lockout: l.Lockout,
		},
		APIByIP:    l.APIKey == "ip",
		IPv6Prefix: l.IPv6Prefix,
		IETF:       l.Headers != "x",
		SlotWait:   l.SlotWait,
		Lease:      c.HTTP.RequestTimeout + 15*time.Second, // a check may outlast its request by its commit
		Throttle:   limit.Throttle(c.Throttle),
		Secret:     secret,
		Replicas:   c.Core.Replicas * c.Workers.Count, // each process degrades alone
		Redis: limit.RedisOptions{
			URL: c.Redis.URL.Reveal(), Timeout: l.RedisTimeout,
			Failure: limit.Failure(l.RedisFailure), Strict: c.Core.Env == config.Production,
		},
	}, nil
}

// identityOptions maps the configuration to identity's own options.
func identityOptions(c *config.Config) identity.Options {
	o := identity.Options{
		AccessTTL: c.Tokens.Access, RefreshTTL: c.Tokens.Refresh, ChallengeTTL: c.Tokens.Challenge, ResetTTL: c.Tokens.Reset,
		Registration: c.Accounts.RegistrationEnabled, FrontendURL: c.Core.FrontendURL,
	}
	for _, role := range c.Accounts.TwoFactorRequiredRoles {
		o.TwoFactorRoles = append(o.TwoFactorRoles, web.Role(role))
	}
	return o
}

func hashCost(c *config.Config) password.Cost {
	return password.Cost{MemoryKiB: c.Hash.MemoryKiB, Time: c.Hash.Time, Parallelism: c.Hash.Parallelism}
}
