package limit

import "time"

// The names of the policies, as headers, metrics and Redis keys spell them.
const (
	Login                = "login"
	TwoFactor            = "2fa_verify"
	PasswordReset        = "password_reset"
	PasswordResetConfirm = "password_reset_confirm"
	PasswordChange       = "password_change"
	Register             = "register"
	API                  = "api"
)

// Quota is so many in a sliding window.
type Quota struct {
	Limit  int
	Window time.Duration
}

// Quotas is the configurable part of the limits table.
type Quotas struct {
	Login          Quota         // failed attempts
	TwoFactor      Quota         // wrong codes
	PasswordReset  Quota         // requests; asking and confirming each have a bucket
	PasswordChange Quota         // requests
	API            Quota         // requests
	Lockout        time.Duration // of login and 2FA
}

// Published is the table of the production guide: 5, 10, 3, 5 and
// 100, and a lock of 900 seconds.
func Published() Quotas {
	return Quotas{
		Login:          Quota{5, 300 * time.Second},
		TwoFactor:      Quota{10, 300 * time.Second},
		PasswordReset:  Quota{3, 3600 * time.Second},
		PasswordChange: Quota{5, 3600 * time.Second},
		API:            Quota{100, 3600 * time.Second},
		Lockout:        900 * time.Second,
	}
}

// Policies makes the limits table, by name. Only the two
// policies that count failures lock: a lock shorter than its window is none, and
// the others' windows are hours. Registration takes 10 an hour.
func Policies(q Quotas) map[string]Policy {
	table := map[string]Policy{}
	add := func(name string, quota Quota, lock time.Duration, failures bool) {
		table[name] = Policy{Name: name, Limit: quota.Limit, Window: quota.Window, Lock: lock, Failures: failures}
	}
	add(Login, q.Login, q.Lockout, true)
	add(TwoFactor, q.TwoFactor, q.Lockout, true)
	add(PasswordReset, q.PasswordReset, 0, false)
	add(PasswordResetConfirm, q.PasswordReset, 0, false)
	add(PasswordChange, q.PasswordChange, 0, false)
	add(Register, Quota{10, time.Hour}, 0, false)
	add(API, q.API, 0, false)
	return table
}
