package identity

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"vitals/server/identity/token"
	"vitals/server/store"
	"vitals/server/web"
)

type logoutInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"128"`
	}
}

// logout ends the session it is called in, and that of the refresh token if it
// is another of the same user. An unknown token is no error: signed out is what
// the client wanted to be.
func (s *Service) logout(ctx context.Context, in *logoutInput) (*struct{}, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	hash, _ := token.Hash(in.Body.RefreshToken) // "" matches nothing
	_, err := s.write(ctx, "sign out", `
		UPDATE sessions SET revoked_at = $3
		WHERE user_id = $1 AND revoked_at IS NULL
		AND (id = $2 OR id = (SELECT session_id FROM refresh_tokens WHERE hash = $4))`,
		p.UserID, p.SessionID, s.millis(), hash)
	return nil, err
}

type logoutAllOutput struct {
	Body struct {
		Revoked int64 `json:"revoked" doc:"sessions ended, this one included"`
	}
}

// logoutAll ends every session: their refresh tokens by the rows, their access
// tokens by the version.
func (s *Service) logoutAll(ctx context.Context, _ *struct{}) (*logoutAllOutput, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	out := &logoutAllOutput{}
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) (err error) {
		_, err = q.ExecContext(ctx, `UPDATE users SET session_version = session_version + 1 WHERE id = $1`, p.UserID)
		if err != nil {
			return fmt.Errorf("raise session version: %w", err)
		}
		out.Body.Revoked, err = s.revokeAll(ctx, q, p.UserID)
		return err
	})
	if err != nil {
		return nil, problem(fmt.Errorf("sign out everywhere: %w", err))
	}
	s.audit(ctx, slog.LevelInfo, eventLogoutAll, slog.Int64("user_id", p.UserID), slog.Int64("sessions", out.Body.Revoked))
	return out, nil
}

// revokeAll marks every live session of a user as ended and counts them. The
// caller raises session_version, which is what ends those begun meanwhile.
func (s *Service) revokeAll(ctx context.Context, q store.Querier, user int64) (int64, error) {
	n, err := affected(q.ExecContext(ctx, `
		UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2`, user, s.millis()))
	return n, wrap("revoke sessions", err)
}

// Session is one place where a user is signed in.
type Session struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"the last refresh"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	Current    bool      `json:"current" doc:"this request's own"`
}

type sessionsOutput struct {
	Body []Session
}

func (s *Service) sessions(ctx context.Context, _ *struct{}) (*sessionsOutput, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	out := &sessionsOutput{Body: []Session{}}
	err := s.db.Read(ctx, func(ctx context.Context, q store.Querier) error {
		rows, err := q.QueryContext(ctx, `
			SELECT id, created_at, last_used_at, ip, user_agent FROM sessions
			WHERE user_id = $1 AND version = $2 AND revoked_at IS NULL AND expires_at > $3
			ORDER BY last_used_at DESC, id LIMIT 100`, p.UserID, p.Version, s.millis())
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
		for rows.Next() {
			var x Session
			var created, used int64
			if err := rows.Scan(&x.ID, &created, &used, &x.IP, &x.UserAgent); err != nil {
				return err
			}
			x.CreatedAt, x.LastUsedAt = time.UnixMilli(created).UTC(), time.UnixMilli(used).UTC()
			x.Current = x.ID == p.SessionID
			out.Body = append(out.Body, x)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, problem(fmt.Errorf("list sessions: %w", err))
	}
	return out, nil
}

type endSessionInput struct {
	ID string `path:"id" format:"uuid"`
}

// endSession ends one of the user's own sessions; another's is not found.
func (s *Service) endSession(ctx context.Context, in *endSessionInput) (*struct{}, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	n, err := s.write(ctx, "end session", `
		UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3`,
		in.ID, p.UserID, s.millis())
	if err == nil && n == 0 {
		err = web.Fail(http.StatusNotFound, "not_found", "There is no such session.")
	}
	return nil, err
}
