package clinic

import (
	"strings"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestLogs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		other := b.addPill(ann, map[string]any{"name": "Other"})
		r := want[List[Reminder]](b, 200, ann, "GET", "/reminders?medication_id="+m.ID, nil).Items[0]
		entry := func(change map[string]any) map[string]any {
			e := map[string]any{"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon}
			for k, v := range change {
				e[k] = v
				if v == nil {
					delete(e, k)
				}
			}
			return e
		}
		l := want[Log](b, 201, doctor, "POST", "/logs", entry(map[string]any{
			"dosage_taken": "250 mg", "notes": strings.Repeat("x", 5000), "side_effects": "none", "taken_at": noon.Add(5 * time.Minute)}))
		if l.MedicationName != "Metformin" || l.Dosage != "500 mg" || *l.DosageTaken != "250 mg" || l.RecordedBy != doctor.UserID ||
			l.PatientID != annID || l.ReminderID != nil || l.VoidedAt != nil {
			t.Errorf("got %+v", l)
		}
		b.refuse(404, ann, "POST", "/logs", entry(map[string]any{"medication_id": other.ID, "reminder_id": r.ID}))
		b.refuse(404, ann, "POST", "/logs", entry(map[string]any{"reminder_id": anyID()}))
		b.refuse(404, ann, "POST", "/logs", entry(map[string]any{"medication_id": anyID()}))
		withReminder := want[Log](b, 201, ann, "POST", "/logs", entry(map[string]any{"reminder_id": r.ID}))
		if got := want[Reminder](b, 200, ann, "GET", "/reminders/"+r.ID, nil); got.Status != taken || !got.TakenAt.Equal(noon) {
			t.Errorf("got %+v, want the reminder settled by its log", got)
		}
		if p := want[map[string]any](b, 409, ann, "POST", "/logs", entry(map[string]any{"reminder_id": r.ID})); p["code"] != "reminder_logged" {
			t.Errorf("got code %v, want reminder_logged", p["code"])
		}
		if got := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil); got.CurrentStock != 58 {
			t.Errorf("got stock %d, want 58", got.CurrentStock)
		}
		for name, change := range map[string]map[string]any{
			"ahead": {"taken_at": noon.Add(5*time.Minute + time.Second)}, "no time": {"taken_at": nil}, "odd action": {"action": "eaten"},
			"odd source": {"source": "rumour"}, "long notes": {"notes": strings.Repeat("x", 5001)}, "no medication": {"medication_id": nil},
			"NUL": {"notes": "a\x00b"}, "NUL in dosage": {"dosage_taken": "\x00"}, "not an id": {"reminder_id": "1"}, "number": {"action": 1},
		} {
			if w := b.ask(ann, "POST", "/logs", entry(change)); w.Code != 422 {
				t.Errorf("%s: got status %d, want 422: %s", name, w.Code, w.Body)
			}
		}

		elsewhere := b.ask(ann, "POST", "/logs", entry(map[string]any{"action": "skipped", "taken_at": "2026-06-01T02:00:00.5+02:00"}))
		if !strings.Contains(elsewhere.Body.String(), `"taken_at":"2026-06-01T00:00:00.5Z"`) {
			t.Errorf("got %s, want the time in UTC", elsewhere.Body)
		}
		b.refuse(422, ann, "POST", "/logs", entry(map[string]any{"taken_at": "2026-06-01T02:00:00"}))

		// A new name does not reach back; only the notes ever change.
		want[Medication](b, 200, ann, "PATCH", "/medications/"+m.ID, `{"name":"Renamed","dosage":"1 g"}`)
		got := want[Log](b, 200, ann, "PATCH", "/logs/"+l.ID, `{"notes":null}`)
		if got.Notes != nil || got.MedicationName != "Metformin" || got.Dosage != "500 mg" || *got.SideEffects != "none" {
			t.Errorf("got %+v", got)
		}
		b.refuse(422, ann, "PATCH", "/logs/"+l.ID, `{}`)
		for query, n := range map[string]int{
			"": 3, "medication_id=" + m.ID: 3, "medication_id=" + other.ID: 0, "action=taken": 2, "action=missed": 0,
			"from=2026-07-01T12:00:01Z": 1, "to=2026-07-01T12:00:01Z": 2, "patient_id=" + annID: 3,
		} {
			list := want[List[Log]](b, 200, doctor, "GET", "/logs?"+query, nil)
			if list.Total != n || len(list.Items) != n {
				t.Errorf("?%s: got %d logs, want %d", query, list.Total, n)
			}
			if n == 3 && (list.Items[0].ID != l.ID || list.Items[1].ID != withReminder.ID) {
				t.Errorf("?%s: not the latest first", query)
			}
		}
	})
}
