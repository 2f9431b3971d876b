package clinic

import (
	"fmt"
	"net/http"
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// TestNobodyElsesRecords is AU10: every object id of a patient with every verb,
// asked by whom it does not belong to, is not found; lists leave it out; and
// nothing has changed afterwards.
func TestNobodyElsesRecords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		r := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items[0]
		log := map[string]any{"medication_id": m.ID, "action": "skipped", "source": "manual", "taken_at": noon}
		l := want[Log](b, 201, ann, "POST", "/logs", log)
		withReminder := map[string]any{"medication_id": m.ID, "reminder_id": r.ID, "action": "taken", "source": "manual", "taken_at": noon}

		type request struct {
			method, path string
			body         any
		}
		onObjects := []request{
			{"GET", "/patients/" + annID, nil},
			{"POST", "/medications", pill(map[string]any{"patient_id": annID})},
			{"GET", "/medications/" + m.ID, nil},
			{"PATCH", "/medications/" + m.ID, `{"name":"Poison"}`},
			{"DELETE", "/medications/" + m.ID, nil},
			{"POST", "/medications/" + m.ID + "/stock", `{"delta":-1}`},
			{"POST", "/medications/" + m.ID + "/reminders/generate", `{"days_ahead":30}`},
			{"GET", "/reminders/" + r.ID, nil},
			{"POST", "/reminders/" + r.ID + "/taken", nil},
			{"POST", "/reminders/" + r.ID + "/skipped", nil},
			{"POST", "/reminders/" + r.ID + "/missed", nil},
			{"DELETE", "/reminders/" + r.ID, nil},
			{"POST", "/logs", log},
			{"POST", "/logs", withReminder},
			{"GET", "/logs/" + l.ID, nil},
			{"PATCH", "/logs/" + l.ID, `{"notes":"not mine"}`},
			{"POST", "/logs/" + l.ID + "/void", nil},
			{"GET", "/analytics/adherence?patient_id=" + annID, nil},
			{"GET", "/analytics/recent?patient_id=" + annID, nil},
		}
		forStaff := []request{
			{"PATCH", "/patients/" + annID, `{"last_name":"Other"}`},
			{"DELETE", "/patients/" + annID, nil},
		}
		lists := []string{"/medications", "/medications/low-stock", "/reminders", "/logs", "/medications?patient_id=" + annID,
			"/reminders?patient_id=" + annID, "/reminders?medication_id=" + m.ID, "/logs?patient_id=" + annID, "/logs?medication_id=" + m.ID}

		for _, who := range []web.Principal{bob, elsewhere} {
			for _, q := range onObjects {
				b.refuse(404, who, q.method, q.path, q.body)
			}
			for _, path := range lists {
				if got := want[List[any]](b, 200, who, "GET", path, nil); got.Total != 0 || len(got.Items) != 0 {
					t.Errorf("GET %s as user %d: got %d items, want none", path, who.UserID, got.Total)
				}
			}
		}
		for _, q := range forStaff {
			b.refuse(404, elsewhere, q.method, q.path, q.body)
			b.refuse(403, ann, q.method, q.path, q.body)
		}
		b.refuse(403, ann, "POST", "/patients", `{"first_name":"A","last_name":"B","birth_date":"1990-01-01"}`)
		if got := want[List[Patient]](b, 200, bob, "GET", "/patients", nil); got.Total != 1 || got.Items[0].ID != bobID {
			t.Errorf("patient's list of patients: got %+v, want themselves alone", got)
		}
		if got := want[List[Patient]](b, 200, elsewhere, "GET", "/patients", nil); got.Total != 0 {
			t.Errorf("other clinic's list of patients: got %d, want none", got.Total)
		}
		nobodies := []web.Principal{admin, {UserID: 7, Role: web.Patient, ClinicID: clinicOne}, {UserID: 8, Role: web.Clinician}}
		for _, who := range nobodies {
			for _, q := range append(append(onObjects, forStaff...), request{"GET", "/patients", nil}, request{"GET", "/logs", nil}) {
				b.refuse(403, who, q.method, q.path, q.body)
			}
		}

		after := want[Medication](b, 200, doctor, "GET", "/medications/"+m.ID, nil)
		if after.Name != m.Name || after.CurrentStock != m.CurrentStock {
			t.Errorf("medication changed: got %+v", after)
		}
		if got := want[Reminder](b, 200, doctor, "GET", "/reminders/"+r.ID, nil); got.Status != pending {
			t.Errorf("reminder changed: got %+v", got)
		}
		if got := want[List[Log]](b, 200, doctor, "GET", "/logs", nil); got.Total != 1 || got.Items[0].Notes != nil || got.Items[0].VoidedAt != nil {
			t.Errorf("logs changed: got %+v", got)
		}
	})
}

func TestNobodySignedIn(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	req, err := http.NewRequestWithContext(t.Context(), "GET", "/api/v1/medications", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.serve(req).Code; got != 401 {
		t.Errorf("got status %d, want 401", got)
	}
}

// TestExtraFields is AU11: who one is and whose a record is cannot be sent.
func TestExtraFields(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	m := b.addPill(ann, nil)
	for _, field := range []string{"role", "user_id", "clinic_id", "is_active", "id", "recorded_by", "deleted_at"} {
		b.refuse(422, ann, "POST", "/medications", pill(map[string]any{field: "x"}))
		b.refuse(422, ann, "PATCH", "/medications/"+m.ID, fmt.Sprintf(`{%q:"x"}`, field))
		b.refuse(422, doctor, "PATCH", "/patients/"+annID, fmt.Sprintf(`{%q:"x"}`, field))
		b.refuse(422, ann, "POST", "/logs", map[string]any{
			"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon, field: "x"})
	}
	for _, field := range []string{"patient_id", "current_stock"} {
		b.refuse(422, ann, "PATCH", "/medications/"+m.ID, fmt.Sprintf(`{%q:"1"}`, field))
	}
	l := want[Log](b, 201, ann, "POST", "/logs", map[string]any{"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon})
	b.refuse(422, ann, "PATCH", "/logs/"+l.ID, `{"notes":"x","action":"missed"}`)
}
