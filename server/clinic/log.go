package clinic

import (
	"context"
	"database/sql"
	"time"

	"vitals/server/store"
)

// fromReminder is the source of a log that marking a reminder wrote.
const fromReminder = "notification"

// leeway is how far ahead of our clock a client's may be.
const leeway = 5 * time.Minute

// Log is what happened to one dose. Apart from its notes, and that it can be
// voided once, it never changes.
type Log struct {
	ID             string     `json:"id" format:"uuid"`
	PatientID      string     `json:"patient_id" format:"uuid"`
	MedicationID   string     `json:"medication_id" format:"uuid"`
	ReminderID     *string    `json:"reminder_id"`
	Action         string     `json:"action" enum:"taken,skipped,missed"`
	Source         string     `json:"source"`
	TakenAt        time.Time  `json:"taken_at"`
	MedicationName string     `json:"medication_name" doc:"As it was when this was logged."`
	Dosage         string     `json:"dosage" doc:"As it was when this was logged."`
	DosageTaken    *string    `json:"dosage_taken"`
	Notes          *string    `json:"notes"`
	SideEffects    *string    `json:"side_effects"`
	RecordedBy     int64      `json:"recorded_by" doc:"The user who logged this."`
	CreatedAt      time.Time  `json:"created_at"`
	VoidedAt       *time.Time `json:"voided_at"`
	VoidReason     *string    `json:"void_reason"`
}

const logColumns = `id, patient_id, medication_id, reminder_id, action, source, taken_at, medication_name,
	dosage, dosage_taken, notes, side_effects, recorded_by, created_at, voided_at, void_reason`

func scanLog(r row) (Log, error) {
	var l Log
	var at, made int64
	var voided sql.NullInt64
	err := r.Scan(&l.ID, &l.PatientID, &l.MedicationID, &l.ReminderID, &l.Action, &l.Source, &at, &l.MedicationName,
		&l.Dosage, &l.DosageTaken, &l.Notes, &l.SideEffects, &l.RecordedBy, &made, &voided, &l.VoidReason)
	l.TakenAt, l.CreatedAt, l.VoidedAt = moment(at), moment(made), maybeMoment(voided)
	return l, err
}

// happened refuses a time of taking that has not come yet, clocks being what they
// are, or that is out of range.
func happened(at, now time.Time) error {
	if at.After(now.Add(leeway)) {
		return invalid("body.taken_at", "must not be more than 5 minutes ahead")
	}
	return inRange("body.taken_at", at)
}

// entry is a log to be written: of a medication, of a reminder, or of a
// reminder that must be the medication's.
type entry struct {
	medication                 string // "" = the reminder's
	reminder                   *string
	action, source             string
	at, now                    time.Time
	dosage, notes, sideEffects *string
}

// insert settles the reminder, takes the dose from the stock and writes the
// log, all inside the caller's transaction. That a reminder is settled once is
// decided by the UPDATE on its status alone: of many at once, one finds it
// pending. The stock comes first, because medications are locked before
// reminders everywhere (see takeMedication); a refusal rolls it back.
func (e entry) insert(ctx context.Context, q store.Querier, s scope) (Log, error) {
	var used int64
	var err error
	if e.action == taken {
		if used, err = useDose(ctx, q, e.medicationOf(s), e.now.UnixMilli()); err != nil {
			return Log{}, err
		}
	}
	if e.reminder != nil {
		if err := e.settleReminder(ctx, q, s); err != nil {
			return Log{}, err
		}
	}
	id, err := newID()
	if err != nil {
		return Log{}, err
	}
	w := e.medicationOf(s)
	// A deleted medication takes no new log; with a reminder, deleting it has
	// taken the pending ones away already.
	w.and("deleted_at IS NULL")
	text := `INSERT INTO intake_logs (clinic_id, patient_id, medication_id, medication_name, dosage,
		id, reminder_id, action, source, taken_at, dosage_taken, notes, side_effects, stock_used, recorded_by, created_at)
		SELECT clinic_id, patient_id, id, name, dosage, ` + w.list(id, e.reminder, e.action, e.source, e.at.UnixMilli(), e.dosage,
		e.notes, e.sideEffects, used, s.user, e.now.UnixMilli()) + ` FROM medications WHERE ` + w.String() + ` RETURNING ` + logColumns
	l, err := scanLog(q.QueryRowContext(ctx, text, w.args...))
	return l, missing(err)
}

// medicationOf is where on the one medication that the entry is about.
func (e entry) medicationOf(s scope) *conds {
	if e.medication != "" {
		return s.one(e.medication)
	}
	return s.where().and("id = (SELECT medication_id FROM reminders WHERE id = ?)", *e.reminder)
}

func (e entry) settleReminder(ctx context.Context, q store.Querier, s scope) error {
	w := s.one(*e.reminder).and("status = 'pending'")
	if e.medication != "" {
		w.and("medication_id = ?", e.medication)
	}
	at := sql.NullInt64{Int64: e.at.UnixMilli(), Valid: e.action == taken}
	text := w.update("reminders", "status = ?, taken_at = ?, notes = ?, updated_at = ?", e.action, at, e.notes, e.now.UnixMilli())
	done, err := q.ExecContext(ctx, text, w.args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	code := "already_terminal"
	if e.medication != "" {
		code = "reminder_logged"
	}
	return whyNotPending(ctx, q, s, *e.reminder, code)
}
