package identity

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/fault"
	"vitals/server/identity/factor"
	"vitals/server/store"
	"vitals/server/web"
)

// Proof is a second factor as a client gives it: one of the two.
type Proof struct {
	Code         string `json:"code,omitempty" pattern:"^[0-9]{6}$" patternDescription:"six digits"`
	RecoveryCode string `json:"recovery_code,omitempty" maxLength:"64"`
}

// Resolve refuses both and neither.
func (p Proof) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	if (p.Code == "") == (p.RecoveryCode == "") {
		return []error{&huma.ErrorDetail{Location: prefix.With("code"), Message: "expected either code or recovery_code"}}
	}
	return nil
}

// verdict is what became of a proof; the zero value refuses.
type verdict uint8

const (
	wrong    verdict = iota
	replayed         // right, and accepted before
	proven
)

// prove judges a proof of a's second factor and uses it up, both in one
// statement: of parallel callers with one code exactly one is proven (ASVS
// 6.5.1, 15.4.2).
func (s *Service) prove(ctx context.Context, q store.Querier, a account, p Proof) (verdict, error) {
	if p.RecoveryCode != "" {
		n, err := affected(q.ExecContext(ctx, `
			UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL`,
			a.id, factor.HashRecoveryCode(p.RecoveryCode), s.millis()))
		if err != nil || n == 0 {
			return wrong, wrap("use recovery code", err)
		}
		return proven, nil
	}
	step, sealed, err := s.matchCode(a, p.Code)
	if err != nil || step == 0 {
		return wrong, err
	}
	n, err := affected(q.ExecContext(ctx, `
		UPDATE users SET totp_last_step = $2, totp_secret = $3 WHERE id = $1 AND totp_last_step < $2 AND totp_secret = $4`,
		a.id, step, sealed, a.totpSecret.String))
	if err != nil {
		return wrong, wrap("accept code", err)
	}
	if n == 0 && !fault.Is(fault.TOTPReplay) {
		return replayed, nil
	}
	return proven, nil
}

// matchCode finds the step of a code, 0 if it is wrong, and gives the secret as
// it is to be stored: sealed again if that was done by the previous SECRET_KEY.
func (s *Service) matchCode(a account, code string) (step int64, sealed string, err error) {
	secret, stale, err := s.keys.Open(a.totpSecret.String, totpPlace(a.id))
	if err != nil {
		return 0, "", fmt.Errorf("read second factor: %w", err)
	}
	step, ok, err := factor.Match(string(secret), code, s.now())
	if err != nil || !ok {
		return 0, "", err
	}
	if sealed = a.totpSecret.String; stale {
		sealed, err = s.keys.Seal(secret, totpPlace(a.id))
	}
	return step, sealed, err
}

// totpPlace ties a sealed secret to its user's row.
func totpPlace(user int64) string { return "totp of user " + strconv.FormatInt(user, 10) }

// refuseProof is the answer to a proof that is not one. Wrong and replayed read
// the same.
func (s *Service) refuseProof(ctx context.Context, endpoint string, a account, v verdict) *web.Problem {
	s.outcome(endpoint, "failed")
	who := []slog.Attr{slog.String("account", s.keys.Pseudonym(a.email)), slog.Int64("user_id", a.id)}
	if v == replayed {
		s.audit(ctx, slog.LevelWarn, eventTOTPReplayed, who...)
	} else {
		s.audit(ctx, slog.LevelWarn, eventLoginFailed, append(who, slog.String("endpoint", endpoint))...)
	}
	web.Header(ctx).Set("WWW-Authenticate", "Bearer")
	return web.Fail(http.StatusUnauthorized, "invalid_code", "The code is wrong or was used before.")
}
