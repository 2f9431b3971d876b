package own

import (
	"strconv"
	"strings"
	"time"

	"vitals/profiles"
)

// limits are the profile's, as an API's environment changes them (hardening
// 2.1), so that nobody is accused of keeping a limit that was set for a probe.
func limits(p *profiles.Profile, env map[string]string) map[string]profiles.Limit {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(env[name])
		return n, err == nil
	}
	out := map[string]profiles.Limit{}
	for policy, l := range p.Limits {
		name := "RATE_LIMIT_" + map[string]string{
			"2fa_verify": "2FA", "password_reset_confirm": "PASSWORD_RESET",
		}[policy]
		if strings.HasSuffix(name, "_") {
			name += strings.ToUpper(policy)
		}
		if n, ok := number(name); ok {
			l.Limit = n
		}
		if n, ok := number(name + "_WINDOW"); ok {
			l.Window = time.Duration(n) * time.Second
		}
		if n, ok := number("RATE_LIMIT_LOCKOUT_DURATION"); ok && l.Lock > 0 {
			l.Lock = time.Duration(n) * time.Second
		}
		if n, ok := number("ACCOUNT_THROTTLE_FAILURES"); ok && l.Account > 0 {
			l.Account = n
		}
		out[policy] = l
	}
	return out
}
