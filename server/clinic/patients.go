package clinic

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
	"vitals/server/web"
)

// PatientFields is what staff write about a patient. Dates are YYYY-MM-DD.
type PatientFields struct {
	FirstName string  `json:"first_name" minLength:"1" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	LastName  string  `json:"last_name" minLength:"1" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	BirthDate string  `json:"birth_date" format:"date"`
	Sex       *string `json:"sex" required:"false" enum:"female,male,other,unknown"`
	Phone     *string `json:"phone" required:"false" maxLength:"32" pattern:"^[0-9+() ./-]*$"`
	Email     *string `json:"email" required:"false" format:"email" maxLength:"254" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	Allergies *string `json:"allergies" required:"false" maxLength:"2000" pattern:"^[^\\x00]*$"`
	Notes     *string `json:"notes" required:"false" maxLength:"5000" pattern:"^[^\\x00]*$"`
}

// Patient is a patient's record.
type Patient struct {
	ID string `json:"id" format:"uuid"`
	PatientFields
	Version   int64     `json:"version" doc:"Grows with every change; send it as If-Match."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type (
	patientAnswer struct {
		ETag     string `header:"ETag"`
		Location string `header:"Location"`
		Body     Patient
	}
	// Precondition is the version that a change expects; without it any will do.
	Precondition struct {
		IfMatch string `header:"If-Match" maxLength:"64" doc:"The version that is to be changed, as in \"3\"; * for any."`
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

const patientColumns = `id, first_name, last_name, birth_date, sex, phone, email, allergies, notes, version, created_at, updated_at`

func scanPatient(r row) (Patient, error) {
	var p Patient
	var made, changed int64
	err := r.Scan(&p.ID, &p.FirstName, &p.LastName, &p.BirthDate, &p.Sex, &p.Phone, &p.Email,
		&p.Allergies, &p.Notes, &p.Version, &made, &changed)
	p.CreatedAt, p.UpdatedAt = moment(made), moment(changed)
	return p, err
}

// patients is where on the table patients: a patient sees one row.
func (s scope) patients() *conds {
	w := new(conds).and("clinic_id = ?", s.clinic).and("deleted_at IS NULL")
	if s.patient != "" {
		w.and("id = ?", s.patient)
	}
	return w
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
	if err := f.check(now); err != nil {
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
		if err := f.check(now); err != nil {
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

// version is the version that the header names. What is no version of ours
// names none that exists, so it fails the precondition (RFC 9110, 13.1.1).
func (m Precondition) version() (version int64, any bool) {
	v := strings.TrimSpace(m.IfMatch)
	if v == "" || v == "*" {
		return 0, true
	}
	n, err := strconv.ParseInt(strings.Trim(v, `"`), 10, 64)
	if err != nil {
		return -1, false
	}
	return n, false
}

func answerPatient(p Patient) *patientAnswer {
	return &patientAnswer{ETag: strconv.Quote(strconv.FormatInt(p.Version, 10)), Body: p}
}

func (f PatientFields) check(now time.Time) error {
	born, err := day(f.BirthDate)
	if err != nil || born.Year() < 1850 || born.After(now.Add(24*time.Hour)) {
		return invalid("body.birth_date", "must be a date between 1850 and today")
	}
	return nil
}
