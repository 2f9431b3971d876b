package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"vitals/server/identity/password"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/web"
)

type changeInput struct {
	Device
	Body struct {
		OldPassword string `json:"old_password" minLength:"1" maxLength:"128"`
		NewPassword string `json:"new_password" minLength:"1" maxLength:"128"`
	}
}

// changePassword gives a new session and ends every other at once: whoever else
// knew the old password is out.
func (s *Service) changePassword(ctx context.Context, in *changeInput) (*tokensOutput, error) {
	if err := s.countChange(ctx); err != nil {
		return nil, err
	}
	a, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.demandGood("new_password", in.Body.NewPassword, a); err != nil {
		return nil, err
	}
	if in.Body.NewPassword == in.Body.OldPassword {
		return nil, unfit("new_password", "password_same", "is the old password")
	}
	if err := s.demandPassword(ctx, "password_change", a, in.Body.OldPassword); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, problem(err)
	}
	out := &tokensOutput{}
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		// Of two parallel changes by the same old password one is too late.
		fresh, err := s.replacePassword(ctx, q, a.id, hash, a.version)
		if err != nil {
			return err
		}
		out.Body, err = s.open(ctx, q, fresh, in.Device)
		return err
	})
	s.wakeOutbox()
	if errors.Is(err, errNoRow) {
		return nil, invalidToken(ctx)
	}
	if err != nil {
		return nil, problem(fmt.Errorf("change password: %w", err))
	}
	s.outcome("password_change", "ok")
	s.audit(ctx, slog.LevelInfo, eventPasswordChanged, slog.Int64("user_id", a.id))
	return out, nil
}

// countChange counts a request under password_change, by address and by user.
func (s *Service) countChange(ctx context.Context) error {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return invalidToken(ctx)
	}
	return s.gate.Count(ctx, limit.PasswordChange, s.gate.ClientKey(ctx), limit.UserKey(p.UserID))
}

// replacePassword stores a new hash for a user still at version, ends all
// sessions and outstanding reset tokens by raising it, and queues the notice to
// the owner. errNoRow means that the version has moved on.
func (s *Service) replacePassword(ctx context.Context, q store.Querier, user int64, hash string, version int64) (account, error) {
	a, err := scanAccount(q.QueryRowContext(ctx, `
		UPDATE users SET password_hash = $2, session_version = session_version + 1, updated_at = $4
		WHERE id = $1 AND session_version = $3 AND is_active
		RETURNING `+accountColumns, user, hash, version, s.millis()))
	if err != nil {
		return account{}, err
	}
	if _, err := s.revokeAll(ctx, q, user); err != nil {
		return account{}, err
	}
	return a, s.enqueue(ctx, q, jobMail, job{To: a.email, Subject: "Your password was changed", Text: "The password of your clinic account was changed just now, " +
		"and every device was signed out.\n\nIf that was not you, reset your password at once: " + s.FrontendURL + "/reset-password\n"})
}

// demandGood refuses with 422 a password that must not be chosen for a.
func (s *Service) demandGood(field, word string, a account) error {
	err := s.passwords.Check(word, a.email, a.firstName, a.lastName)
	if weak, ok := errors.AsType[*password.Weak](err); ok {
		return unfit(field, weak.Code, weak.Reason)
	}
	return problem(err)
}

// unfit is a 422 about one field.
func unfit(field, code, msg string) *web.Problem {
	p := web.Fail(http.StatusUnprocessableEntity, code, "The password cannot be used: it "+msg+".")
	p.Errors = []web.FieldError{{Field: "body." + field, Msg: msg}}
	return p
}

// nullable stores "" as NULL.
func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
