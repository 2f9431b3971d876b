package clinic

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
)

// NewMedication is a medication to be added. A patient adds to their own record
// and may leave patient_id out; staff name the patient.
type NewMedication struct {
	PatientID string `json:"patient_id,omitempty" format:"uuid"`
	MedicationFields
	CurrentStock int64 `json:"current_stock" minimum:"0" maximum:"1000000" doc:"Doses at hand."`
}

type (
	newMedication  struct{ Body NewMedication }
	listMedication struct {
		PatientID  string `query:"patient_id" format:"uuid"`
		ActiveOnly bool   `query:"active_only" doc:"Leave out those whose end_date has passed."`
		Page
	}
	listLowStock struct {
		PatientID string `query:"patient_id" format:"uuid"`
		Page
	}
	editMedication struct {
		ByID
		Body Patch[MedicationFields]
	}
)

func (c *clinic) registerMedications(api huma.API) {
	const tag = "medications"
	huma.Register(api, creating(describe(operation("POST", "/medications", "create-medication", "Add a medication", tag, member...),
		"Makes the reminders of its first 30 days with it. Without reminder_times the usual ones are taken; as_needed has none.",
		http.StatusUnprocessableEntity)), c.createMedication)
	huma.Register(api, operation("GET", "/medications", "list-medications", "List medications by patient, newest first", tag, member...), c.listMedications)
	huma.Register(api, operation("GET", "/medications/low-stock", "list-low-stock", "List medications that run out", tag, member...), c.listLowStock)
	huma.Register(api, operation("GET", "/medications/{id}", "get-medication", "Read a medication", tag, member...), c.getMedication)
	huma.Register(api, describe(operation("PATCH", "/medications/{id}", "update-medication", "Change a medication", tag, member...),
		"A JSON merge patch: absent fields stay, null empties an optional one. Pending reminders from now on are made anew. "+
			"The stock is changed by POST /medications/{id}/stock alone.", http.StatusUnprocessableEntity), c.updateMedication)
	huma.Register(api, describe(operation("DELETE", "/medications/{id}", "delete-medication", "Delete a medication", tag, member...),
		"Its pending reminders disappear with it; what was logged is kept."), c.deleteMedication)
	c.registerStock(api)
}

func (c *clinic) createMedication(ctx context.Context, in *newMedication) (*created[Medication], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	f := in.Body
	switch {
	case f.PatientID == "" && s.patient == "":
		return nil, invalid("body.patient_id", "is required")
	case f.PatientID == "":
		f.PatientID = s.patient
	}
	now := c.now()
	plan, err := newSchedule(f.MedicationFields, &c.zones)
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, fault("create medication", err)
	}
	out := &created[Medication]{Location: "/api/v1/medications/" + id}
	err = c.write(ctx, "create medication", func(ctx context.Context, q store.Querier) (err error) {
		// The patient is looked up by the insert itself, so that ownership is
		// decided in the same statement.
		w := s.patients().and("id = ?", f.PatientID)
		text := `INSERT INTO medications (clinic_id, patient_id,
			id, name, dosage, form, instructions, frequency_type, frequency_value, reminder_times,
			timezone, start_date, end_date, ends_at, current_stock, low_stock_threshold, created_at, updated_at)
			SELECT clinic_id, id, ` + w.list(id, f.Name, f.Dosage, f.Form, f.Instructions, f.FrequencyType, f.FrequencyValue,
			strings.Join(f.ReminderTimes, ","), f.Timezone, f.StartDate, f.EndDate, endColumn(plan), f.CurrentStock,
			f.LowStockThreshold, now.UnixMilli(), now.UnixMilli()) + ` FROM patients WHERE ` + w.String() + ` RETURNING ` + medicationColumns
		out.Body, err = scanMedication(now)(q.QueryRowContext(ctx, text, w.args...))
		if err != nil {
			return missing(err)
		}
		_, err = insertReminders(ctx, q, s.clinic, out.Body, plan.due(now, firstDays), now)
		return err
	})
	return out, err
}

func (c *clinic) listMedications(ctx context.Context, in *listMedication) (*found[List[Medication]], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	w := s.medications()
	if in.PatientID != "" {
		w.and("patient_id = ?", in.PatientID)
	}
	if in.ActiveOnly {
		w.and("(ends_at IS NULL OR ends_at > ?)", c.now().UnixMilli())
	}
	return c.pageOfMedications(ctx, w, in.Page)
}

