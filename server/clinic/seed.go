package clinic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vitals/server/store"
)

// SeedPatient is a patient to be made up. The caller makes the id (UUIDv7),
// because the patient's user carries it too.
type SeedPatient struct {
	ID       string
	ClinicID string
}

// seedBatch is how many patients share a transaction, well below
// DB_STATEMENT_TIMEOUT on the slowest machine, and seedValues about how many
// values a statement: SQLite looks named parameters up one by one, so that a
// statement costs the square of their number.
const (
	seedBatch  = 50
	seedValues = 300
)

// Seed makes up a record for each patient: two medications, reminders from
// three days ago to four days ahead, and logs of the past ones. Patients that
// exist are left alone with all they have, so seeding again only adds.
func Seed(ctx context.Context, db store.DB, patients []SeedPatient) error {
	now := time.Now().UTC()
	for from := 0; from < len(patients); from += seedBatch {
		batch := patients[from:min(from+seedBatch, len(patients))]
		err := db.Write(ctx, func(ctx context.Context, q store.Querier) error {
			return seed(ctx, q, batch, from, now)
		})
		if err != nil {
			return fmt.Errorf("seed patients %d to %d: %w", from+1, from+len(batch), err)
		}
	}
	return analyze(ctx, db)
}

// analyze tells the planner about so many new rows. Postgres would find out
// within minutes by itself, which is longer than most load tests last. Each table has
// the time of a transaction for itself.
func analyze(ctx context.Context, db store.DB) error {
	for _, name := range []string{"patients", "medications", "reminders", "intake_logs"} {
		err := db.Write(ctx, func(ctx context.Context, q store.Querier) error {
			_, err := q.ExecContext(ctx, "ANALYZE "+name)
			return err
		})
		if err != nil {
			return fmt.Errorf("analyze %s: %w", name, err)
		}
	}
	return nil
}

// table is rows to be inserted into a table, all of the same columns.
type table struct {
	name    string
	columns string // with commas, as SQL has them
	rows    [][]any
}

func (t *table) add(values ...any) { t.rows = append(t.rows, values) }

func seed(ctx context.Context, q store.Querier, batch []SeedPatient, first int, now time.Time) error {
	people := table{name: "patients", columns: "id, clinic_id, first_name, last_name, birth_date, created_at, updated_at"}
	for i, p := range batch {
		n := first + i + 1
		born := time.Date(1930+n%80, time.Month(1+n%12), 1+n%28, 0, 0, 0, 0, time.UTC)
		people.add(p.ID, p.ClinicID, "Patient", fmt.Sprintf("%06d", n), born.Format(time.DateOnly), now.UnixMilli(), now.UnixMilli())
	}
	fresh, err := people.insert(ctx, q)
	if err != nil {
		return err
	}
	medications := table{name: "medications", columns: `id, clinic_id, patient_id, name, dosage, form, frequency_type, reminder_times,
		timezone, start_date, current_stock, low_stock_threshold, created_at, updated_at`}
	reminders := table{name: "reminders", columns: `id, clinic_id, patient_id, medication_id, scheduled_time, status, taken_at, created_at, updated_at`}
	logs := table{name: "intake_logs", columns: `id, clinic_id, patient_id, medication_id, reminder_id, action, source, taken_at,
		medication_name, dosage, stock_used, recorded_by, created_at`}
	for _, p := range batch {
		if !fresh[p.ID] {
			continue
		}
		for _, m := range seedMedications {
			if err := m.fill(p, now, &medications, &reminders, &logs); err != nil {
				return err
			}
		}
	}
	for _, t := range []table{medications, reminders, logs} {
		if _, err := t.insert(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// seedMedication is one of the two medications that every patient gets.
type seedMedication struct {
	name, dosage, frequency string
	hours                   []int // of the day, UTC
}

var seedMedications = []seedMedication{
	{"Metformin", "500 mg", twiceDaily, []int{8, 20}},
	{"Lisinopril", "10 mg", onceDaily, []int{7}},
}

// seedActions is what became of the past doses, in turn.
var seedActions = []string{taken, taken, skipped, taken, missed, taken}

func (m seedMedication) fill(p SeedPatient, now time.Time, medications, reminders, logs *table) error {
	id, err := newID()
	if err != nil {
		return err
	}
	today := now.Truncate(24 * time.Hour)
	start := today.AddDate(0, 0, -3)
	times := make([]string, len(m.hours))
	for i, h := range m.hours {
		times[i] = fmt.Sprintf("%02d:00", h)
	}
	medications.add(id, p.ClinicID, p.ID, m.name, m.dosage, "tablet", m.frequency, strings.Join(times, ","),
		"UTC", start.Format(time.DateOnly), 90, 10, start.UnixMilli(), now.UnixMilli())
	past := 0
	for date := start; date.Before(today.AddDate(0, 0, 5)); date = date.AddDate(0, 0, 1) {
		for _, h := range m.hours {
			due := date.Add(time.Duration(h) * time.Hour)
			reminder, err := newID()
			if err != nil {
				return err
			}
			if !due.Before(now) {
				reminders.add(reminder, p.ClinicID, p.ID, id, due.UnixMilli(), pending, nil, start.UnixMilli(), start.UnixMilli())
				continue
			}
			action := seedActions[past%len(seedActions)]
			past++
			var at any
			used := 0
			if action == taken {
				at, used = due.UnixMilli(), 1
			}
			reminders.add(reminder, p.ClinicID, p.ID, id, due.UnixMilli(), action, at, start.UnixMilli(), due.UnixMilli())
			log, err := newID()
			if err != nil {
				return err
			}
			logs.add(log, p.ClinicID, p.ID, id, reminder, action, fromReminder, due.UnixMilli(), m.name, m.dosage, used, 0, due.UnixMilli())
		}
	}
	return nil
}

// insert adds the rows, as many as may be in one statement, leaves those alone
// whose id is there, and gives the ids of those that were not.
func (t table) insert(ctx context.Context, q store.Querier) (map[string]bool, error) {
	fresh := make(map[string]bool, len(t.rows))
	each := seedValues / (1 + strings.Count(t.columns, ","))
	for from := 0; from < len(t.rows); from += each {
		rows := t.rows[from:min(from+each, len(t.rows))]
		var values conds
		tuples := make([]string, len(rows))
		for i, r := range rows {
			tuples[i] = "(" + values.list(r...) + ")"
		}
		if err := t.insertOnce(ctx, q, strings.Join(tuples, ","), values.args, fresh); err != nil {
			return nil, fmt.Errorf("insert into %s: %w", t.name, err)
		}
	}
	return fresh, nil
}

func (t table) insertOnce(ctx context.Context, q store.Querier, tuples string, args []any, fresh map[string]bool) error {
	rows, err := q.QueryContext(ctx, "INSERT INTO "+t.name+" ("+t.columns+") VALUES "+tuples+" ON CONFLICT (id) DO NOTHING RETURNING id", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		fresh[id] = true
	}
	return rows.Err()
}
