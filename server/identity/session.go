package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"vitals/server/identity/token"
	"vitals/server/store"
	"vitals/server/web"
)

// Tokens is what a sign-in gives. The access token opens the API until
// ExpiresIn seconds from now; the refresh token buys the next pair, once.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type" enum:"bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"seconds"`
	User         User   `json:"user"`
}

// Authenticate reads an access token, without the database. The principal it
// gives has no role yet: CheckSession completes it.
func (s *Service) Authenticate(ctx context.Context, raw string) (web.Principal, error) {
	c, err := s.keys.Parse(token.Access, raw, s.now())
	if err != nil || c.SessionID == "" {
		return web.Principal{}, unauthorized(ctx, "invalid_token", "The access token is not valid.")
	}
	return web.Principal{UserID: c.UserID, SessionID: c.SessionID, Version: c.Version}, nil
}

// CheckSession reads user and session by their primary keys and fills in role,
// clinic and patient. It refuses when the user was disabled, every session was
// ended (session_version) or this one was: signing out ends the access token
// too, not only the next refresh (ASVS 7.4.1).
func (s *Service) CheckSession(ctx context.Context, p web.Principal) (web.Principal, error) {
	var confirmed bool
	err := s.db.Read(ctx, func(ctx context.Context, q store.Querier) error {
		return q.QueryRowContext(ctx, `
			SELECT u.role, u.clinic_id, COALESCE(u.patient_id, ''), u.totp_confirmed
			FROM users u JOIN sessions s ON s.id = $2 AND s.user_id = u.id
			WHERE u.id = $1 AND u.is_active AND u.session_version = $3
			AND s.version = u.session_version AND s.revoked_at IS NULL`,
			p.UserID, p.SessionID, p.Version).Scan(&p.Role, &p.ClinicID, &p.PatientID, &confirmed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return web.Principal{}, unauthorized(ctx, "invalid_token", "The session has ended.")
	}
	if err != nil {
		return web.Principal{}, problem(fmt.Errorf("check session: %w", err))
	}
	if s.mustEnrol(p.Role, confirmed) {
		p.Role = "" // may enrol, may see itself, acts as nobody
	}
	return p, nil
}

func (s *Service) mustEnrol(r web.Role, confirmed bool) bool {
	return !confirmed && slices.Contains(s.TwoFactorRoles, r)
}

// maxSessions is how many sessions a user has at most: a right password must not
// fill the database. The one that was refreshed longest ago ends first.
const maxSessions = 50

// open starts a session of a: a new family with its first refresh token. The
// address it comes from is known to the account from now on.
func (s *Service) open(ctx context.Context, q store.Querier, a account, d Device) (Tokens, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Tokens{}, fmt.Errorf("open session: %w", err)
	}
	now := s.millis()
	_, err = q.ExecContext(ctx, `
		INSERT INTO sessions (id, user_id, version, ip, user_agent, created_at, last_used_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id.String(), a.id, a.version, address(ctx), d.name(), now, now, now+s.RefreshTTL.Milliseconds())
	if err != nil {
		return Tokens{}, fmt.Errorf("open session: %w", err)
	}
	_, err = q.ExecContext(ctx, `DELETE FROM sessions WHERE id IN (
		SELECT id FROM sessions WHERE user_id = $1
		ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END, last_used_at DESC, id DESC LIMIT 1000 OFFSET $2)`, a.id, maxSessions)
	if err != nil {
		return Tokens{}, fmt.Errorf("end the oldest sessions: %w", err)
	}
	if err := s.rememberAddress(ctx, q, a.email); err != nil {
		return Tokens{}, err
	}
	return s.issue(ctx, q, a, id.String())
}

// issue adds the next refresh token to a family and signs the access token.
func (s *Service) issue(ctx context.Context, q store.Querier, a account, session string) (Tokens, error) {
	raw, hash := token.New()
	now := s.now()
	_, err := q.ExecContext(ctx, `
		INSERT INTO refresh_tokens (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)`,
		hash, session, now.UnixMilli(), now.Add(s.RefreshTTL).UnixMilli())
	if err != nil {
		return Tokens{}, fmt.Errorf("issue refresh token: %w", err)
	}
	access, err := s.keys.Sign(token.Access, token.Claims{
		UserID: a.id, SessionID: session, Version: a.version, ID: uuid.NewString(),
	}, now, s.AccessTTL)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		AccessToken: access, RefreshToken: raw, TokenType: "bearer",
		ExpiresIn: int(s.AccessTTL / time.Second), User: s.user(a),
	}, nil
}

// address is the client's full address as text, "" when unknown.
func address(ctx context.Context) string {
	if ip := web.ClientIP(ctx); ip.IsValid() {
		return ip.String()
	}
	return ""
}
