package clinic

import (
	"strings"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestMedicationMakesItsReminders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		if m.PatientID != annID || m.IsLowStock || !m.IsActive || m.CurrentStock != 60 || !m.CreatedAt.Equal(noon) {
			t.Errorf("got %+v", m)
		}
		got := want[List[Reminder]](b, 200, ann, "GET", "/reminders?page_size=100", nil)
		if got.Total != 60 || len(got.Items) != 60 {
			t.Fatalf("got %d reminders, %d on the page, want 60", got.Total, len(got.Items))
		}
		first := got.Items[0]
		if first.MedicationName != "Metformin" || first.Status != pending || !first.ScheduledTime.Equal(noon.Add(8*time.Hour)) {
			t.Errorf("got first reminder %+v, want today 20:00 pending", first)
		}
		// Making them again finds them all; a deleted one comes back.
		path := "/medications/" + m.ID + "/reminders/generate"
		if got := want[Count](b, 200, ann, "POST", path, `{"days_ahead":30}`); got.Count != 0 {
			t.Errorf("second generate: got %d, want 0", got.Count)
		}
		b.refuse(204, ann, "DELETE", "/reminders/"+got.Items[1].ID, nil)
		if got := want[Count](b, 200, ann, "POST", path, `{"days_ahead":1}`); got.Count != 1 {
			t.Errorf("generate after delete: got %d, want 1", got.Count)
		}
		b.now = noon.AddDate(0, 0, 10)
		if got := want[Count](b, 200, doctor, "POST", path, `{"days_ahead":30}`); got.Count != 20 {
			t.Errorf("generate 10 days later: got %d, want 20", got.Count)
		}
		for _, days := range []string{"0", "31", "-1", "1.5", `"7"`} {
			b.refuse(422, ann, "POST", path, `{"days_ahead":`+days+`}`)
		}
	})
}

func TestGenerateInParallel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		b.now = noon.AddDate(0, 0, 30)
		path := "/medications/" + m.ID + "/reminders/generate"
		got := atOnce(10, func(int) int { return b.ask(ann, "POST", path, `{"days_ahead":30}`).Code })
		list := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil)
		if got[200] != 10 || list.Total != 120 {
			t.Errorf("got %v and %d reminders, want 10 times 200 and 120", got, list.Total)
		}
	})
}

func TestUpdateMedication(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, map[string]any{"instructions": "after meals", "end_date": "2026-07-10"})
		path := "/medications/" + m.ID
		pendings := func() []Reminder {
			return want[List[Reminder]](b, 200, ann, "GET", "/reminders?status=pending&page_size=100", nil).Items
		}
		before := pendings()
		if len(before) != 19 {
			t.Fatalf("got %d reminders to the end, want 19", len(before))
		}
		want[Reminder](b, 200, ann, "POST", "/reminders/"+before[0].ID+"/taken", nil)

		got := want[Medication](b, 200, doctor, "PATCH", path, `{"name":"Metformin XR","instructions":null}`)
		if got.Name != "Metformin XR" || got.Instructions != nil || got.Dosage != m.Dosage || got.CurrentStock != 59 || *got.EndDate != "2026-07-10" {
			t.Errorf("got %+v", got)
		}
		if after := pendings(); len(after) != 18 || after[0].ID != before[1].ID || after[0].MedicationName != "Metformin XR" {
			t.Errorf("a new name has changed the reminders: %d", len(after))
		}
		got = want[Medication](b, 200, ann, "PATCH", path, `{"frequency_type":"once_daily","reminder_times":["09:30"],"timezone":"Europe/Rome","end_date":null}`)
		if got.EndDate != nil || strings.Join(got.ReminderTimes, " ") != "09:30" {
			t.Errorf("got %+v", got)
		}
		after := pendings()
		if len(after) != 30 || after[0].ScheduledTime.Format("02T15:04") != "02T07:30" {
			t.Errorf("got %d reminders from %s, want 30 from 02T07:30", len(after), after[0].ScheduledTime)
		}
		if done := want[List[Reminder]](b, 200, ann, "GET", "/reminders?status=taken", nil); done.Total != 1 {
			t.Errorf("got %d taken reminders, want the one kept", done.Total)
		}
		for _, body := range []string{
			`{"frequency_type":"twice_daily"}`, `{"timezone":"Nowhere/Land"}`, `{"end_date":"2026-06-30"}`, `{"frequency_value":3}`,
			`{"name":""}`, `{"form":"brick"}`, `{"reminder_times":["9:30"]}`, `{"low_stock_threshold":-1}`, `[]`, `"x"`,
		} {
			b.refuse(422, ann, "PATCH", path, body)
		}
		b.refuse(400, ann, "PATCH", path, `{"name":`)
		if again := want[Medication](b, 200, ann, "GET", path, nil); again.Name != got.Name || again.Timezone != got.Timezone {
			t.Errorf("after refusals: got %+v", again)
		}
		b.refuse(204, ann, "DELETE", path, nil)
		b.refuse(404, ann, "GET", path, nil)
		b.refuse(404, ann, "DELETE", path, nil)
		b.refuse(404, ann, "POST", path+"/stock", `{"delta":1}`)
		if got := pendings(); len(got) != 0 {
			t.Errorf("got %d pending reminders of a deleted medication", len(got))
		}
		if got := want[List[Log]](b, 200, ann, "GET", "/logs", nil); got.Total != 1 || got.Items[0].MedicationName != "Metformin" {
			t.Errorf("got %+v, want the log under the name of then", got)
		}
	})
}

