package clinic

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// taker is an operation that takes a body.
type taker struct{ method, path string }

func bodyTakers(b *bench) []taker {
	m := b.addPill(ann, nil)
	r := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items[0]
	l := want[Log](b, 201, ann, "POST", "/logs", map[string]any{"medication_id": m.ID, "action": "taken", "source": "api", "taken_at": noon})
	return []taker{
		{"POST", "/medications"},
		{"PATCH", "/medications/" + m.ID},
		{"POST", "/medications/" + m.ID + "/stock"},
		{"POST", "/medications/" + m.ID + "/reminders/generate"},
		{"POST", "/reminders/" + r.ID + "/taken"},
		{"POST", "/reminders/" + r.ID + "/skipped"},
		{"POST", "/logs"},
		{"PATCH", "/logs/" + l.ID},
		{"POST", "/logs/" + l.ID + "/void"},
		{"POST", "/patients"},
		{"PATCH", "/patients/" + annID},
	}
}

// oddBodies are bodies that have broken services before.
var oddBodies = []string{
	`{"patient_id":"` + annID + `","name":"x","dosage":"1","form":"drops","frequency_type":"every_x_hours","frequency_value":1,"timezone":"Pacific/Apia",
		"start_date":"1900-01-01","current_stock":0,"low_stock_threshold":0}`,
	`{}`, `[]`, `null`, ``, `{`, `{"name":"\u0000"}`, `{"name":"x","NAME":"\u0000"}`, `{"delta":1e400}`, `{"delta":9223372036854775807}`, `{"delta":1.5}`,
	`{"notes":"\u0000"}`, `{"reason":"\u0000"}`, `{"first_name":"\u0000"}`, `{"allergies":"a\u0000b"}`, `{"phone":"\u0000"}`, `{"email":"\u0000@x.y"}`,
	`{"delta":1,"note":"\u0000"}`, `{"instructions":"\u0000"}`, `{"timezone":"\u0000"}`, `{"taken_at":"0000-01-01T00:00:00Z"}`,
	`{"end_date":"9999-12-31","start_date":"1900-01-01"}`, `{"notes":"\ud800"}`, `{"days_ahead":30}`, `{"low_stock_threshold":1e15}`,
	`{"first_name":"a","last_name":"b","birth_date":"2000-02-30"}`, `{"first_name":"a","last_name":"b","birth_date":"0000-01-01"}`,
	`{"timezone":"../etc/passwd"}`, "{\"notes\":\"\xff\xfe\"}", `{"reminder_times":null}`, `{"frequency_value":null}`, `{"name":null}`,
}

// TestOddBodies sends them to both engines: Postgres refuses text that SQLite
// keeps.
func TestOddBodies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		for _, o := range bodyTakers(b) {
			for _, body := range oddBodies {
				if w := b.ask(doctor, o.method, o.path, body); w.Code >= http.StatusInternalServerError {
					t.Errorf("%s %s with %q: got status %d: %s", o.method, o.path, body, w.Code, w.Body)
				}
			}
		}
	})
}

// FuzzBodies sends any bytes as the body of each operation that takes one. The
// service must never be the one at fault: no panic, no status of 500.
func FuzzBodies(f *testing.F) {
	b := newBench(f, storetest.SQLite(f))
	operations := bodyTakers(b)
	for i := range operations {
		for _, body := range oddBodies {
			f.Add(uint8(i), body)
		}
	}
	f.Fuzz(func(t *testing.T, op uint8, body string) {
		o := operations[int(op)%len(operations)]
		x := *b
		x.TB = t
		if w := x.ask(doctor, o.method, o.path, body); w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s with %q: got status %d: %s", o.method, o.path, body, w.Code, w.Body)
		}
	})
}

// FuzzQueries does the same with the query of each list and report.
func FuzzQueries(f *testing.F) {
	b := newBench(f, storetest.SQLite(f))
	paths := []string{"/patients", "/medications", "/medications/low-stock", "/reminders", "/logs", "/analytics/adherence", "/analytics/recent"}
	for i := range paths {
		for _, query := range []string{
			"", "page=1&page_size=100", "page=10001", "page=-9223372036854775808", "status=pending&from=2026-01-01T00:00:00Z",
			"patient_id=" + annID, "patient_id=%00", "from=9999-12-31T23:59:59Z&to=0000-01-01T00:00:00Z", "days=90", "active_only=maybe", "%zz", "a;b", "page=1&page=2",
		} {
			f.Add(uint8(i), query)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, query string) {
		req := httptest.NewRequestWithContext(web.WithPrincipal(t.Context(), doctor), "GET", "/api/v1"+paths[int(i)%len(paths)], nil)
		req.URL.RawQuery = query
		if w := b.serve(req); w.Code >= http.StatusInternalServerError {
			t.Errorf("%s?%s: got status %d: %s", paths[int(i)%len(paths)], query, w.Code, w.Body)
		}
	})
}
