package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"vitals/server/fault"
	"vitals/server/identity/token"
	"vitals/server/store"
	"vitals/server/web"
)

type refreshInput struct {
	Device
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"128"`
	}
}

type tokensOutput struct {
	Body Tokens
}

func (s *Service) refresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	hash, err := token.Hash(in.Body.RefreshToken)
	if err != nil {
		return nil, invalidToken(ctx)
	}
	var out tokensOutput
	var reused string // session of a used token
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		if fault.Is(fault.RefreshReuse) {
			_, _ = q.ExecContext(ctx, `UPDATE refresh_tokens SET used_at = NULL WHERE hash = $1`, hash)
		}
		session, err := rotate(ctx, q, hash, s.millis())
		if errors.Is(err, errNoRow) {
			reused, err = revokeReused(ctx, q, hash, s.millis())
			return err // commits: the family is dead
		}
		if err != nil {
			return err
		}
		out.Body, err = s.renew(ctx, q, session, in.Device)
		return err
	})
	switch {
	case errors.Is(err, errNoRow):
		return nil, invalidToken(ctx)
	case err != nil:
		return nil, problem(fmt.Errorf("refresh: %w", err))
	case reused != "":
		s.audit(ctx, slog.LevelWarn, eventRefreshReused, slog.String("session_id", reused))
		return nil, unauthorized(ctx, "refresh_reused", "The refresh token was used before; its session has been ended.")
	}
	return &out, nil
}

func invalidToken(ctx context.Context) *web.Problem {
	return unauthorized(ctx, "invalid_token", "The token is not valid.")
}

// rotate uses a token up, in one statement: of parallel callers exactly one
// gets the session (ASVS 15.4.2). A session that was revoked, or made
// before the user's sessions were all ended, has no usable token.
func rotate(ctx context.Context, q store.Querier, hash string, now int64) (session string, err error) {
	err = q.QueryRowContext(ctx, `
		UPDATE refresh_tokens SET used_at = $2
		WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
		AND EXISTS (
			SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.id = refresh_tokens.session_id AND s.revoked_at IS NULL
			AND u.is_active AND s.version = u.session_version)
		RETURNING session_id`, hash, now).Scan(&session)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoRow
	}
	if err != nil {
		return "", fmt.Errorf("rotate refresh token: %w", err)
	}
	return session, nil
}

// revokeReused ends the family of a token that had been used: either the client
// or whoever stole it holds its successor, and nobody can tell which. A token that was
// merely unknown, expired or revoked gives errNoRow.
func revokeReused(ctx context.Context, q store.Querier, hash string, now int64) (session string, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT session_id FROM refresh_tokens WHERE hash = $1 AND used_at IS NOT NULL`, hash).Scan(&session)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoRow
	}
	if err != nil {
		return "", fmt.Errorf("look up used token: %w", err)
	}
	_, err = q.ExecContext(ctx, `UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, session, now)
	if err != nil {
		return "", fmt.Errorf("revoke family: %w", err)
	}
	return session, nil
}

// renew gives the family its next pair.
func (s *Service) renew(ctx context.Context, q store.Querier, session string, d Device) (Tokens, error) {
	now := s.now()
	a, err := scanAccount(q.QueryRowContext(ctx, `
		SELECT `+accountColumns+` FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = $1)`, session))
	if err != nil {
		return Tokens{}, err
	}
	_, err = q.ExecContext(ctx, `
		UPDATE sessions SET last_used_at = $2, expires_at = $3, ip = $4, user_agent = $5 WHERE id = $1`,
		session, now.UnixMilli(), now.Add(s.RefreshTTL).UnixMilli(), address(ctx), d.name())
	if err != nil {
		return Tokens{}, fmt.Errorf("renew session: %w", err)
	}
	return s.issue(ctx, q, a, session)
}
