package clinic

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
)

// Settling is what is told about a dose that was skipped or missed.
type Settling struct {
	Notes *string `json:"notes" required:"false" maxLength:"500" pattern:"^[^\\x00]*$"`
}

// Taking is what is told about a dose that was taken. A reminder in the future
// may be marked as taken; the taking itself is not in the future.
type Taking struct {
	TakenAt *time.Time `json:"taken_at" required:"false" doc:"At most 5 minutes ahead; now if absent."`
	Settling
}

// Horizon is how far ahead reminders are to be made.
type Horizon struct {
	DaysAhead int `json:"days_ahead" minimum:"1" maximum:"30"`
}

// Count is a number of objects that were made.
type Count struct {
	Count int64 `json:"count"`
}

type (
	listReminder struct {
		Status       string    `query:"status" enum:"pending,taken,skipped,missed"`
		From         time.Time `query:"from" doc:"scheduled_time at or after."`
		To           time.Time `query:"to" doc:"scheduled_time before."`
		MedicationID string    `query:"medication_id" format:"uuid"`
		PatientID    string    `query:"patient_id" format:"uuid"`
		Page
	}
	takeReminder struct {
		ByID
		Body *Taking
	}
	settleReminder struct {
		ByID
		Body *Settling
	}
	generateReminders struct {
		ByID
		Body Horizon
	}
)

func (c *clinic) registerReminders(api huma.API) {
	const tag = "reminders"
	huma.Register(api, operation("GET", "/reminders", "list-reminders", "List reminders by patient and time", tag, member...), c.listReminders)
	huma.Register(api, operation("GET", "/reminders/{id}", "get-reminder", "Read a reminder", tag, member...), c.getReminder)
	huma.Register(api, describe(operation("POST", "/reminders/{id}/taken", "take-reminder", "Mark a dose as taken", tag, member...),
		"Writes the log and takes one dose from the stock with it.", http.StatusConflict), c.takeReminder)
	huma.Register(api, describe(operation("POST", "/reminders/{id}/skipped", "skip-reminder", "Mark a dose as skipped", tag, member...),
		"Writes the log with it.", http.StatusConflict), c.settleAs(skipped))
	huma.Register(api, describe(operation("POST", "/reminders/{id}/missed", "miss-reminder", "Mark a dose as missed", tag, member...),
		"Writes the log with it.", http.StatusConflict), c.settleAs(missed))
	huma.Register(api, describe(operation("DELETE", "/reminders/{id}", "delete-reminder", "Delete a pending reminder", tag, member...),
		"What was taken, skipped or missed is kept. Making reminders again brings a future one back.", http.StatusConflict), c.deleteReminder)
	huma.Register(api, describe(operation("POST", "/medications/{id}/reminders/generate", "generate-reminders", "Make reminders ahead", "medications", member...),
		"Makes those that are not there yet and counts them; times that have a reminder are left alone."), c.generateReminders)
}

func (c *clinic) listReminders(ctx context.Context, in *listReminder) (*found[List[Reminder]], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := periodInRange(in.From, in.To); err != nil {
		return nil, err
	}
	w := s.where()
	if in.PatientID != "" {
		w.and("patient_id = ?", in.PatientID)
	}
	if in.MedicationID != "" {
		w.and("medication_id = ?", in.MedicationID)
	}
	if in.Status != "" {
		w.and("status = ?", in.Status)
	}
	if !in.From.IsZero() {
		w.and("scheduled_time >= ?", in.From.UnixMilli())
	}
	if !in.To.IsZero() {
		w.and("scheduled_time < ?", in.To.UnixMilli())
	}
	out := new(found[List[Reminder]])
	err = c.read(ctx, "list reminders", func(ctx context.Context, q store.Querier) (err error) {
		l := listing{table: "reminders", where: w, order: "r.patient_id, r.scheduled_time, r.id", columns: reminderColumns}
		out.Body, err = page(ctx, q, l, in.Page, scanReminder)
		return err
	})
	return out, err
}

func (c *clinic) getReminder(ctx context.Context, in *ByID) (*found[Reminder], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	out := new(found[Reminder])
	err = c.read(ctx, "read reminder", func(ctx context.Context, q store.Querier) (err error) {
		out.Body, err = readReminder(ctx, q, s, in.ID)
		return err
	})
	return out, err
}

func (c *clinic) takeReminder(ctx context.Context, in *takeReminder) (*found[Reminder], error) {
	now := c.now()
	at := now
	var notes *string
	if in.Body != nil {
		notes = in.Body.Notes
		if in.Body.TakenAt != nil {
			at = *in.Body.TakenAt
		}
	}
	if err := happened(at, now); err != nil {
		return nil, err
	}
	return c.settle(ctx, in.ID, taken, at, notes)
}

// settleAs is the handler that gives a reminder the terminal status, now.
func (c *clinic) settleAs(status string) func(context.Context, *settleReminder) (*found[Reminder], error) {
	return func(ctx context.Context, in *settleReminder) (*found[Reminder], error) {
		var notes *string
		if in.Body != nil {
			notes = in.Body.Notes
		}
		return c.settle(ctx, in.ID, status, c.now(), notes)
	}
}

// settle moves a pending reminder to its terminal status and writes its log,
// in one transaction.
func (c *clinic) settle(ctx context.Context, id, status string, at time.Time, notes *string) (*found[Reminder], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	out := new(found[Reminder])
	err = c.write(ctx, "mark reminder "+status, func(ctx context.Context, q store.Querier) error {
		e := entry{action: status, source: fromReminder, at: at, reminder: &id, notes: notes, now: c.now()}
		_, err := e.insert(ctx, q, s)
		if err != nil {
			return err
		}
		out.Body, err = readReminder(ctx, q, s, id)
		return err
	})
	return out, err
}

func (c *clinic) deleteReminder(ctx context.Context, in *ByID) (*struct{}, error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	return nil, c.write(ctx, "delete reminder", func(ctx context.Context, q store.Querier) error {
		w := s.one(in.ID).and("status = 'pending'")
		done, err := q.ExecContext(ctx, "DELETE FROM reminders WHERE "+w.String(), w.args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return whyNotPending(ctx, q, s, in.ID, "already_terminal")
	})
}

func (c *clinic) generateReminders(ctx context.Context, in *generateReminders) (*found[Count], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	out := new(found[Count])
	err = c.write(ctx, "generate reminders", func(ctx context.Context, q store.Querier) error {
		m, err := takeMedication(ctx, q, s, in.ID, now)
		if err != nil {
			return err
		}
		plan, err := newSchedule(m.MedicationFields, &c.zones)
		if err != nil {
			return err
		}
		out.Body.Count, err = insertReminders(ctx, q, s.clinic, m, plan.due(now, in.Body.DaysAhead), now)
		return err
	})
	return out, err
}

func readReminder(ctx context.Context, q store.Querier, s scope, id string) (Reminder, error) {
	w := s.one(id)
	r, err := scanReminder(q.QueryRowContext(ctx, "SELECT "+reminderColumns+
		" FROM reminders AS r WHERE "+w.String(), w.args...))
	return r, missing(err)
}

// whyNotPending words a refusal that an UPDATE or DELETE of a pending reminder
// has already decided: there is none in the scope, it is not the medication's,
// or it is settled.
func whyNotPending(ctx context.Context, q store.Querier, s scope, id, code string) error {
	r, err := readReminder(ctx, q, s, id)
	if err != nil {
		return err
	}
	if r.Status == pending {
		return notFound()
	}
	return conflict(code, "The reminder is already marked as "+r.Status+".")
}
