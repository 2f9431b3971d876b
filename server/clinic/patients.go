package clinic

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
	"vitals/server/web"
)

type (
	patientAnswer struct {
		ETag     string `header:"ETag"`
		Location string `header:"Location"`
		Body     Patient
	}
	newPatient  struct{ Body PatientFields }
	listPatient struct{ Page }
	editPatient struct {
		ByID
		Precondition
		Body Patch[PatientFields]
	}
	dropPatient struct {
		ByID
		Precondition
	}
)

func (c *clinic) registerPatients(api huma.API) {
	const tag = "patients"
	huma.Register(api, operation("GET", "/patients", "list-patients", "List the clinic's patients", tag, member...), c.listPatients)
	huma.Register(api, creating(operation("POST", "/patients", "create-patient", "Add a patient", tag, staff...)), c.createPatient)
	huma.Register(api, operation("GET", "/patients/{id}", "get-patient", "Read a patient's record", tag, member...), c.getPatient)
	huma.Register(api, describe(operation("PATCH", "/patients/{id}", "update-patient", "Change a patient's record", tag, staff...),
		"A JSON merge patch: absent fields stay, null empties an optional one.", http.StatusPreconditionFailed), c.updatePatient)
	huma.Register(api, describe(operation("DELETE", "/patients/{id}", "delete-patient", "Delete a patient's record", tag, staff...),
		"The record, its medications and pending reminders disappear; what was logged is kept.", http.StatusPreconditionFailed), c.deletePatient)
}

func (c *clinic) listPatients(ctx context.Context, in *listPatient) (*found[List[Patient]], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	out := new(found[List[Patient]])
	err = c.read(ctx, "list patients", func(ctx context.Context, q store.Querier) (err error) {
		l := listing{table: "patients", where: s.patients(), order: "r.last_name, r.first_name, r.id", columns: patientColumns}
		out.Body, err = page(ctx, q, l, in.Page, scanPatient)
		return err
	})
	return out, err
}

func (c *clinic) getPatient(ctx context.Context, in *ByID) (*patientAnswer, error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	var p Patient
	err = c.read(ctx, "read patient", func(ctx context.Context, q store.Querier) (err error) {
		w := s.patients().and("id = ?", in.ID)
		p, err = scanPatient(q.QueryRowContext(ctx, "SELECT "+patientColumns+" FROM patients WHERE "+w.String(), w.args...))
		return missing(err)
	})
	return answerPatient(p), err
}

func (c *clinic) createPatient(ctx context.Context, in *newPatient) (*patientAnswer, error) {
	s, err := staffScope(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	f := in.Body
	if err := checkPatient(f, now); err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, fault("create patient", err)
	}
	var p Patient
	err = c.write(ctx, "create patient", func(ctx context.Context, q store.Querier) (err error) {
		p, err = scanPatient(q.QueryRowContext(ctx, `INSERT INTO patients
			(id, clinic_id, first_name, last_name, birth_date, sex, phone, email, allergies, notes, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING `+patientColumns,
			id, s.clinic, f.FirstName, f.LastName, f.BirthDate, f.Sex, f.Phone, f.Email, f.Allergies, f.Notes, now.UnixMilli()))
		return err
	})
	out := answerPatient(p)
	out.Location = "/api/v1/patients/" + p.ID
	return out, err
}

// updatePatient takes the row by its version first, so that the merge below
// works on a record that nobody else can change.
func (c *clinic) updatePatient(ctx context.Context, in *editPatient) (*patientAnswer, error) {
	s, err := staffScope(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	var p Patient
	err = c.write(ctx, "update patient", func(ctx context.Context, q store.Querier) error {
		var err error
		if p, err = c.takePatient(ctx, q, s, in.ID, in.Precondition, "updated_at", now); err != nil {
			return err
		}
		f := &p.PatientFields
		if err := in.Body.Apply(f); err != nil {
			return err
		}
		if err := checkPatient(*f, now); err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `UPDATE patients SET first_name = $2, last_name = $3, birth_date = $4, sex = $5,
			phone = $6, email = $7, allergies = $8, notes = $9 WHERE id = $1`,
			p.ID, f.FirstName, f.LastName, f.BirthDate, f.Sex, f.Phone, f.Email, f.Allergies, f.Notes)
		return err
	})
	return answerPatient(p), err
}

func (c *clinic) deletePatient(ctx context.Context, in *dropPatient) (*struct{}, error) {
	s, err := staffScope(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	return nil, c.write(ctx, "delete patient", func(ctx context.Context, q store.Querier) error {
		if _, err := c.takePatient(ctx, q, s, in.ID, in.Precondition, "deleted_at", now); err != nil {
			return err
		}
		if _, err := q.ExecContext(ctx, `UPDATE medications SET deleted_at = $3
			WHERE clinic_id = $1 AND patient_id = $2 AND deleted_at IS NULL`, s.clinic, in.ID, now.UnixMilli()); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `DELETE FROM reminders
			WHERE clinic_id = $1 AND patient_id = $2 AND status = 'pending'`, s.clinic, in.ID)
		return err
	})
}

// takePatient stamps the column of a live record with now, if the version is
// the expected one, and gives the record with its new version. Whether it may
// is decided by the UPDATE alone; the read after it only tells 412 from 404.
func (c *clinic) takePatient(ctx context.Context, q store.Querier, s scope, id string, m Precondition, stamp string, now time.Time) (Patient, error) {
	live := s.patients().and("id = ?", id)
	w := s.patients().and("id = ?", id)
	if version, any := m.version(); !any {
		w.and("version = ?", version)
	}
	text := w.update("patients", "version = version + 1, "+stamp+" = ?", now.UnixMilli()) + " RETURNING " + patientColumns
	p, err := scanPatient(q.QueryRowContext(ctx, text, w.args...))
	if err = missing(err); !isNotFound(err) {
		return p, err
	}
	var one int
	err = q.QueryRowContext(ctx, "SELECT 1 FROM patients WHERE "+live.String(), live.args...).Scan(&one)
	if err == nil {
		err = web.Fail(http.StatusPreconditionFailed, "version_mismatch", "The record has changed since you read it.")
	}
	return p, missing(err)
}

func answerPatient(p Patient) *patientAnswer {
	return &patientAnswer{ETag: strconv.Quote(strconv.FormatInt(p.Version, 10)), Body: p}
}
