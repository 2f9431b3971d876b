package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"vitals/server/store"
	"vitals/server/web"
)

// SeedClinic is the name of the clinic that seeded accounts belong to.
const SeedClinic = "Seeded Clinic"

// SeedOptions adds staff to the seeded patients.
type SeedOptions struct {
	Hash       func(ctx context.Context, password string) (string, error) // as Hasher.Hash
	Clinicians int                                                        // clinician-001@clinic.test, …
	Admins     int                                                        // admin-001@clinic.test, …
}

// Account is a seeded user. PatientID is a new id for a record that the clinic
// service is to make, "" for staff.
type Account struct {
	UserID    int64
	Email     string
	Role      web.Role
	ClinicID  string
	PatientID string
}

// Seed makes n patients, patient-000001@clinic.test and on, and the staff that o
// asks for, in one clinic. All share one password and one hash of it, so that
// thousands take seconds; every sign-in still costs one argon2 hash. Seeding again
// keeps ids and sets the password again. Patients come first in the result, in
// the order of their numbers.
func Seed(ctx context.Context, db store.DB, n int, password string, o SeedOptions) ([]Account, error) {
	if o.Hash == nil {
		return nil, errors.New("seed accounts: no hash function")
	}
	hash, err := o.Hash(ctx, password)
	if err != nil {
		return nil, fmt.Errorf("seed accounts: %w", err)
	}
	clinic, err := seedClinic(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("seed accounts: %w", err)
	}
	accounts := make([]Account, 0, n+o.Clinicians+o.Admins)
	add := func(role web.Role, format string, count int) {
		for i := range count {
			a := Account{Email: fmt.Sprintf(format, i+1), Role: role, ClinicID: clinic}
			if role == web.Patient {
				a.PatientID = uuid.Must(uuid.NewV7()).String()
			}
			accounts = append(accounts, a)
		}
	}
	add(web.Patient, "patient-%06d@clinic.test", n)
	add(web.Clinician, "clinician-%03d@clinic.test", o.Clinicians)
	add(web.Admin, "admin-%03d@clinic.test", o.Admins)

	const batch = 500 // 500 rows of 10 values stay below both engines' limit of placeholders
	for at := 0; at < len(accounts); at += batch {
		part := accounts[at:min(at+batch, len(accounts))]
		err := db.Write(ctx, func(ctx context.Context, q store.Querier) error {
			return seedUsers(ctx, q, part, hash)
		})
		if err != nil {
			return nil, fmt.Errorf("seed accounts from %s on: %w", part[0].Email, err)
		}
	}
	return accounts, nil
}

func seedClinic(ctx context.Context, db store.DB) (id string, err error) {
	err = db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		return q.QueryRowContext(ctx, `
			INSERT INTO clinics (id, name, created_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
			uuid.Must(uuid.NewV7()).String(), SeedClinic, time.Now().UnixMilli()).Scan(&id)
	})
	if err != nil {
		return "", fmt.Errorf("make clinic: %w", err)
	}
	return id, nil
}

// takeUserIDs reserves n ids and returns the first.
func takeUserIDs(ctx context.Context, q store.Querier, n int) (first int64, err error) {
	err = q.QueryRowContext(ctx, `UPDATE user_ids SET last = last + $1 RETURNING last`, n).Scan(&first)
	if err != nil {
		return 0, fmt.Errorf("take user ids: %w", err)
	}
	return first - int64(n) + 1, nil
}

// seedUsers writes part in one statement and fills in the ids that hold.
func seedUsers(ctx context.Context, q store.Querier, part []Account, hash string) error {
	first, err := takeUserIDs(ctx, q, len(part))
	if err != nil {
		return err
	}
	const columns = 9
	var values strings.Builder
	args := make([]any, 0, len(part)*columns)
	now := time.Now().UnixMilli()
	for i, a := range part {
		if i > 0 {
			values.WriteString(", ")
		}
		n := i * columns
		fmt.Fprintf(&values, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)",
			n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9, n+9)
		name, number, _ := strings.Cut(strings.TrimSuffix(a.Email, "@clinic.test"), "-")
		var patient any
		if a.PatientID != "" {
			patient = a.PatientID
		}
		args = append(args, first+int64(i), a.ClinicID, a.Email,
			strings.ToUpper(name[:1])+name[1:], number, string(a.Role), patient, hash, now)
	}
	rows, err := q.QueryContext(ctx, `
		INSERT INTO users (id, clinic_id, email, first_name, last_name, role, patient_id, password_hash, created_at, updated_at)
		VALUES `+values.String()+`
		ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, updated_at = excluded.updated_at
		RETURNING id, email, COALESCE(patient_id, '')`, args...)
	if err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
	at := make(map[string]int, len(part))
	for i, a := range part {
		at[a.Email] = i
	}
	for rows.Next() {
		var id int64
		var email, patient string
		if err := rows.Scan(&id, &email, &patient); err != nil {
			return fmt.Errorf("read seeded user: %w", err)
		}
		a := &part[at[email]]
		a.UserID, a.PatientID = id, patient
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	return nil
}
