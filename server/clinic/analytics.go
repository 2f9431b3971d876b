package clinic

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
)

// Adherence is how well doses were taken in a period. The rate is
// taken / (taken + missed) · 100 with two decimals, null if there was neither:
// a skipped dose was left out on purpose.
type Adherence struct {
	Taken         int64     `json:"taken"`
	Skipped       int64     `json:"skipped"`
	Missed        int64     `json:"missed"`
	Total         int64     `json:"total"`
	AdherenceRate *float64  `json:"adherence_rate" doc:"Percent, two decimals; null if nothing was taken or missed."`
	PeriodStart   time.Time `json:"period_start"`
	PeriodEnd     time.Time `json:"period_end"`
}

// MedicationAdherence is Adherence to one medication.
type MedicationAdherence struct {
	MedicationID   string `json:"medication_id" format:"uuid"`
	MedicationName string `json:"medication_name"`
	Adherence
}

// AdherenceReport is a patient's Adherence over all medications and to each.
type AdherenceReport struct {
	Overall      Adherence             `json:"overall"`
	ByMedication []MedicationAdherence `json:"by_medication" nullable:"false"`
}

// Recent is what was logged in the last days.
type Recent struct {
	TotalLogs         int64      `json:"total_logs"`
	UniqueMedications int64      `json:"unique_medications"`
	LastLogAt         *time.Time `json:"last_log_at"`
	PeriodDays        int        `json:"period_days"`
}

type (
	askAdherence struct {
		PatientID string    `query:"patient_id" format:"uuid" doc:"Required for staff."`
		From      time.Time `query:"from" doc:"Inclusive; 30 days before to if absent."`
		To        time.Time `query:"to" doc:"Exclusive; now if absent. At most 366 days after from."`
	}
	askRecent struct {
		PatientID string `query:"patient_id" format:"uuid" doc:"Required for staff."`
		Days      int    `query:"days" default:"7" minimum:"1" maximum:"90"`
	}
)

const (
	usualPeriod = 30 * 24 * time.Hour
	maxPeriod   = 366 * 24 * time.Hour
)

func (c *clinic) registerAnalytics(api huma.API) {
	const tag = "analytics"
	huma.Register(api, operation("GET", "/analytics/adherence", "get-adherence", "Report a patient's adherence", tag, member...), c.adherence)
	huma.Register(api, operation("GET", "/analytics/recent", "get-recent", "Sum up a patient's recent logs", tag, member...), c.recent)
}

// subject is where on the one patient that a report is about.
func (s scope) subject(patient string) (*conds, string, error) {
	switch {
	case patient == "" && s.patient == "":
		return nil, "", invalid("query.patient_id", "is required")
	case patient == "":
		patient = s.patient
	}
	return s.patients().and("id = ?", patient), patient, nil
}

func (c *clinic) adherence(ctx context.Context, in *askAdherence) (*found[AdherenceReport], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := periodInRange(in.From, in.To); err != nil {
		return nil, err
	}
	from, to := in.From, in.To
	if to.IsZero() {
		to = c.now()
	}
	if from.IsZero() {
		from = to.Add(-usualPeriod) // a little before 1900 at worst, which can be sent
	}
	if !from.Before(to) || to.Sub(from) > maxPeriod {
		return nil, invalid("query.from", "must be before to, by at most 366 days")
	}
	w, patient, err := s.subject(in.PatientID)
	if err != nil {
		return nil, err
	}
	out := new(found[AdherenceReport])
	err = c.read(ctx, "report adherence", func(ctx context.Context, q store.Querier) (err error) {
		out.Body, err = adherence(ctx, q, w, s.clinic, patient, from, to)
		return err
	})
	return out, err
}

// adherence counts in one GROUP BY. The patient stands on its left side, so
// that one without logs gives one row of nothing, and one who is not in the
// scope gives none at all, which is 404.
func adherence(ctx context.Context, q store.Querier, w *conds, clinicID, patient string, from, to time.Time) (AdherenceReport, error) {
	period := Adherence{PeriodStart: moment(from.UnixMilli()), PeriodEnd: moment(to.UnixMilli())}
	out := AdherenceReport{Overall: period, ByMedication: []MedicationAdherence{}}
	logs := new(conds)
	logs.args = w.args
	logs.and("l.clinic_id = ?", clinicID).and("l.patient_id = ?", patient).and("l.voided_at IS NULL").
		and("l.taken_at >= ?", from.UnixMilli()).and("l.taken_at < ?", to.UnixMilli())
	rows, err := q.QueryContext(ctx, `
		SELECT a.medication_id, (SELECT m.name FROM medications m WHERE m.id = a.medication_id) AS name, a.taken, a.skipped, a.missed FROM (
			SELECT l.medication_id,
				COUNT(CASE WHEN l.action = 'taken' THEN 1 END) AS taken,
				COUNT(CASE WHEN l.action = 'skipped' THEN 1 END) AS skipped,
				COUNT(CASE WHEN l.action = 'missed' THEN 1 END) AS missed
			FROM (SELECT id FROM patients WHERE `+w.String()+`) AS p LEFT JOIN intake_logs l ON `+logs.String()+`
			GROUP BY l.medication_id
		) AS a ORDER BY name, a.medication_id`, logs.args...)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	known := false
	for rows.Next() {
		known = true
		var id, name sql.NullString
		m := MedicationAdherence{Adherence: period}
		if err := rows.Scan(&id, &name, &m.Taken, &m.Skipped, &m.Missed); err != nil {
			return out, err
		}
		if !id.Valid {
			continue
		}
		m.MedicationID, m.MedicationName = id.String, name.String
		out.Overall.Taken += m.Taken
		out.Overall.Skipped += m.Skipped
		out.Overall.Missed += m.Missed
		m.rate()
		out.ByMedication = append(out.ByMedication, m)
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	if !known {
		return out, notFound()
	}
	out.Overall.rate()
	return out, nil
}

// rate fills in what follows from the counts.
func (a *Adherence) rate() {
	a.Total = a.Taken + a.Skipped + a.Missed
	if due := a.Taken + a.Missed; due > 0 {
		percent := math.Round(float64(a.Taken)*10_000/float64(due)) / 100
		a.AdherenceRate = &percent
	}
}

func (c *clinic) recent(ctx context.Context, in *askRecent) (*found[Recent], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	w, patient, err := s.subject(in.PatientID)
	if err != nil {
		return nil, err
	}
	since := c.now().AddDate(0, 0, -in.Days).UnixMilli()
	out := &found[Recent]{Body: Recent{PeriodDays: in.Days}}
	err = c.read(ctx, "sum up recent logs", func(ctx context.Context, q store.Querier) error {
		logs := new(conds)
		logs.args = w.args
		logs.and("l.clinic_id = ?", s.clinic).and("l.patient_id = ?", patient).and("l.voided_at IS NULL").and("l.taken_at >= ?", since)
		var last sql.NullInt64
		err := q.QueryRowContext(ctx, `SELECT COUNT(l.id), COUNT(DISTINCT l.medication_id), MAX(l.taken_at)
			FROM (SELECT id FROM patients WHERE `+w.String()+`) AS p LEFT JOIN intake_logs l ON `+logs.String()+`
			GROUP BY p.id`, logs.args...).Scan(&out.Body.TotalLogs, &out.Body.UniqueMedications, &last)
		out.Body.LastLogAt = maybeMoment(last)
		return missing(err)
	})
	return out, err
}
