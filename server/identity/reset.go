package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"vitals/server/identity/mail"
	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
)

// accepted is the body of a 202: constant, whoever exists.
type accepted struct {
	Status string `json:"status" enum:"accepted"`
}

type acceptedOutput struct {
	Body accepted
}

type resetInput struct {
	Body struct {
		Email Email `json:"email"`
	}
}

// requestReset says the same, after the same work, to everybody.
func (s *Service) requestReset(ctx context.Context, in *resetInput) (*acceptedOutput, error) {
	if err := s.gate.Count(ctx, limit.PasswordReset); err != nil {
		return nil, err
	}
	email := in.Body.Email.normal()
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		return s.enqueue(ctx, q, jobReset, job{To: email})
	})
	if err != nil {
		return nil, problem(err)
	}
	s.wakeOutbox()
	s.audit(ctx, slog.LevelInfo, eventResetRequested, slog.String("account", s.keys.Pseudonym(email)))
	return &acceptedOutput{accepted{"accepted"}}, nil
}

// sendReset makes a token and mails it, to users that exist. A retry makes a new
// token, since the old one is stored nowhere in readable form.
func (s *Service) sendReset(ctx context.Context, c claimed) error {
	raw, hash := token.New()
	send := false
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		a, err := accountByEmail(ctx, q, c.To)
		if errors.Is(err, errNoRow) || err == nil && !a.active {
			return nil
		}
		if err != nil {
			return err
		}
		send, err = s.keepReset(ctx, q, a, hash, c.attempts > 1)
		return err
	})
	if err != nil || !send {
		return err
	}
	return s.mail.Send(ctx, mail.Message{
		To: c.To, Subject: "Reset your password",
		// The fragment stays in the browser: no server or Referer sees the token.
		Text: fmt.Sprintf("Somebody, hopefully you, asked to reset the password of your clinic account.\n\n"+
			"%s/reset-password#token=%s\n\nThe link works once, until %s. If it was not you, do nothing.\n",
			s.FrontendURL, raw, s.now().Add(s.ResetTTL).UTC().Format(time.RFC1123)),
	})
}

// keepReset makes hash the user's one valid token, unless three were sent within
// the hour: then silently nothing happens, or anybody could flood a
// mailbox. A retry of one already admitted is not counted again.
func (s *Service) keepReset(ctx context.Context, q store.Querier, a account, hash string, retry bool) (bool, error) {
	now := s.now()
	expires := now.Add(s.ResetTTL).UnixMilli()
	if retry {
		n, err := affected(q.ExecContext(ctx, `
			UPDATE reset_tokens SET hash = $2, version = $3, expires_at = $4 WHERE user_id = $1`,
			a.id, hash, a.version, expires))
		return n == 1, wrap("keep reset token", err)
	}
	n, err := affected(q.ExecContext(ctx, `
		INSERT INTO reset_tokens (user_id, hash, version, expires_at, sent_1) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id) DO UPDATE SET
			hash = excluded.hash, version = excluded.version, expires_at = excluded.expires_at,
			sent_3 = reset_tokens.sent_2, sent_2 = reset_tokens.sent_1, sent_1 = excluded.sent_1
		WHERE reset_tokens.sent_3 <= $6`,
		a.id, hash, a.version, expires, now.UnixMilli(), now.Add(-time.Hour).UnixMilli()))
	return n == 1, wrap("keep reset token", err)
}

type confirmResetInput struct {
	Body struct {
		Token       string `json:"token" minLength:"1" maxLength:"128"`
		NewPassword string `json:"new_password" minLength:"1" maxLength:"128"`
	}
}

// confirmReset sets the password and signs nobody in: the second factor stays in
// force (ASVS 6.4.3), and every session ends.
func (s *Service) confirmReset(ctx context.Context, in *confirmResetInput) (*struct{}, error) {
	if err := s.gate.Count(ctx, limit.PasswordResetConfirm); err != nil {
		return nil, err
	}
	hash, err := token.Hash(in.Body.Token)
	if err != nil {
		return nil, invalidToken(ctx)
	}
	a, err := s.resettable(ctx, hash)
	if errors.Is(err, errNoRow) {
		s.outcome("password_reset", "failed")
		return nil, invalidToken(ctx)
	}
	if err != nil {
		return nil, problem(err)
	}
	if err := s.demandGood("new_password", in.Body.NewPassword, a); err != nil {
		return nil, err // the token is still good for a better password
	}
	made, err := s.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, problem(err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		n, err := affected(q.ExecContext(ctx, `
			UPDATE reset_tokens SET hash = NULL WHERE hash = $1 AND version = $2 AND expires_at > $3`, hash, a.version, s.millis()))
		if err != nil {
			return fmt.Errorf("spend reset token: %w", err)
		}
		if n == 0 {
			return errNoRow
		}
		_, err = s.replacePassword(ctx, q, a.id, made, a.version)
		return err
	})
	if errors.Is(err, errNoRow) {
		s.outcome("password_reset", "failed")
		return nil, invalidToken(ctx)
	}
	if err != nil {
		return nil, problem(fmt.Errorf("reset password: %w", err))
	}
	s.wakeOutbox()
	s.gate.ResetAccount(ctx, a.email)
	s.outcome("password_reset", "ok")
	s.audit(ctx, slog.LevelInfo, eventPasswordChanged, slog.Int64("user_id", a.id), slog.Bool("reset", true))
	return nil, nil
}

// resettable is the user whom a live token belongs to. It is a look, not the
// decision: that is the UPDATE.
func (s *Service) resettable(ctx context.Context, hash string) (a account, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q store.Querier) (err error) {
		a, err = scanAccount(q.QueryRowContext(ctx, `
			SELECT `+accountColumns+` FROM users WHERE is_active AND id = (
				SELECT user_id FROM reset_tokens
				WHERE hash = $1 AND expires_at > $2 AND reset_tokens.version = users.session_version)`,
			hash, s.millis()))
		return err
	})
	return a, err
}
