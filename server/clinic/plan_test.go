package clinic

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// watched is a store.DB that keeps the statements it passes on.
type watched struct {
	store.DB
	mu         sync.Mutex
	statements []statement
}

type statement struct {
	text string
	args []any
}

type watchedQuerier struct {
	store.Querier
	db *watched
}

func (d *watched) Read(ctx context.Context, fn func(context.Context, store.Querier) error) error {
	return d.DB.Read(ctx, func(ctx context.Context, q store.Querier) error { return fn(ctx, watchedQuerier{q, d}) })
}

func (d *watched) Write(ctx context.Context, fn func(context.Context, store.Querier) error) error {
	return d.DB.Write(ctx, func(ctx context.Context, q store.Querier) error { return fn(ctx, watchedQuerier{q, d}) })
}

func (q watchedQuerier) note(text string, args []any) {
	q.db.mu.Lock()
	defer q.db.mu.Unlock()
	q.db.statements = append(q.db.statements, statement{text, args})
}

func (q watchedQuerier) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	q.note(text, args)
	return q.Querier.ExecContext(ctx, text, args...)
}

func (q watchedQuerier) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	q.note(text, args)
	return q.Querier.QueryContext(ctx, text, args...)
}

func (q watchedQuerier) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	q.note(text, args)
	return q.Querier.QueryRowContext(ctx, text, args...)
}

// TestPlans asks SQLite how it would run every statement of the common requests,
// without statistics and with those of many clinics: each table is reached by
// an index, lists by theirs, and there are as few statements as the request
// allows.
func TestPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { checkPlans(t, &watched{DB: storetest.SQLite(t)}) })
	t.Run("with statistics", func(t *testing.T) {
		db := storetest.SQLite(t)
		clinics := []string{clinicOne, clinicTwo, anyID(), anyID(), anyID(), anyID()} // were it one, counting it would read it
		seeds := make([]SeedPatient, 300)
		for i := range seeds {
			seeds[i] = SeedPatient{ID: anyID(), ClinicID: clinics[i%len(clinics)]}
		}
		if err := Seed(t.Context(), db, seeds); err != nil {
			t.Fatal(err)
		}
		checkPlans(t, &watched{DB: db})
	})
}

func checkPlans(t *testing.T, db *watched) {
	t.Helper()
	b := newBench(t, db)
	m := b.addPill(ann, nil)
	rs := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items
	log := map[string]any{"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon}
	for _, tt := range []struct {
		who          web.Principal
		method, path string
		body         any
		statements   int
		index        string // one that must be used, "" for any
	}{
		{ann, "GET", "/medications", nil, 1, "medications_by_patient"},
		{ann, "GET", "/medications?active_only=true", nil, 1, "medications_by_patient"},
		{ann, "GET", "/medications/low-stock", nil, 1, "medications_by_patient"},
		{doctor, "GET", "/medications?patient_id=" + annID, nil, 1, "medications_by_patient"},
		{doctor, "GET", "/medications", nil, 1, "medications_by_patient"},
		{ann, "GET", "/medications/" + m.ID, nil, 1, ""},
		{ann, "POST", "/medications", pill(nil), 2, ""},
		{ann, "GET", "/reminders", nil, 1, "reminders_by_patient"},
		{ann, "GET", "/reminders?status=pending&from=2026-07-01T00:00:00Z", nil, 1, "reminders_by_patient"},
		{doctor, "GET", "/reminders?patient_id=" + annID, nil, 1, "reminders_by_patient"},
		{doctor, "GET", "/reminders?from=2026-07-01T00:00:00Z", nil, 1, "reminders_by_patient"},
		{ann, "GET", "/reminders/" + rs[0].ID, nil, 1, ""},
		{ann, "POST", "/reminders/" + rs[0].ID + "/taken", nil, 4, ""},
		{ann, "POST", "/reminders/" + rs[1].ID + "/skipped", nil, 3, ""},
		{ann, "POST", "/logs", log, 2, ""},
		{ann, "GET", "/logs", nil, 1, "intake_logs_by_patient"},
		{doctor, "GET", "/logs", nil, 1, "intake_logs_by_patient"},
		{ann, "GET", "/analytics/adherence", nil, 1, "intake_logs_by_patient"},
		{doctor, "GET", "/analytics/recent?patient_id=" + annID, nil, 1, "intake_logs_by_patient"},
		{doctor, "GET", "/patients", nil, 1, "patients_by_name"},
	} {
		db.statements = nil
		if w := b.ask(tt.who, tt.method, tt.path, tt.body); w.Code >= 300 {
			t.Fatalf("%s %s: got status %d: %s", tt.method, tt.path, w.Code, w.Body)
		}
		name := tt.method + " " + tt.path
		if len(db.statements) != tt.statements {
			t.Errorf("%s: got %d statements, want %d", name, len(db.statements), tt.statements)
		}
		used := ""
		for _, s := range db.statements {
			for _, step := range explain(t, db.DB, s) {
				used += step + "\n"
				// The page itself is at most 100 rows.
				whole := strings.HasPrefix(step, "SCAN ") && step != "SCAN r" && step != "SCAN a" && step != "SCAN p" &&
					!strings.HasPrefix(step, "SCAN CONSTANT ROW") && !strings.Contains(step, "VALUES") && step != "SCAN reachable"
				if whole {
					t.Errorf("%s: reads a whole table: %s\n%s", name, step, s.text)
				}
			}
		}
		if !strings.Contains(used, tt.index) {
			t.Errorf("%s: does not use %s:\n%s", name, tt.index, used)
		}
	}
}

func explain(t *testing.T, db store.DB, s statement) []string {
	t.Helper()
	var steps []string
	err := db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
		rows, err := q.QueryContext(ctx, "EXPLAIN QUERY PLAN "+s.text, s.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			steps = append(steps, detail)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("explain %s: %v", s.text, err)
	}
	return steps
}
