package clinic

import (
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestMedicationMakesItsReminders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		if m.PatientID != annID || m.IsLowStock || !m.IsActive || m.CurrentStock != 60 {
			t.Errorf("got %+v", m)
		}
		got := want[List[Reminder]](b, 200, ann, "GET", "/reminders?page_size=100", nil)
		if got.Total != 60 || len(got.Items) != 60 {
			t.Fatalf("got %d reminders, %d on the page, want 60", got.Total, len(got.Items))
		}
		if first := got.Items[0]; first.MedicationName != "Metformin" || first.Status != "pending" ||
			!first.ScheduledTime.Equal(noon.Add(8*60*60*1e9)) {
			t.Errorf("got first reminder %+v, want today 20:00 pending", first)
		}
		// Generating again finds them all; a deleted one comes back.
		path := "/medications/" + m.ID + "/reminders/generate"
		if got := want[Count](b, 200, ann, "POST", path, `{"days_ahead":30}`); got.Count != 0 {
			t.Errorf("second generate: got %d, want 0", got.Count)
		}
		b.refuse(204, ann, "DELETE", "/reminders/"+got.Items[1].ID, nil)
		if got := want[Count](b, 200, ann, "POST", path, `{"days_ahead":1}`); got.Count != 1 {
			t.Errorf("generate after delete: got %d, want 1", got.Count)
		}
		b.refuse(422, ann, "POST", path, `{"days_ahead":31}`)
	})
}

func TestRemindersAndLogs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		list := want[List[Reminder]](b, 200, ann, "GET", "/reminders?status=pending", nil)
		r := list.Items[0]
		got := want[Reminder](b, 200, ann, "POST", "/reminders/"+r.ID+"/taken", `{"notes":"with water"}`)
		if got.Status != "taken" || got.TakenAt == nil || *got.Notes != "with water" {
			t.Errorf("got %+v", got)
		}
		for _, verb := range []string{"taken", "skipped", "missed"} {
			b.refuse(409, ann, "POST", "/reminders/"+r.ID+"/"+verb, nil)
		}
		b.refuse(409, ann, "DELETE", "/reminders/"+r.ID, nil)
		log := map[string]any{"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon}
		l := want[Log](b, 201, ann, "POST", "/logs", log)
		if l.MedicationName != "Metformin" || l.Dosage != "500 mg" || l.RecordedBy != 1 {
			t.Errorf("got %+v", l)
		}
		if m := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil); m.CurrentStock != 58 {
			t.Errorf("got stock %d, want 58", m.CurrentStock)
		}
		log["reminder_id"] = r.ID
		b.refuse(409, ann, "POST", "/logs", log)
		a := want[AdherenceReport](b, 200, ann, "GET", "/analytics/adherence?to=2026-07-02T00:00:00Z", nil)
		if a.Overall.Taken != 2 || len(a.ByMedication) != 1 || *a.Overall.AdherenceRate != 100 {
			t.Errorf("got %+v", a)
		}
	})
}
