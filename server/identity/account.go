package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vitals/server/store"
	"vitals/server/web"
)

// account is one row of users.
type account struct {
	id            int64
	clinicID      string
	email         string
	firstName     string
	lastName      string
	role          web.Role
	patientID     sql.NullString
	active        bool
	passwordHash  string
	totpSecret    sql.NullString // sealed
	totpConfirmed bool
	version       int64
	createdAt     int64 // ms
}

const accountColumns = `id, clinic_id, email, first_name, last_name, role, patient_id, is_active,
	password_hash, totp_secret, totp_confirmed, session_version, created_at`

// errNoRow means that nothing matched; the caller knows what that means.
var errNoRow = errors.New("no such row")

func scanAccount(row interface{ Scan(...any) error }) (a account, err error) {
	err = row.Scan(&a.id, &a.clinicID, &a.email, &a.firstName, &a.lastName, &a.role, &a.patientID, &a.active,
		&a.passwordHash, &a.totpSecret, &a.totpConfirmed, &a.version, &a.createdAt)
	if errors.Is(err, sql.ErrNoRows) {
		return account{}, errNoRow
	}
	if err != nil {
		return account{}, fmt.Errorf("read user: %w", err)
	}
	return a, nil
}

func accountByEmail(ctx context.Context, q store.Querier, email string) (account, error) {
	return scanAccount(q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users WHERE email = $1`, email))
}

func accountByID(ctx context.Context, q store.Querier, id int64) (account, error) {
	return scanAccount(q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users WHERE id = $1`, id))
}

// User is an account as its owner and admins see it.
type User struct {
	ID        int64     `json:"id"`
	Email     string    `json:"email"`
	FirstName string    `json:"first_name"`
	LastName  string    `json:"last_name"`
	Role      web.Role  `json:"role"`
	ClinicID  string    `json:"clinic_id"`
	PatientID string    `json:"patient_id,omitempty" doc:"the record of a patient"`
	IsActive  bool      `json:"is_active"`
	TwoFactor bool      `json:"two_factor_enabled"`
	MustEnrol bool      `json:"two_factor_required" doc:"the role needs a second factor and acts only once it is confirmed"`
	CreatedAt time.Time `json:"created_at"`
}

func (s *Service) user(a account) User {
	return User{
		ID: a.id, Email: a.email, FirstName: a.firstName, LastName: a.lastName,
		Role: a.role, ClinicID: a.clinicID, PatientID: a.patientID.String,
		IsActive: a.active, TwoFactor: a.totpConfirmed,
		MustEnrol: s.mustEnrol(a.role, a.totpConfirmed),
		CreatedAt: time.UnixMilli(a.createdAt).UTC(),
	}
}
