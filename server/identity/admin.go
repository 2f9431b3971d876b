package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"vitals/server/identity/password"
	"vitals/server/store"
	"vitals/server/web"
)

// NewAdmin is an admin who is made on the operator's machine and not over the API:
// the first one, whom nobody could ask.
type NewAdmin struct {
	Email, FirstName, LastName string
	Password                   string
}

// ErrAdminRefused is behind every error that the operator can mend by other input.
var ErrAdminRefused = errors.New("refused")

var emailForm = regexp.MustCompile(Email("").Schema(nil).Pattern)

// Check reports what of a is not as the API would take it, the password by policy.
func (a NewAdmin) Check(policy *password.Policy) error {
	var wrong []error
	if !emailForm.MatchString(a.Email) || len(a.Email) > 254 || !utf8.ValidString(a.Email) {
		wrong = append(wrong, errors.New("the email must be an address, such as ada@clinic.example"))
	}
	for _, name := range []string{a.FirstName, a.LastName} {
		if n := utf8.RuneCountInString(name); n < 1 || n > 100 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			wrong = append(wrong, errors.New("first and last name must have 1 to 100 characters"))
			break
		}
	}
	if err := policy.Check(a.Password, a.Email, a.FirstName, a.LastName); err != nil {
		wrong = append(wrong, fmt.Errorf("the %w", err))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %w", ErrAdminRefused, errors.Join(wrong...))
	}
	return nil
}

// CreateAdmin adds a to the first clinic, which is made if there is none, and gives
// the user's id. It does not look at a again: Check did.
func CreateAdmin(ctx context.Context, db store.DB, hash func(ctx context.Context, password string) (string, error), log *slog.Logger, a NewAdmin) (id int64, err error) {
	hashed, err := hash(ctx, a.Password)
	if err != nil {
		return 0, fmt.Errorf("create admin: %w", err)
	}
	now := time.Now()
	err = db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		clinic, err := firstClinic(ctx, q, now.UnixMilli())
		if err != nil {
			return err
		}
		made, err := insertAccount(ctx, q, account{
			clinicID: clinic, email: Email(a.Email).normal(), firstName: a.FirstName, lastName: a.LastName,
			role: web.Admin, passwordHash: hashed,
		}, now.UnixMilli())
		id = made.id
		return err
	})
	switch {
	case errors.Is(err, errNoRow):
		return 0, fmt.Errorf("%w: there is an account with this email already", ErrAdminRefused)
	case err != nil:
		return 0, fmt.Errorf("create admin: %w", err)
	}
	log.LogAttrs(ctx, slog.LevelInfo, eventUserCreated, slog.Int64("user_id", id), slog.String("by", "operator"), slog.String("role", string(web.Admin)))
	return id, nil
}
