package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"vitals/server/store"
	"vitals/server/web"
)

type loginInput struct {
	Device
	Body struct {
		Email    string `json:"email" minLength:"3" maxLength:"254" pattern:"^[^@\\s]+@[^@\\s]+$" patternDescription:"an email address"`
		Password string `json:"password" minLength:"1" maxLength:"128"`
	}
}

type loginOutput struct {
	Body Tokens
}

// login keeps the order of hardening 2.4: the input is valid, the limiter has a
// slot, one query for the user row, one hash, the limiter hears the result.
// Nothing costly comes before the limiter (trap 7), and unknown, wrong and
// disabled cost the same and read the same.
func (s *Service) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	attempt, err := s.gate.Enter(ctx, loginPolicy)
	if err != nil {
		s.outcome("login", "refused")
		return nil, err
	}
	// From here on a client that hangs up gets its attempt judged all the same:
	// aborting is no refund (hardening 2.5.2).
	ctx = context.WithoutCancel(ctx)
	defer attempt.Release(ctx)

	email := normalize(in.Body.Email)
	who := slog.String("account", s.keys.Pseudonym(email))
	a, stale, err := s.checkPassword(ctx, email, in.Body.Password)
	if p, refused := errors.AsType[*web.Problem](err); refused && p.Code == "invalid_credentials" {
		attempt.Fail(ctx, s.keys.Account(email))
		s.outcome("login", "failed")
		s.audit(ctx, slog.LevelWarn, eventLoginFailed, who)
		return nil, err
	}
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(err)
	}
	rehashed := ""
	if stale { // best effort: without a free slot the next sign-in does it
		rehashed, _ = s.hasher.Hash(ctx, in.Body.Password)
	}
	var out loginOutput
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		if rehashed != "" {
			_, err := q.ExecContext(ctx, `UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`,
				rehashed, a.id, a.passwordHash)
			if err != nil {
				return fmt.Errorf("replace password hash: %w", err)
			}
		}
		out.Body, err = s.open(ctx, q, a, in.Device)
		return err
	})
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(fmt.Errorf("sign in: %w", err))
	}
	attempt.Pass(ctx, s.keys.Account(email))
	s.outcome("login", "ok")
	s.audit(ctx, slog.LevelInfo, eventLoginOK, who, slog.Int64("user_id", a.id))
	return &out, nil
}

// checkPassword finds the user and checks the password: one query and one hash,
// whoever asks (trap 22). stale means that the hash was made at another cost.
func (s *Service) checkPassword(ctx context.Context, email, password string) (a account, stale bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q store.Querier) (err error) {
		a, err = accountByEmail(ctx, q, email)
		return err
	})
	if err != nil && !errors.Is(err, errNoRow) {
		return account{}, false, fmt.Errorf("sign in: %w", err)
	}
	ok, stale, err := s.hasher.Check(ctx, password, a.passwordHash) // "" = the dummy
	if err != nil {
		return account{}, false, err
	}
	if !ok || !a.active {
		return account{}, false, invalidCredentials(ctx)
	}
	return a, stale, nil
}
