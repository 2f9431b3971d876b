package clinic

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"vitals/server/store"
	"vitals/server/web"
)

// bench is the API over one database, asked by whom the test says.
type bench struct {
	testing.TB
	db      store.DB
	handler http.Handler
	now     time.Time
}

// Three users of two clinics: two patients of the first one, its clinician, and
// the clinician of the other.
const (
	clinicOne = "01890000-0000-7000-8000-000000000001"
	clinicTwo = "01890000-0000-7000-8000-000000000002"
	annID     = "01890000-0000-7000-8000-00000000000a"
	bobID     = "01890000-0000-7000-8000-00000000000b"
)

var (
	ann       = web.Principal{UserID: 1, Role: web.Patient, ClinicID: clinicOne, PatientID: annID}
	bob       = web.Principal{UserID: 2, Role: web.Patient, ClinicID: clinicOne, PatientID: bobID}
	doctor    = web.Principal{UserID: 3, Role: web.Clinician, ClinicID: clinicOne}
	elsewhere = web.Principal{UserID: 4, Role: web.Clinician, ClinicID: clinicTwo}
	admin     = web.Principal{UserID: 5, Role: web.Admin, ClinicID: clinicOne}
)

// noon is a time far from any change of the clocks.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func newBench(t testing.TB, db store.DB) *bench {
	t.Helper()
	b := &bench{TB: t, db: db, now: noon}
	mux := http.NewServeMux()
	Register(web.NewAPI("test", "1", humago.NewAdapter(mux, ""), nil), Deps{DB: db, Now: func() time.Time { return b.now }})
	b.handler = mux
	err := db.Write(t.Context(), func(ctx context.Context, q store.Querier) error {
		for _, id := range []string{annID, bobID} {
			if _, err := q.ExecContext(ctx, `INSERT INTO patients (id, clinic_id, first_name, last_name, birth_date, created_at, updated_at)
				VALUES ($1, $2, 'Test', 'Patient', '1980-01-01', 0, 0)`, id, clinicOne); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask sends a request as the user; body is JSON text, a value, or nil.
func (b *bench) ask(who web.Principal, method, path string, body any, header ...string) *httptest.ResponseRecorder {
	b.Helper()
	var r io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	req := httptest.NewRequest(method, "/api/v1"+path, r)
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.serve(req.WithContext(web.WithPrincipal(req.Context(), who)))
}

func (b *bench) serve(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, req)
	return w
}

// want asks and checks the status, and decodes the answer into T.
func want[T any](b *bench, status int, who web.Principal, method, path string, body any, header ...string) T {
	b.Helper()
	w := b.ask(who, method, path, body, header...)
	if w.Code != status {
		b.Fatalf("%s %s as user %d: got status %d, want %d: %s", method, path, who.UserID, w.Code, status, w.Body)
	}
	var v T
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			b.Fatalf("%s %s: decode answer: %v", method, path, err)
		}
	}
	return v
}

// refuse asks and checks the status only.
func (b *bench) refuse(status int, who web.Principal, method, path string, body any, header ...string) {
	b.Helper()
	want[map[string]any](b, status, who, method, path, body, header...)
}

// pill is a medication as a client would add it, with changes over it.
func pill(change map[string]any) map[string]any {
	m := map[string]any{
		"name": "Metformin", "dosage": "500 mg", "form": "tablet", "frequency_type": "twice_daily",
		"reminder_times": []string{"08:00", "20:00"}, "timezone": "UTC", "start_date": "2026-07-01",
		"current_stock": 60, "low_stock_threshold": 5,
	}
	for k, v := range change {
		m[k] = v
		if v == nil {
			delete(m, k)
		}
	}
	return m
}

// addPill adds a medication and gives it.
func (b *bench) addPill(who web.Principal, change map[string]any) Medication {
	b.Helper()
	return want[Medication](b, 201, who, "POST", "/medications", pill(change))
}

func anyID() string { return uuid.Must(uuid.NewV7()).String() }
