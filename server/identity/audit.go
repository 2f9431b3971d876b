package identity

import (
	"context"
	"log/slog"
)

// The security events (and what else an auditor asks for), as the
// log's message. lockout_started and lockout_denied are the limiter's,
// authz_denied the middleware's.
const (
	eventLoginOK         = "login_ok"
	eventLoginFailed     = "login_failed"
	eventRefreshReused   = "refresh_reused"
	eventPasswordChanged = "password_changed"
	eventResetRequested  = "reset_requested"
	eventTOTPReplayed    = "totp_replayed"
	eventTwoFactorOn     = "two_factor_enabled"
	eventTwoFactorOff    = "two_factor_disabled"
	eventLogoutAll       = "logout_all"
	eventUserCreated     = "user_created"
	eventUserChanged     = "user_changed"
	eventLockLifted      = "lock_lifted"
)

// audit writes a security event: at INFO what a user did, at WARNING what an
// attacker may have done. Emails come as pseudonyms only.
func (s *Service) audit(ctx context.Context, level slog.Level, event string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("event", event), slog.String("client_ip", address(ctx)))
	s.log.LogAttrs(ctx, level, event, attrs...)
}

// outcome counts one credential check.
func (s *Service) outcome(endpoint, outcome string) {
	s.attempts.WithLabelValues(endpoint, outcome).Inc()
}
