package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
)

// Six digits are few. What bounds guessing by somebody who has the password and
// many addresses: a challenge survives maxTries wrong codes, a user has at most
// maxChallenges at a time, and every wrong code counts in the account throttle,
// which the next challenge has to pass.
const (
	maxTries      = 5
	maxChallenges = 5
)

// challenge answers a right password whose second factor is due.
func (s *Service) challenge(ctx context.Context, a account) (*loginOutput, error) {
	id := uuid.NewString()
	now := s.now()
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO challenges (id, user_id, version, expires_at) VALUES ($1, $2, $3, $4)`,
			id, a.id, a.version, now.Add(s.ChallengeTTL).UnixMilli())
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `
			UPDATE challenges SET spent_at = $2 WHERE user_id = $1 AND spent_at IS NULL AND id NOT IN (
				SELECT id FROM challenges WHERE user_id = $1 AND spent_at IS NULL
				ORDER BY expires_at DESC, id LIMIT $3)`, a.id, now.UnixMilli(), maxChallenges)
		return err
	})
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(fmt.Errorf("open challenge: %w", err))
	}
	raw, err := s.keys.Sign(token.Challenge, token.Claims{UserID: a.id, Version: a.version, ID: id}, now, s.ChallengeTTL)
	if err != nil {
		return nil, problem(err)
	}
	s.outcome("login", "2fa_required")
	return &loginOutput{Body: SignIn{
		Status: "2fa_required", ChallengeToken: raw, ExpiresIn: int(s.ChallengeTTL / time.Second),
	}}, nil
}

type verifyInput struct {
	Device
	Body struct {
		ChallengeToken string `json:"challenge_token" minLength:"1" maxLength:"2048"`
		Proof
	}
}

// verify turns a challenge and a code into tokens. A wrong code is a 401, never
// a 200 that says so inside: counters and clients go by the status.
func (s *Service) verify(ctx context.Context, in *verifyInput) (*tokensOutput, error) {
	attempt, err := s.gate.Enter(ctx, limit.TwoFactor)
	if err != nil {
		s.outcome("2fa_verify", "refused")
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	defer attempt.Release(ctx)
	claims, err := s.keys.Parse(token.Challenge, in.Body.ChallengeToken, s.now())
	if err != nil { // counts too: nothing else limits this route
		attempt.Fail(ctx, "")
		s.outcome("2fa_verify", "failed")
		return nil, invalidToken(ctx)
	}

	var a account
	var result verdict
	var out tokensOutput
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		var err error
		if a, err = s.challenged(ctx, q, claims); err != nil {
			return err
		}
		if result, err = s.prove(ctx, q, a, in.Body.Proof); err != nil || result != proven {
			return err // a wrong code commits: the try is spent
		}
		_, err = q.ExecContext(ctx, `UPDATE challenges SET spent_at = $2 WHERE id = $1`, claims.ID, s.millis())
		if err != nil {
			return fmt.Errorf("spend challenge: %w", err)
		}
		out.Body, err = s.open(ctx, q, a, in.Device)
		return err
	})
	switch {
	case errors.Is(err, errNoRow): // dead: five wrong codes, spent, expired or overtaken
		attempt.Fail(ctx, limit.UserKey(claims.UserID))
		s.outcome("2fa_verify", "failed")
		return nil, invalidToken(ctx)
	case err != nil:
		s.outcome("2fa_verify", "error")
		return nil, problem(fmt.Errorf("verify second factor: %w", err))
	case result != proven:
		attempt.Fail(ctx, limit.UserKey(claims.UserID))
		if result == wrong { // a replayed code is no guess
			s.gate.Account(a.email).Fail(ctx)
		}
		return nil, s.refuseProof(ctx, "2fa_verify", a, result)
	}
	attempt.Pass(ctx, limit.UserKey(claims.UserID))
	s.gate.Forgive(ctx, limit.Login, a.email)
	s.gate.Account(a.email).Pass(ctx)
	s.outcome("2fa_verify", "ok")
	s.audit(ctx, slog.LevelInfo, eventLoginOK,
		slog.String("account", s.keys.Pseudonym(a.email)), slog.Int64("user_id", a.id), slog.Bool("second_factor", true))
	return &out, nil
}

// challenged spends one try of a live challenge, before anything is judged, and
// gives its user; errNoRow if there is nothing left to try. The row stays locked
// until the transaction ends, so that parallel tries come one after the other.
func (s *Service) challenged(ctx context.Context, q store.Querier, c token.Claims) (account, error) {
	var user, version int64
	err := q.QueryRowContext(ctx, `
		UPDATE challenges SET tries = tries + 1
		WHERE id = $1 AND tries < $2 AND spent_at IS NULL AND expires_at > $3
		RETURNING user_id, version`, c.ID, maxTries, s.millis()).Scan(&user, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return account{}, errNoRow
	}
	if err != nil {
		return account{}, fmt.Errorf("spend a try: %w", err)
	}
	a, err := accountByID(ctx, q, user)
	if err != nil {
		return account{}, err
	}
	if !a.active || a.version != version || !a.totpConfirmed {
		return account{}, errNoRow
	}
	return a, nil
}
