package store_test

import (
	"context"
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// The database refuses times that could never be sent again, and an upgrade voids
// the logs that have one.
func TestTimesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		if err := db.MigrateTo(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		const yearMinusOne = -62167269600000 // 0000-01-01T00:00:00+14:00
		log := func(id string, at int64) error {
			return db.Write(t.Context(), execute(`INSERT INTO intake_logs (id, clinic_id, patient_id, medication_id, action, source, taken_at,
				medication_name, dosage, stock_used, recorded_by, created_at) VALUES ($1, 'c', 'p', 'm', 'taken', 'api', $2, 'n', 'd', 0, 1, 1000)`, id, at))
		}
		reminder := func(id string, due, taken int64) error {
			return db.Write(t.Context(), execute(`INSERT INTO reminders (id, clinic_id, patient_id, medication_id, scheduled_time, status, taken_at,
				created_at, updated_at) VALUES ($1, 'c', 'p', 'm', $2, 'taken', $3, 1000, 2000)`, id, due, taken))
		}
		for _, setUp := range []func(context.Context, store.Querier) error{
			execute(`INSERT INTO patients (id, clinic_id, first_name, last_name, birth_date, created_at, updated_at) VALUES ('p', 'c', 'a', 'b', '2000-01-01', 0, 0)`),
			execute(`INSERT INTO medications (id, clinic_id, patient_id, name, dosage, form, frequency_type, reminder_times, timezone, start_date,
				current_stock, low_stock_threshold, created_at, updated_at) VALUES ('m', 'c', 'p', 'n', 'd', 'tablet', 'as_needed', '', 'UTC', '2026-01-01', 0, 0, 0, 0)`),
		} {
			if err := db.Write(t.Context(), setUp); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{log("bad", yearMinusOne), log("good", 5000), reminder("r1", 1, yearMinusOne), reminder("r2", 2, 6000)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{
			"SELECT taken_at FROM intake_logs WHERE id = 'bad' AND voided_at = 1000 AND void_reason LIKE '%1900 to 2199%'": 1000,
			"SELECT taken_at FROM intake_logs WHERE id = 'good' AND voided_at IS NULL":                                     5000,
			"SELECT taken_at FROM reminders WHERE id = 'r1'":                                                               2000,
			"SELECT taken_at FROM reminders WHERE id = 'r2'":                                                               6000,
		} {
			if got := number(t, db, query); got != want {
				t.Errorf("%s: got %d, want %d", query, got, want)
			}
		}
		for what, err := range map[string]error{
			"a log in year -1": log("x", yearMinusOne), "a log in 2201": log("y", 7289654400000),
			"a reminder taken in year -1": reminder("r3", 3, yearMinusOne), "one due in 2201": reminder("r4", 7289654400000, 1),
		} {
			if err == nil {
				t.Errorf("%s was stored", what)
			}
		}
	})
}
