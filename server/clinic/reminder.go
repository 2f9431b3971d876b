package clinic

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"vitals/server/store"
)

// The states of a reminder: pending, then one of the others for good. The
// others are the actions of a log, too.
const (
	pending = "pending"
	taken   = "taken"
	skipped = "skipped"
	missed  = "missed"
)

// firstDays is how far ahead reminders are made with a medication, in days.
const firstDays = 30

// Reminder is one dose that is due, or was.
type Reminder struct {
	ID             string     `json:"id" format:"uuid"`
	MedicationID   string     `json:"medication_id" format:"uuid"`
	MedicationName string     `json:"medication_name"`
	ScheduledTime  time.Time  `json:"scheduled_time"`
	Status         string     `json:"status" enum:"pending,taken,skipped,missed"`
	TakenAt        *time.Time `json:"taken_at"`
	Notes          *string    `json:"notes"`
}

// reminderColumns are read from reminders AS r. The name is looked up row by row,
// for a page is short and medications are many.
const reminderColumns = `r.id, r.medication_id, (SELECT m.name FROM medications m WHERE m.id = r.medication_id),
	r.scheduled_time, r.status, r.taken_at, r.notes`

func scanReminder(r row) (Reminder, error) {
	var m Reminder
	var due int64
	var at sql.NullInt64
	err := r.Scan(&m.ID, &m.MedicationID, &m.MedicationName, &due, &m.Status, &at, &m.Notes)
	m.ScheduledTime, m.TakenAt = moment(due), maybeMoment(at)
	return m, err
}

// insertReminders adds pending reminders at the times in one statement and
// gives their number. Times that the medication has already are left alone, so
// doing it again is harmless.
func insertReminders(ctx context.Context, q store.Querier, clinicID string, m Medication, times []time.Time, now time.Time) (int64, error) {
	if len(times) == 0 {
		return 0, nil
	}
	args := append(make([]any, 0, 4+2*len(times)), clinicID, m.PatientID, m.ID, now.UnixMilli())
	var text strings.Builder
	text.WriteString(`INSERT INTO reminders (clinic_id, patient_id, medication_id, created_at, updated_at, status, id, scheduled_time) VALUES `)
	for i, t := range times {
		id, err := newID()
		if err != nil {
			return 0, err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		args = append(args, id, t.UnixMilli())
		fmt.Fprintf(&text, "($1,$2,$3,$4,$4,'pending',$%d,$%d)", len(args)-1, len(args))
	}
	text.WriteString(` ON CONFLICT (medication_id, scheduled_time) DO NOTHING`)
	done, err := q.ExecContext(ctx, text.String(), args...)
	if err != nil {
		return 0, fmt.Errorf("insert %d reminders: %w", len(times), err)
	}
	return done.RowsAffected()
}
