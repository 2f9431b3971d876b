package identity

import (
	"context"

	"vitals/server/limit"
)

// Early are the checks of patterns that come before a request's body is read. An
// attack at full speed is answered here, by a lock that is known or by a hash that
// cannot be had, and costs neither a trip nor a parser (LK28). What they let
// through is decided by the operation, which asks again.
func (s *Service) Early() map[string]func(context.Context) error {
	secondFactor := func(ctx context.Context) error { return s.gate.Known(ctx, limit.TwoFactor) }
	return map[string]func(context.Context) error{
		"POST " + prefix + "/auth/login":       s.loginEarly,
		"POST " + prefix + "/auth/2fa/verify":  secondFactor,
		"POST " + prefix + "/auth/2fa/confirm": secondFactor,
		"POST " + prefix + "/auth/2fa/disable": secondFactor,
	}
}

func (s *Service) loginEarly(ctx context.Context) error {
	err := s.gate.Known(ctx, limit.Login)
	if err == nil {
		err = s.hasher.Able()
	}
	if err != nil {
		s.outcome("login", "refused")
	}
	return problem(err)
}
