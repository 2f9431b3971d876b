package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/web"
)

type registerInput struct {
	Body struct {
		Email     Email  `json:"email"`
		Password  string `json:"password" minLength:"1" maxLength:"128"`
		FirstName Name   `json:"first_name"`
		LastName  Name   `json:"last_name"`
	}
}

// register costs one hash and one insert and answers the same, whether or not
// the email has an account; which of the two it was, its owner learns by mail.
func (s *Service) register(ctx context.Context, in *registerInput) (*acceptedOutput, error) {
	if err := s.gate.Count(ctx, limit.Register); err != nil {
		return nil, err
	}
	b := in.Body
	email := b.Email.normal()
	err := s.demandGood("password", b.Password, account{email: email, firstName: string(b.FirstName), lastName: string(b.LastName)})
	if err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, b.Password)
	if err != nil {
		return nil, problem(err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		return s.enqueue(ctx, q, jobRegister, job{To: email, FirstName: string(b.FirstName), LastName: string(b.LastName), Hash: hash})
	})
	if err != nil {
		return nil, problem(err)
	}
	s.wakeOutbox()
	return &acceptedOutput{accepted{"accepted"}}, nil
}

// createRegistered makes the account, as a patient without a record: an admin
// links one. An account that exists is left as it is.
func (s *Service) createRegistered(ctx context.Context, c claimed) error {
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		clinic, err := firstClinic(ctx, q, s.millis())
		if err != nil {
			return err
		}
		notice := job{To: c.To, Subject: "Welcome", Text: "Your clinic account is ready: " + s.FrontendURL + "\n"}
		a, err := s.insert(ctx, q, account{
			clinicID: clinic, email: c.To, firstName: c.FirstName, lastName: c.LastName,
			role: web.Patient, passwordHash: c.Hash,
		})
		switch {
		case errors.Is(err, errNoRow):
			notice.Subject = "You have an account already"
			notice.Text = "Somebody, hopefully you, tried to register with this address, which has an account.\n\n" +
				"Forgotten the password? " + s.FrontendURL + "/reset-password\n"
		case err != nil:
			return err
		default:
			s.audit(ctx, slog.LevelInfo, eventUserCreated, slog.Int64("user_id", a.id), slog.String("by", "registration"))
		}
		return s.enqueue(ctx, q, jobMail, notice)
	})
	return wrap("create registered user", err)
}

// firstClinic is where people go who name no clinic: the oldest, made if there
// is none.
func firstClinic(ctx context.Context, q store.Querier, now int64) (id string, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM clinics ORDER BY created_at, id LIMIT 1`).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id = uuid.Must(uuid.NewV7()).String()
		_, err = q.ExecContext(ctx, `INSERT INTO clinics (id, name, created_at) VALUES ($1, $2, $3)`, id, "Clinic", now)
	}
	return id, wrap("find clinic", err)
}

// insert adds a; errNoRow means that email or patient has an account already.
func (s *Service) insert(ctx context.Context, q store.Querier, a account) (account, error) {
	return insertAccount(ctx, q, a, s.millis())
}

func insertAccount(ctx context.Context, q store.Querier, a account, now int64) (account, error) {
	id, err := takeUserIDs(ctx, q, 1)
	if err != nil {
		return account{}, err
	}
	a, err = scanAccount(q.QueryRowContext(ctx, `
		INSERT INTO users (id, clinic_id, email, first_name, last_name, role, patient_id, password_hash, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
		ON CONFLICT DO NOTHING RETURNING `+accountColumns,
		id, a.clinicID, a.email, a.firstName, a.lastName, string(a.role), a.patientID, a.passwordHash, now))
	if err != nil && !errors.Is(err, errNoRow) {
		return account{}, fmt.Errorf("insert user: %w", err)
	}
	return a, err
}
