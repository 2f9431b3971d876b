package clinic

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
)

// NewLog tells what happened to a dose. With a reminder it settles that, too.
type NewLog struct {
	MedicationID string    `json:"medication_id" format:"uuid"`
	ReminderID   *string   `json:"reminder_id" required:"false" format:"uuid"`
	Action       string    `json:"action" enum:"taken,skipped,missed"`
	Source       string    `json:"source" enum:"manual,notification,wearable,import,api"`
	TakenAt      time.Time `json:"taken_at" doc:"At most 5 minutes ahead."`
	DosageTaken  *string   `json:"dosage_taken" required:"false" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	Notes        *string   `json:"notes" required:"false" maxLength:"5000" pattern:"^[^\\x00]*$"`
	SideEffects  *string   `json:"side_effects" required:"false" maxLength:"5000" pattern:"^[^\\x00]*$"`
}

// LogNotes is the part of a log that may change; null empties it.
type LogNotes struct {
	Notes *string `json:"notes" maxLength:"5000" pattern:"^[^\\x00]*$"`
}

// VoidReason says why a log is taken back.
type VoidReason struct {
	Reason *string `json:"reason" required:"false" maxLength:"500" pattern:"^[^\\x00]*$"`
}

type (
	newLog  struct{ Body NewLog }
	listLog struct {
		PatientID     string    `query:"patient_id" format:"uuid"`
		MedicationID  string    `query:"medication_id" format:"uuid"`
		Action        string    `query:"action" enum:"taken,skipped,missed"`
		From          time.Time `query:"from" doc:"taken_at at or after."`
		To            time.Time `query:"to" doc:"taken_at before."`
		IncludeVoided bool      `query:"include_voided"`
		Page
	}
	editLog struct {
		ByID
		Body LogNotes
	}
	voidLog struct {
		ByID
		Body *VoidReason
	}
)

func (c *clinic) registerLogs(api huma.API) {
	const tag = "logs"
	huma.Register(api, creating(describe(operation("POST", "/logs", "create-log", "Log a dose", tag, member...),
		"Keeps the medication's name and dosage as they are now. Taken takes one dose from the stock, if there is one.",
		http.StatusConflict)), c.createLog)
	huma.Register(api, operation("GET", "/logs", "list-logs", "List logs by patient, latest first", tag, member...), c.listLogs)
	huma.Register(api, operation("GET", "/logs/{id}", "get-log", "Read a log", tag, member...), c.getLog)
	huma.Register(api, describe(operation("PATCH", "/logs/{id}", "update-log", "Change the notes of a log", tag, member...),
		"Nothing else of a log ever changes; void it and write another.", http.StatusConflict), c.updateLog)
	huma.Register(api, describe(operation("POST", "/logs/{id}/void", "void-log", "Take a log back", tag, member...),
		"It stays, counts no longer, and the dose it took goes back to the stock. Its reminder stays as it is.", http.StatusConflict), c.voidLog)
}

func (c *clinic) createLog(ctx context.Context, in *newLog) (*created[Log], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	now, f := c.now(), in.Body
	if err := happened(f.TakenAt, now); err != nil {
		return nil, err
	}
	e := entry{
		medication: f.MedicationID, reminder: f.ReminderID, action: f.Action, source: f.Source, at: f.TakenAt, now: now,
		dosage: f.DosageTaken, notes: f.Notes, sideEffects: f.SideEffects,
	}
	out := new(created[Log])
	err = c.write(ctx, "write log", func(ctx context.Context, q store.Querier) (err error) {
		out.Body, err = e.insert(ctx, q, s)
		return err
	})
	out.Location = "/api/v1/logs/" + out.Body.ID
	return out, err
}

func (c *clinic) listLogs(ctx context.Context, in *listLog) (*found[List[Log]], error) {
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
	if in.Action != "" {
		w.and("action = ?", in.Action)
	}
	if !in.From.IsZero() {
		w.and("taken_at >= ?", in.From.UnixMilli())
	}
	if !in.To.IsZero() {
		w.and("taken_at < ?", in.To.UnixMilli())
	}
	if !in.IncludeVoided {
		w.and("voided_at IS NULL")
	}
	out := new(found[List[Log]])
	err = c.read(ctx, "list logs", func(ctx context.Context, q store.Querier) (err error) {
		l := listing{table: "intake_logs", where: w, order: "r.patient_id DESC, r.taken_at DESC, r.id DESC", columns: logColumns}
		out.Body, err = page(ctx, q, l, in.Page, scanLog)
		return err
	})
	return out, err
}

func (c *clinic) getLog(ctx context.Context, in *ByID) (*found[Log], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	out := new(found[Log])
	err = c.read(ctx, "read log", func(ctx context.Context, q store.Querier) (err error) {
		out.Body, err = readLog(ctx, q, s, in.ID)
		return err
	})
	return out, err
}

func (c *clinic) updateLog(ctx context.Context, in *editLog) (*found[Log], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	out := new(found[Log])
	err = c.write(ctx, "change log notes", func(ctx context.Context, q store.Querier) (err error) {
		w := s.one(in.ID).and("voided_at IS NULL")
		text := w.update("intake_logs", "notes = ?", in.Body.Notes) + " RETURNING " + logColumns
		out.Body, err = scanLog(q.QueryRowContext(ctx, text, w.args...))
		return whyVoided(ctx, q, s, in.ID, err)
	})
	return out, err
}

func (c *clinic) voidLog(ctx context.Context, in *voidLog) (*found[Log], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	var reason *string
	if in.Body != nil {
		reason = in.Body.Reason
	}
	now := c.now().UnixMilli()
	out := new(found[Log])
	err = c.write(ctx, "void log", func(ctx context.Context, q store.Querier) (err error) {
		w := s.one(in.ID).and("voided_at IS NULL")
		text := w.update("intake_logs", "voided_at = ?, void_reason = ?", now, reason) + " RETURNING " + logColumns
		out.Body, err = scanLog(q.QueryRowContext(ctx, text, w.args...))
		if err != nil {
			return whyVoided(ctx, q, s, in.ID, err)
		}
		_, err = q.ExecContext(ctx, `UPDATE medications SET current_stock = current_stock + 1, updated_at = $2 WHERE id = $1
			AND EXISTS (SELECT 1 FROM intake_logs WHERE id = $3 AND stock_used = 1)`, out.Body.MedicationID, now, in.ID)
		return err
	})
	return out, err
}

func readLog(ctx context.Context, q store.Querier, s scope, id string) (Log, error) {
	w := s.one(id)
	l, err := scanLog(q.QueryRowContext(ctx, "SELECT "+logColumns+" FROM intake_logs WHERE "+w.String(), w.args...))
	return l, missing(err)
}

// whyVoided words a refusal that an UPDATE of a valid log has already decided.
func whyVoided(ctx context.Context, q store.Querier, s scope, id string, err error) error {
	if err = missing(err); !isNotFound(err) {
		return err
	}
	if _, err := readLog(ctx, q, s, id); err != nil {
		return err
	}
	return conflict("already_voided", "The log has been voided.")
}
