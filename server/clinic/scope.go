package clinic

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"vitals/server/web"
)

// member and staff are the two sets of roles that clinical operations admit.
// An admin manages users and locks and has no business in a record.
var (
	member = []web.Role{web.Patient, web.Clinician}
	staff  = []web.Role{web.Clinician}
)

// scope is the part of the records that the user may see: one clinic, and for
// a patient their own record in it.
type scope struct {
	clinic  string
	patient string // "" for staff
	user    int64
}

// scopeOf is the scope of the request's user. The chain has checked the role by
// the operation already; a route that was wired without it stays shut all the
// same.
func scopeOf(ctx context.Context) (scope, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return scope{}, web.Fail(http.StatusUnauthorized, "unauthorized", "Sign in first.")
	}
	s := scope{clinic: p.ClinicID, user: p.UserID}
	switch {
	case p.ClinicID == "":
	case p.Role == web.Clinician:
		return s, nil
	case p.Role == web.Patient && p.PatientID != "":
		s.patient = p.PatientID
		return s, nil
	}
	return scope{}, forbidden()
}

// staffScope is scopeOf for operations that patients may not use.
func staffScope(ctx context.Context) (scope, error) {
	s, err := scopeOf(ctx)
	if err == nil && s.patient != "" {
		err = forbidden()
	}
	return s, err
}

func forbidden() error {
	return web.Fail(http.StatusForbidden, "forbidden", "Your role does not allow this.")
}

// where is the condition that keeps a statement inside the scope, on a table
// that has clinic_id and patient_id.
func (s scope) where() *conds {
	w := new(conds).and("clinic_id = ?", s.clinic)
	if s.patient != "" {
		w.and("patient_id = ?", s.patient)
	}
	return w
}

// one is where for the object with the id.
func (s scope) one(id string) *conds { return s.where().and("id = ?", id) }

// conds is a conjunction with its arguments, numbered $1, $2… as they come.
type conds struct {
	text strings.Builder
	args []any
}

// and adds a condition; each ? in it stands for the next of args.
func (w *conds) and(cond string, args ...any) *conds {
	if w.text.Len() > 0 {
		w.text.WriteString(" AND ")
	}
	w.text.WriteString(w.fill(cond, args))
	return w
}

// fill puts the placeholders of args in for each ? in the text.
func (w *conds) fill(text string, args []any) string {
	var filled strings.Builder
	for _, a := range args {
		before, after, _ := strings.Cut(text, "?")
		filled.WriteString(before)
		filled.WriteString(w.arg(a))
		text = after
	}
	return filled.String() + text
}

// update is an UPDATE of the rows that meet the conditions; each ? in set
// stands for the next of args.
func (w *conds) update(table, set string, args ...any) string {
	return "UPDATE " + table + " SET " + w.fill(set, args) + " WHERE " + w.String()
}

// arg adds an argument that stands outside the condition and gives its
// placeholder.
func (w *conds) arg(a any) string {
	w.args = append(w.args, a)
	return "$" + strconv.Itoa(len(w.args))
}

// list adds arguments like arg and gives their placeholders, with commas.
func (w *conds) list(args ...any) string {
	holders := make([]string, len(args))
	for i, a := range args {
		holders[i] = w.arg(a)
	}
	return strings.Join(holders, ", ")
}

func (w *conds) String() string { return w.text.String() }
