package clinic

import (
	"strconv"
	"strings"
	"time"
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

// Precondition is the version that a change expects; without it any will do.
type Precondition struct {
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The version that is to be changed, as in \"3\"; * for any."`
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

// checkPatient refuses what the schema cannot say.
func checkPatient(f PatientFields, now time.Time) error {
	born, err := day(f.BirthDate)
	if err != nil || born.Year() < 1850 || born.After(now.Add(24*time.Hour)) {
		return invalid("body.birth_date", "must be a date between 1850 and today")
	}
	return nil
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
