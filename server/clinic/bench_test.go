package clinic

import (
	"fmt"
	"testing"
	"time"

	"vitals/server/store/storetest"
	"vitals/server/web"
)

// Benchmarks of the commonest requests, handler and database together, on a
// SQLite with 500 seeded patients; each asks as the next patient, as load does.

func benchPatients(b *testing.B) (*bench, []web.Principal) {
	b.Helper()
	db := storetest.SQLite(b)
	seeds := make([]SeedPatient, 500)
	who := make([]web.Principal, len(seeds))
	for i := range seeds {
		seeds[i] = SeedPatient{ID: anyID(), ClinicID: clinicTwo}
		who[i] = web.Principal{UserID: int64(i + 1), Role: web.Patient, ClinicID: clinicTwo, PatientID: seeds[i].ID}
	}
	if err := Seed(b.Context(), db, seeds); err != nil {
		b.Fatal(err)
	}
	x := newBench(b, db)
	x.now = time.Now()
	return x, who
}

func benchRequest(b *testing.B, status int, request func(x *bench, who web.Principal, i int) (method, path string, body any)) {
	x, who := benchPatients(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p := who[i%len(who)]
		method, path, body := request(x, p, i)
		if w := x.ask(p, method, path, body); w.Code != status {
			b.Fatalf("%s %s: got status %d, want %d: %s", method, path, w.Code, status, w.Body)
		}
		i++
	}
}

func BenchmarkListMedications(b *testing.B) {
	benchRequest(b, 200, func(*bench, web.Principal, int) (string, string, any) {
		return "GET", "/medications?active_only=true", nil
	})
}

func BenchmarkCreateMedication(b *testing.B) {
	start := time.Now().Format(time.DateOnly)
	benchRequest(b, 201, func(*bench, web.Principal, int) (string, string, any) {
		return "POST", "/medications", pill(map[string]any{"start_date": start})
	})
}

func BenchmarkListReminders(b *testing.B) {
	benchRequest(b, 200, func(*bench, web.Principal, int) (string, string, any) { return "GET", "/reminders?status=pending", nil })
}

func BenchmarkCreateLog(b *testing.B) {
	medications := map[string]string{}
	benchRequest(b, 201, func(x *bench, p web.Principal, i int) (string, string, any) {
		id, ok := medications[p.PatientID]
		if !ok {
			id = want[List[Medication]](x, 200, p, "GET", "/medications", nil).Items[0].ID
			medications[p.PatientID] = id
		}
		return "POST", "/logs", fmt.Sprintf(`{"medication_id":%q,"action":"taken","source":"api","taken_at":%q}`, id, x.now.Format(time.RFC3339))
	})
}

func BenchmarkAdherence(b *testing.B) {
	benchRequest(b, 200, func(*bench, web.Principal, int) (string, string, any) { return "GET", "/analytics/adherence", nil })
}

func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		db := storetest.SQLite(b)
		seeds := make([]SeedPatient, 500)
		for i := range seeds {
			seeds[i] = SeedPatient{ID: anyID(), ClinicID: clinicOne}
		}
		b.StartTimer()
		if err := Seed(b.Context(), db, seeds); err != nil {
			b.Fatal(err)
		}
	}
}