func TestMedicationLists(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		asNeeded := func(more map[string]any) map[string]any {
			more["frequency_type"], more["reminder_times"] = "as_needed", nil
			return more
		}
		open := b.addPill(ann, asNeeded(map[string]any{"name": "Open"}))
		over := b.addPill(ann, asNeeded(map[string]any{"name": "Over", "start_date": "2026-06-01", "end_date": "2026-06-30"}))
		// Still 1 July in New York when it is 2 July in UTC: the last day is the patient's.
		last := b.addPill(ann, asNeeded(map[string]any{"name": "Last", "end_date": "2026-07-01", "timezone": "America/New_York", "current_stock": 5}))
		b.addPill(bob, asNeeded(map[string]any{"name": "Other", "current_stock": 0}))
		b.now = at(t, "2026-07-02T03:59:59Z")
		for _, tt := range []struct {
			who  string
			path string
			want []string
		}{
			{"ann", "/medications", []string{"Last", "Over", "Open"}},
			{"ann", "/medications?active_only=true", []string{"Last", "Open"}},
			{"ann", "/medications/low-stock", []string{"Last"}},
			{"doctor", "/medications", []string{"Other", "Last", "Over", "Open"}},
			{"doctor", "/medications?patient_id=" + annID, []string{"Last", "Over", "Open"}},
			{"doctor", "/medications?active_only=true&patient_id=" + annID, []string{"Last", "Open"}},
			{"doctor", "/medications/low-stock", []string{"Other", "Last"}},
			{"doctor", "/medications/low-stock?patient_id=" + bobID, []string{"Other"}},
		} {
			who := ann
			if tt.who == "doctor" {
				who = doctor
			}
			got := want[List[Medication]](b, 200, who, "GET", tt.path, nil)
			var names []string
			for _, m := range got.Items {
				names = append(names, m.Name)
			}
			if strings.Join(names, " ") != strings.Join(tt.want, " ") || got.Total != len(tt.want) {
				t.Errorf("GET %s as %s: got %v of %d, want %v", tt.path, tt.who, names, got.Total, tt.want)
			}
		}
		b.now = b.now.Add(time.Second)
		for id, active := range map[string]bool{open.ID: true, over.ID: false, last.ID: false} {
			if got := want[Medication](b, 200, ann, "GET", "/medications/"+id, nil); got.IsActive != active {
				t.Errorf("%s: got active %t, want %t", got.Name, got.IsActive, active)
			}
		}
	})
}

func TestWhoseMedication(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		b.refuse(422, doctor, "POST", "/medications", pill(nil))
		b.refuse(404, doctor, "POST", "/medications", pill(map[string]any{"patient_id": anyID()}))
		for _, who := range []any{nil, annID} {
			if m := b.addPill(ann, map[string]any{"patient_id": who}); m.PatientID != annID {
				t.Errorf("got patient %s, want %s", m.PatientID, annID)
			}
		}
		w := b.ask(doctor, "POST", "/medications", pill(map[string]any{"patient_id": bobID}))
		if w.Code != 201 {
			t.Fatalf("got status %d: %s", w.Code, w.Body)
		}
		if m := want[Medication](b, 200, bob, "GET", strings.TrimPrefix(w.Header().Get("Location"), "/api/v1"), nil); m.PatientID != bobID {
			t.Errorf("got patient %s, want %s", m.PatientID, bobID)
		}
	})
}
