package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"vitals/server/store"
	"vitals/server/web"
)

// maxOffset bounds how far a list may be paged: beyond it a database counts rows
// that nobody reads.
const maxOffset = 10_000

type listUsersInput struct {
	Page int `query:"page" minimum:"1" maximum:"10001" default:"1"`
	Size int `query:"page_size" minimum:"1" maximum:"100" default:"20"`
}

// UserPage is one page of a clinic's users.
type UserPage struct {
	Items []User `json:"items"`
	Total int    `json:"total"`
	Page  int    `json:"page"`
	Size  int    `json:"page_size"`
}

type userPageOutput struct {
	Body UserPage
}

// listUsers lists the users of the admin's own clinic.
func (s *Service) listUsers(ctx context.Context, in *listUsersInput) (*userPageOutput, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	offset := (in.Page - 1) * in.Size
	if offset > maxOffset {
		return nil, web.Fail(http.StatusUnprocessableEntity, "validation", "Pages end at entry 10000; narrow the search.")
	}
	out := &userPageOutput{Body: UserPage{Items: []User{}, Page: in.Page, Size: in.Size}}
	err := s.db.Read(ctx, func(ctx context.Context, q store.Querier) error {
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE clinic_id = $1`, p.ClinicID).Scan(&out.Body.Total)
		if err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, `
			SELECT `+accountColumns+` FROM users WHERE clinic_id = $1 ORDER BY id LIMIT $2 OFFSET $3`, p.ClinicID, in.Size, offset)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
		for rows.Next() {
			a, err := scanAccount(rows)
			if err != nil {
				return err
			}
			out.Body.Items = append(out.Body.Items, s.user(a))
		}
		return rows.Err()
	})
	if err != nil {
		return nil, problem(fmt.Errorf("list users: %w", err))
	}
	return out, nil
}

type createUserInput struct {
	Body struct {
		Email     Email    `json:"email"`
		Password  string   `json:"password" minLength:"1" maxLength:"128"`
		FirstName Name     `json:"first_name"`
		LastName  Name     `json:"last_name"`
		Role      web.Role `json:"role" enum:"patient,clinician,admin"`
		PatientID string   `json:"patient_id,omitempty" format:"uuid" doc:"the record of a patient, in the same clinic"`
	}
}

type createUserOutput struct {
	Location string `header:"Location"`
	Body     User
}

// createUser adds a user to the admin's own clinic. An admin may learn that an
// email has an account; nobody else can.
func (s *Service) createUser(ctx context.Context, in *createUserInput) (*createUserOutput, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	b := in.Body
	a := account{
		clinicID: p.ClinicID, email: b.Email.normal(), firstName: string(b.FirstName), lastName: string(b.LastName),
		role: b.Role, patientID: nullable(b.PatientID),
	}
	if err := s.demandGood("password", b.Password, a); err != nil {
		return nil, err
	}
	var err error
	if a.passwordHash, err = s.hasher.Hash(ctx, b.Password); err != nil {
		return nil, problem(err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		if err := s.demandPatient(ctx, q, a); err != nil {
			return err
		}
		a, err = s.insert(ctx, q, a)
		return err
	})
	if errors.Is(err, errNoRow) {
		return nil, web.Fail(http.StatusConflict, "duplicate_user", "This email or this patient has an account already.")
	}
	if err != nil {
		return nil, problem(fmt.Errorf("create user: %w", err))
	}
	s.audit(ctx, slog.LevelInfo, eventUserCreated, slog.Int64("user_id", a.id),
		slog.Int64("by", p.UserID), slog.String("role", string(a.role)))
	return &createUserOutput{Location: fmt.Sprintf("%s/users/%d", prefix, a.id), Body: s.user(a)}, nil
}

// demandPatient refuses a record that is not a patient's of the same clinic.
func (s *Service) demandPatient(ctx context.Context, q store.Querier, a account) error {
	if !a.patientID.Valid {
		return nil
	}
	ok := false
	if a.role == web.Patient && s.hasPatient != nil {
		var err error
		if ok, err = s.hasPatient(ctx, q, a.clinicID, a.patientID.String); err != nil {
			return fmt.Errorf("look up patient: %w", err)
		}
	}
	if !ok {
		p := web.Fail(http.StatusUnprocessableEntity, "validation", "There is no such patient to link.")
		p.Errors = []web.FieldError{{Field: "body.patient_id", Msg: "is no patient of this clinic"}}
		return p
	}
	return nil
}

type patchUserInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Role     *web.Role `json:"role,omitempty" enum:"patient,clinician,admin"`
		IsActive *bool     `json:"is_active,omitempty"`
	}
}

// patchUser changes role or status in the admin's own clinic; both end every
// session of the user. An admin cannot change their own, or the last one could
// lock the clinic out by a slip.
func (s *Service) patchUser(ctx context.Context, in *patchUserInput) (*userOutput, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	if in.Body.Role == nil && in.Body.IsActive == nil {
		return nil, web.Fail(http.StatusUnprocessableEntity, "validation", "There is nothing to change.")
	}
	if in.ID == p.UserID {
		return nil, web.Fail(http.StatusConflict, "own_account", "Another admin has to change your account.")
	}
	var role, active any // NULL keeps what is
	if in.Body.Role != nil {
		role = string(*in.Body.Role)
	}
	if in.Body.IsActive != nil {
		active = *in.Body.IsActive
	}
	var a account
	err := s.db.Write(ctx, func(ctx context.Context, q store.Querier) (err error) {
		a, err = scanAccount(q.QueryRowContext(ctx, `
			UPDATE users SET role = COALESCE($3, role), is_active = COALESCE($4, is_active),
				patient_id = CASE WHEN COALESCE($3, role) = 'patient' THEN patient_id END,
				session_version = session_version + 1, updated_at = $5
			WHERE id = $1 AND clinic_id = $2 RETURNING `+accountColumns,
			in.ID, p.ClinicID, role, active, s.millis()))
		if err != nil {
			return err
		}
		_, err = s.revokeAll(ctx, q, a.id)
		return err
	})
	if errors.Is(err, errNoRow) {
		return nil, web.Fail(http.StatusNotFound, "not_found", "There is no such user.")
	}
	if err != nil {
		return nil, problem(fmt.Errorf("change user: %w", err))
	}
	s.audit(ctx, slog.LevelInfo, eventUserChanged, slog.Int64("user_id", a.id), slog.Int64("by", p.UserID),
		slog.String("role", string(a.role)), slog.Bool("is_active", a.active))
	return &userOutput{Body: s.user(a)}, nil
}
