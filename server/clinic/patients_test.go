package clinic

import (
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestPatientVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		w := b.ask(doctor, "POST", "/patients", `{"first_name":"Eva","last_name":"Novak","birth_date":"1990-02-28","phone":"+420 1","notes":"line one\nline two"}`)
		if w.Code != 201 || w.Header().Get("ETag") != `"1"` {
			t.Fatalf("got status %d, ETag %s: %s", w.Code, w.Header().Get("ETag"), w.Body)
		}
		path := w.Header().Get("Location")[len("/api/v1"):]
		p := want[Patient](b, 200, doctor, "GET", path, nil)
		if p.FirstName != "Eva" || p.Version != 1 || *p.Phone != "+420 1" {
			t.Errorf("got %+v", p)
		}
		p = want[Patient](b, 200, doctor, "PATCH", path, `{"last_name":"Nová","phone":null}`, "If-Match", `"1"`)
		if p.LastName != "Nová" || p.Phone != nil || p.FirstName != "Eva" || *p.Notes != "line one\nline two" || p.Version != 2 {
			t.Errorf("after patch: got %+v", p)
		}
		for _, stale := range []string{`"1"`, "1", `"3"`, `W/"2"`, "abc", `"1", "2"`, "-1"} {
			b.refuse(412, doctor, "PATCH", path, `{"last_name":"Lost"}`, "If-Match", stale)
			b.refuse(412, doctor, "DELETE", path, nil, "If-Match", stale)
		}
		b.refuse(422, doctor, "PATCH", path, `{"birth_date":"2090-01-01"}`)
		if got := want[Patient](b, 200, doctor, "GET", path, nil); got.Version != 2 || got.LastName != "Nová" {
			t.Errorf("after refusals: got %+v", got)
		}
		want[Patient](b, 200, doctor, "PATCH", path, `{"last_name":"Last"}`, "If-Match", "*")
		b.refuse(204, doctor, "DELETE", path, nil, "If-Match", `"3"`)
		b.refuse(404, doctor, "DELETE", path, nil, "If-Match", `"4"`)
		b.refuse(404, doctor, "GET", path, nil)
		b.refuse(404, doctor, "PATCH", path, `{"last_name":"Ghost"}`)
	})
}

func TestDeletedPatient(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(doctor, map[string]any{"patient_id": annID})
		r := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items[0]
		want[Reminder](b, 200, ann, "POST", "/reminders/"+r.ID+"/taken", nil)
		b.refuse(204, doctor, "DELETE", "/patients/"+annID, nil)
		b.refuse(404, doctor, "GET", "/medications/"+m.ID, nil)
		b.refuse(404, ann, "GET", "/patients/"+annID, nil)
		b.refuse(404, ann, "POST", "/medications", pill(nil))
		b.refuse(404, ann, "GET", "/analytics/adherence", nil)
		b.refuse(404, ann, "POST", "/logs", map[string]any{"medication_id": m.ID, "action": "taken", "source": "manual", "taken_at": noon})
		if got := want[List[Reminder]](b, 200, doctor, "GET", "/reminders?status=pending", nil); got.Total != 0 {
			t.Errorf("got %d pending reminders, want none", got.Total)
		}
		if got := want[List[Log]](b, 200, doctor, "GET", "/logs", nil); got.Total != 1 {
			t.Errorf("got %d logs, want the one kept", got.Total)
		}
	})
}

func TestPaging(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		names := map[string]bool{}
		for range 7 {
			names[b.addPill(ann, map[string]any{"frequency_type": "as_needed", "reminder_times": nil}).ID] = true
		}
		for page, size := range []int{3, 3, 1, 0} {
			got := want[List[Medication]](b, 200, ann, "GET", "/medications?page_size=3&page="+string(rune('1'+page)), nil)
			if got.Total != 7 || len(got.Items) != size || got.Page != page+1 || got.PageSize != 3 {
				t.Errorf("page %d: got %d of %d items, page %d size %d", page+1, len(got.Items), got.Total, got.Page, got.PageSize)
			}
			for _, m := range got.Items {
				if !names[m.ID] {
					t.Errorf("page %d: %s is there twice", page+1, m.ID)
				}
				delete(names, m.ID)
			}
		}
		if got := want[List[Log]](b, 200, ann, "GET", "/logs", nil); got.Items == nil || got.Total != 0 || got.PageSize != 20 {
			t.Errorf("empty list: got %+v", got)
		}
		b.refuse(200, ann, "GET", "/medications?page=101&page_size=100", nil)
		for _, q := range []string{"page=0", "page=102&page_size=100", "page=10002&page_size=1", "page_size=101", "page_size=0", "page=x", "page=-1"} {
			b.refuse(422, ann, "GET", "/medications?"+q, nil)
		}
	})
}
