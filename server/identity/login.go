package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"vitals/server/limit"
	"vitals/server/store"
)

type loginInput struct {
	Device
	Body struct {
		Email    Email  `json:"email"`
		Password string `json:"password" minLength:"1" maxLength:"128"`
	}
}

// SignIn is the answer to a right password: tokens, or, when Status is
// "2fa_required", a challenge to answer with the second factor.
type SignIn struct {
	Status         string `json:"status,omitempty" enum:"2fa_required"`
	ChallengeToken string `json:"challenge_token,omitempty"`
	AccessToken    string `json:"access_token,omitempty"`
	RefreshToken   string `json:"refresh_token,omitempty"`
	TokenType      string `json:"token_type,omitempty" enum:"bearer"`
	ExpiresIn      int    `json:"expires_in" doc:"seconds, of the access token or the challenge"`
	User           *User  `json:"user,omitempty"`
}

type loginOutput struct {
	Body SignIn
}

// login keeps this order: the input is valid, the limiter has a slot, a hash can be
// had, one trip to the database, the account throttle, one hash, the limiter is told
// the result. Nothing costly comes before the limiter. An unknown account, a wrong
// password and a disabled account cost the same and are answered in the same words.
func (s *Service) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	attempt, err := s.gate.Enter(ctx, limit.Login)
	if err != nil {
		s.outcome("login", "refused")
		return nil, err
	}
	// From here on a client that hangs up gets its attempt judged all the same:
	// aborting is no refund.
	ctx = context.WithoutCancel(ctx)
	defer attempt.Release(ctx)

	turn, err := s.hasher.Queue()
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(err)
	}
	defer turn.Leave()
	email := in.Body.Email.normal()
	who := slog.String("account", s.keys.Pseudonym(email))
	a, known, err := s.lookUp(ctx, email)
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(fmt.Errorf("sign in: %w", err))
	}
	guess, err := s.gate.EnterAccount(ctx, email, known)
	if err != nil {
		s.outcome("login", "refused")
		return nil, err
	}
	defer guess.Release(ctx)
	ok, stale, err := turn.Check(ctx, in.Body.Password, a.passwordHash) // "" = the dummy
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(err)
	}
	if !ok || !a.active {
		attempt.Fail(ctx, email)
		guess.Fail(ctx)
		s.outcome("login", "failed")
		s.audit(ctx, slog.LevelWarn, eventLoginFailed, who)
		return nil, invalidCredentials(ctx)
	}
	if stale {
		s.rehash(ctx, a, in.Body.Password)
	}
	if a.totpConfirmed {
		// The attempt is released, not passed: its failures stay until the second
		// factor is there too.
		return s.challenge(ctx, a)
	}
	out := &loginOutput{}
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		tokens, err := s.open(ctx, q, a, in.Device)
		out.Body = tokens.signIn()
		return err
	})
	if err != nil {
		s.outcome("login", "error")
		return nil, problem(fmt.Errorf("sign in: %w", err))
	}
	attempt.Pass(ctx, email)
	guess.Pass(ctx)
	s.outcome("login", "ok")
	s.audit(ctx, slog.LevelInfo, eventLoginOK, who, slog.Int64("user_id", a.id))
	return out, nil
}

// lookUp reads, on one connection, what the database knows of an email: the
// user, zero if there is none, and whether this address has signed in to it.
func (s *Service) lookUp(ctx context.Context, email string) (a account, known bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q store.Querier) (err error) {
		if known, err = s.knowsAddress(ctx, q, email); err != nil {
			return err
		}
		a, err = accountByEmail(ctx, q, email)
		return err
	})
	if err != nil && !errors.Is(err, errNoRow) {
		return account{}, false, err
	}
	return a, known, nil
}

// rehash stores a password's hash at today's cost. Without a free slot, or when
// the password changes meanwhile, the next sign-in does it.
func (s *Service) rehash(ctx context.Context, a account, password string) {
	hash, err := s.hasher.Hash(ctx, password)
	if err == nil {
		err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
			_, err := q.ExecContext(ctx, `UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`,
				hash, a.id, a.passwordHash)
			return err
		})
	}
	if err != nil {
		s.log.WarnContext(ctx, "password hash stays at its old cost", "user_id", a.id, "error", err)
	}
}

func (t Tokens) signIn() SignIn {
	return SignIn{
		AccessToken: t.AccessToken, RefreshToken: t.RefreshToken,
		TokenType: t.TokenType, ExpiresIn: t.ExpiresIn, User: &t.User,
	}
}

// knownFor is how long an address stays known to an account.
const knownFor = 30 * 24 * time.Hour

// knowsAddress reports whether email was signed in to from this address lately.
func (s *Service) knowsAddress(ctx context.Context, q store.Querier, email string) (known bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM known_ips WHERE account = $1 AND ip = $2 AND seen_at > $3)`,
		s.keys.Account(email), s.gate.ClientKey(ctx), s.now().Add(-knownFor).UnixMilli()).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look up known address: %w", err)
	}
	return known, nil
}

// rememberAddress makes this address known to email.
func (s *Service) rememberAddress(ctx context.Context, q store.Querier, email string) error {
	_, err := q.ExecContext(ctx, `
		INSERT INTO known_ips (account, ip, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (account, ip) DO UPDATE SET seen_at = excluded.seen_at`,
		s.keys.Account(email), s.gate.ClientKey(ctx), s.millis())
	if err != nil {
		return fmt.Errorf("remember address: %w", err)
	}
	return nil
}
