package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"vitals/server/identity/factor"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/web"
)

type enrolInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"128"`
	}
}

type enrolOutput struct {
	Body struct {
		Secret     string `json:"secret" doc:"base32, for typing into an app"`
		OTPAuthURI string `json:"otpauth_uri" doc:"for a QR code"`
	}
}

// enrol makes a secret. Until confirm has seen a code of it, it is no second
// factor and can be replaced by enrolling again.
func (s *Service) enrol(ctx context.Context, in *enrolInput) (*enrolOutput, error) {
	if err := s.countChange(ctx); err != nil {
		return nil, err
	}
	a, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.demandPassword(ctx, "2fa_enrol", a, in.Body.Password); err != nil {
		return nil, err
	}
	secret, err := factor.NewSecret(s.Issuer, a.email)
	if err != nil {
		return nil, problem(err)
	}
	sealed, err := s.keys.Seal([]byte(secret.Base32), totpPlace(a.id))
	if err != nil {
		return nil, problem(err)
	}
	n, err := s.write(ctx, "enrol", `
		UPDATE users SET totp_secret = $2, totp_last_step = 0 WHERE id = $1 AND NOT totp_confirmed`, a.id, sealed)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, web.Fail(http.StatusConflict, "two_factor_enabled", "A second factor is already in force; disable it first.")
	}
	out := &enrolOutput{}
	out.Body.Secret, out.Body.OTPAuthURI = secret.Base32, secret.URI
	return out, nil
}

type confirmInput struct {
	Body struct {
		Code string `json:"code" pattern:"^[0-9]{6}$" patternDescription:"six digits"`
	}
}

type confirmOutput struct {
	Body struct {
		RecoveryCodes []string `json:"recovery_codes" doc:"shown this once; each works once"`
	}
}

// confirm puts the second factor in force with the first code of the app.
func (s *Service) confirm(ctx context.Context, in *confirmInput) (*confirmOutput, error) {
	attempt, a, err := s.enterTwoFactor(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	defer attempt.Release(ctx)
	if a.totpConfirmed || !a.totpSecret.Valid {
		return nil, web.Fail(http.StatusConflict, "not_enrolling", "There is no enrolment to confirm.")
	}
	codes, hashes := factor.NewRecoveryCodes()
	result := wrong
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		if result, err = s.prove(ctx, q, a, Proof{Code: in.Body.Code}); err != nil || result != proven {
			return err
		}
		_, err := q.ExecContext(ctx, `UPDATE users SET totp_confirmed = TRUE, updated_at = $2 WHERE id = $1`, a.id, s.millis())
		if err != nil {
			return fmt.Errorf("confirm second factor: %w", err)
		}
		return replaceRecoveryCodes(ctx, q, a.id, hashes)
	})
	if err != nil {
		return nil, problem(err)
	}
	if result != proven {
		attempt.Fail(ctx, limit.UserKey(a.id))
		return nil, s.refuseProof(ctx, "2fa_confirm", a, result)
	}
	attempt.Pass(ctx, limit.UserKey(a.id))
	s.outcome("2fa_confirm", "ok")
	s.audit(ctx, slog.LevelInfo, eventTwoFactorOn, slog.Int64("user_id", a.id))
	out := &confirmOutput{}
	out.Body.RecoveryCodes = codes
	return out, nil
}

func replaceRecoveryCodes(ctx context.Context, q store.Querier, user int64, hashes []string) error {
	if _, err := q.ExecContext(ctx, `DELETE FROM recovery_codes WHERE user_id = $1`, user); err != nil {
		return fmt.Errorf("forget recovery codes: %w", err)
	}
	for _, h := range hashes {
		if _, err := q.ExecContext(ctx, `INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)`, user, h); err != nil {
			return fmt.Errorf("keep recovery code: %w", err)
		}
	}
	return nil
}

type disableInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"128"`
		Proof
	}
}

// disable takes both factors to drop one.
func (s *Service) disable(ctx context.Context, in *disableInput) (*struct{}, error) {
	attempt, a, err := s.enterTwoFactor(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	defer attempt.Release(ctx)
	if !a.totpConfirmed {
		return nil, web.Fail(http.StatusConflict, "not_enrolled", "There is no second factor to disable.")
	}
	if err := s.demandPassword(ctx, "2fa_disable", a, in.Body.Password); err != nil {
		if p, ok := errors.AsType[*web.Problem](err); ok && p.Status == http.StatusUnauthorized {
			attempt.Fail(ctx, limit.UserKey(a.id))
		}
		return nil, err
	}
	result := wrong
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		if result, err = s.prove(ctx, q, a, in.Body.Proof); err != nil || result != proven {
			return err
		}
		_, err := q.ExecContext(ctx, `
			UPDATE users SET totp_secret = NULL, totp_confirmed = FALSE, updated_at = $2 WHERE id = $1`, a.id, s.millis())
		if err != nil {
			return fmt.Errorf("disable second factor: %w", err)
		}
		return replaceRecoveryCodes(ctx, q, a.id, nil)
	})
	if err != nil {
		return nil, problem(err)
	}
	if result != proven {
		attempt.Fail(ctx, limit.UserKey(a.id))
		return nil, s.refuseProof(ctx, "2fa_disable", a, result)
	}
	attempt.Pass(ctx, limit.UserKey(a.id))
	s.outcome("2fa_disable", "ok")
	s.audit(ctx, slog.LevelWarn, eventTwoFactorOff, slog.Int64("user_id", a.id))
	return nil, nil
}

// enterTwoFactor is how a signed-in user's code comes to be judged.
func (s *Service) enterTwoFactor(ctx context.Context) (*limit.Attempt, account, error) {
	attempt, err := s.gate.Enter(ctx, limit.TwoFactor)
	if err != nil {
		return nil, account{}, err
	}
	a, err := s.self(ctx)
	if err != nil {
		attempt.Release(ctx)
		return nil, account{}, err
	}
	return attempt, a, nil
}

// demandPassword refuses with 401 unless word is a's password.
func (s *Service) demandPassword(ctx context.Context, endpoint string, a account, word string) error {
	ok, _, err := s.hasher.Check(ctx, word, a.passwordHash)
	if err != nil {
		return problem(err)
	}
	if !ok {
		s.outcome(endpoint, "failed")
		return unauthorized(ctx, "invalid_credentials", "The password is wrong.")
	}
	return nil
}