func (c *clinic) listLowStock(ctx context.Context, in *listLowStock) (*found[List[Medication]], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	w := s.medications().and("current_stock <= low_stock_threshold")
	if in.PatientID != "" {
		w.and("patient_id = ?", in.PatientID)
	}
	return c.pageOfMedications(ctx, w, in.Page)
}

func (c *clinic) pageOfMedications(ctx context.Context, w *conds, p Page) (*found[List[Medication]], error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	out := new(found[List[Medication]])
	err := c.read(ctx, "list medications", func(ctx context.Context, q store.Querier) (err error) {
		l := listing{table: "medications", where: w, order: "r.patient_id DESC, r.id DESC", columns: medicationColumns}
		out.Body, err = page(ctx, q, l, p, scanMedication(c.now()))
		return err
	})
	return out, err
}

func (c *clinic) getMedication(ctx context.Context, in *ByID) (*found[Medication], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	out := new(found[Medication])
	err = c.read(ctx, "read medication", func(ctx context.Context, q store.Querier) (err error) {
		w := s.medications().and("id = ?", in.ID)
		out.Body, err = scanMedication(c.now())(q.QueryRowContext(ctx,
			"SELECT "+medicationColumns+" FROM medications WHERE "+w.String(), w.args...))
		return missing(err)
	})
	return out, err
}

// updateMedication takes the row by a first UPDATE, so that the merge works on
// a record that nobody else can change, and stock taken meanwhile is not lost.
func (c *clinic) updateMedication(ctx context.Context, in *editMedication) (*found[Medication], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	out := new(found[Medication])
	err = c.write(ctx, "update medication", func(ctx context.Context, q store.Querier) error {
		m, err := takeMedication(ctx, q, s, in.ID, now)
		if err != nil {
			return err
		}
		before, beforeErr := newSchedule(m.MedicationFields, &c.zones)
		f := &m.MedicationFields
		if err := in.Body.Apply(f); err != nil {
			return err
		}
		plan, err := newSchedule(*f, &c.zones)
		if err != nil {
			return err
		}
		out.Body, err = scanMedication(now)(q.QueryRowContext(ctx, `UPDATE medications SET name = $2, dosage = $3, form = $4,
			instructions = $5, frequency_type = $6, frequency_value = $7, reminder_times = $8, timezone = $9,
			start_date = $10, end_date = $11, ends_at = $12, low_stock_threshold = $13 WHERE id = $1 RETURNING `+medicationColumns,
			m.ID, f.Name, f.Dosage, f.Form, f.Instructions, f.FrequencyType, f.FrequencyValue, strings.Join(f.ReminderTimes, ","),
			f.Timezone, f.StartDate, f.EndDate, endColumn(plan), f.LowStockThreshold))
		if err != nil || beforeErr == nil && reflect.DeepEqual(before, plan) {
			return err
		}
		if _, err := q.ExecContext(ctx, `DELETE FROM reminders WHERE medication_id = $1 AND scheduled_time >= $2 AND status = 'pending'`,
			m.ID, now.UnixMilli()); err != nil {
			return err
		}
		_, err = insertReminders(ctx, q, s.clinic, out.Body, plan.due(now, firstDays), now)
		return err
	})
	return out, err
}

func (c *clinic) deleteMedication(ctx context.Context, in *ByID) (*struct{}, error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	return nil, c.write(ctx, "delete medication", func(ctx context.Context, q store.Querier) error {
		w := s.medications().and("id = ?", in.ID)
		text := w.update("medications", "deleted_at = ?", c.now().UnixMilli())
		done, err := q.ExecContext(ctx, text, w.args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, notFound())
		}
		_, err = q.ExecContext(ctx, "DELETE FROM reminders WHERE medication_id = $1 AND status = 'pending'", in.ID)
		return err
	})
}

// takeMedication locks a live medication for the transaction by touching it.
// It comes before anything else that the transaction locks: medication, then
// reminder, then log is the one order, so that no two writers wait for each other.
func takeMedication(ctx context.Context, q store.Querier, s scope, id string, now time.Time) (Medication, error) {
	w := s.medications().and("id = ?", id)
	text := w.update("medications", "updated_at = ?", now.UnixMilli()) + " RETURNING " + medicationColumns
	m, err := scanMedication(now)(q.QueryRowContext(ctx, text, w.args...))
	return m, missing(err)
}
