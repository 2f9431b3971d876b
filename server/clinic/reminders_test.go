package clinic

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestSettleReminders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		rs := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items
		b.refuse(422, ann, "POST", "/reminders/"+rs[0].ID+"/taken", `{"taken_at":"2026-07-01T12:05:01Z"}`)
		b.refuse(422, ann, "POST", "/reminders/"+rs[0].ID+"/taken", `{"notes":"`+strings.Repeat("ä", 501)+`"}`)
		for i, tt := range []struct {
			verb, body string
			at         time.Time // zero = none
		}{
			{"taken", "", noon},
			{"taken", `{"taken_at":"2026-07-01T13:59:59+02:00","notes":"` + strings.Repeat("ä", 500) + `"}`, noon.Add(-time.Second)},
			{"taken", `{"taken_at":"2026-07-01T12:05:00Z"}`, noon.Add(5 * time.Minute)},
			{"skipped", `{"notes":"fasting"}`, time.Time{}},
			{"missed", "", time.Time{}},
		} {
			var body any
			if tt.body != "" {
				body = tt.body
			}
			path := "/reminders/" + rs[i].ID
			got := want[Reminder](b, 200, ann, "POST", path+"/"+tt.verb, body)
			if got.Status != tt.verb || (got.TakenAt == nil) != tt.at.IsZero() || got.TakenAt != nil && !got.TakenAt.Equal(tt.at) {
				t.Errorf("%s %s: got %+v, want at %s", tt.verb, tt.body, got, tt.at)
			}
			for _, verb := range []string{"taken", "skipped", "missed"} {
				p := want[map[string]any](b, 409, ann, "POST", path+"/"+verb, nil)
				if p["code"] != "already_terminal" {
					t.Errorf("got code %v, want already_terminal", p["code"])
				}
			}
			b.refuse(409, ann, "DELETE", path, nil)
		}
		logs := want[List[Log]](b, 200, ann, "GET", "/logs", nil)
		if logs.Total != 5 {
			t.Fatalf("got %d logs, want one for each of 5 reminders", logs.Total)
		}
		for _, l := range logs.Items {
			if l.ReminderID == nil || l.MedicationID != m.ID || l.Source != fromReminder {
				t.Errorf("got %+v", l)
			}
		}
		if m := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil); m.CurrentStock != 57 {
			t.Errorf("got stock %d, want 57 after three doses", m.CurrentStock)
		}
		for _, verb := range []string{"taken", "skipped", "missed"} {
			b.refuse(404, ann, "POST", "/reminders/"+anyID()+"/"+verb, nil)
		}
		b.refuse(422, ann, "GET", "/reminders/1", nil)
	})
}

func TestReminderFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		one := b.addPill(ann, nil)
		b.addPill(ann, map[string]any{"frequency_type": "once_daily", "reminder_times": []string{"10:00"}})
		b.addPill(bob, nil)
		first := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items[0]
		want[Reminder](b, 200, ann, "POST", "/reminders/"+first.ID+"/missed", nil)
		between := url.Values{"from": {"2026-07-02T08:00:00Z"}, "to": {"2026-07-03T10:00:00+02:00"}}.Encode()
		for _, tt := range []struct {
			staff bool
			query string
			want  int
		}{
			{false, "", 90},
			{false, "status=pending", 89},
			{false, "status=missed", 1},
			{false, "medication_id=" + one.ID, 60},
			{false, "medication_id=" + one.ID + "&status=pending", 59},
			{false, between, 3},
			{false, between + "&medication_id=" + one.ID, 2},
			{true, "", 150},
			{true, "patient_id=" + bobID, 60},
			{true, "patient_id=" + bobID + "&" + between, 2},
			{true, between, 5},
			{true, "medication_id=" + one.ID, 60},
		} {
			who := ann
			if tt.staff {
				who = doctor
			}
			got := want[List[Reminder]](b, 200, who, "GET", "/reminders?page_size=100&"+tt.query, nil)
			if got.Total != tt.want || len(got.Items) != min(tt.want, 100) {
				t.Errorf("?%s: got %d, %d on the page, want %d", tt.query, got.Total, len(got.Items), tt.want)
			}
			turns := 0 // a list of two patients goes back in time once
			for i := 1; i < len(got.Items); i++ {
				if got.Items[i].ScheduledTime.Before(got.Items[i-1].ScheduledTime) {
					turns++
				}
			}
			if turns > 1 || turns == 1 && !tt.staff {
				t.Errorf("?%s: goes back in time %d times", tt.query, turns)
			}
		}
		for _, q := range []string{"status=done", "from=today", "medication_id=x", "patient_id=%00"} {
			b.refuse(422, ann, "GET", "/reminders?"+q, nil)
		}
	})
}
