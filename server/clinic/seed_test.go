package clinic

import (
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

func TestSeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		n := 2000
		if testing.Short() {
			n = 200
		}
		patients := make([]SeedPatient, n)
		for i := range patients {
			patients[i] = SeedPatient{ID: anyID(), ClinicID: clinicTwo}
		}
		began := time.Now()
		if err := Seed(t.Context(), db, patients); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d patients in %v", n, time.Since(began))
		if err := Seed(t.Context(), db, patients[:5]); err != nil {
			t.Fatalf("seed again: %v", err)
		}
		b := newBench(t, db)
		b.now = time.Now()
		one := web.Principal{UserID: 9, Role: web.Patient, ClinicID: clinicTwo, PatientID: patients[3].ID}
		if got := want[List[Medication]](b, 200, one, "GET", "/medications", nil); got.Total != 2 {
			t.Errorf("got %d medications, want 2", got.Total)
		}
		if got := want[List[Reminder]](b, 200, one, "GET", "/reminders", nil); got.Total != 24 {
			t.Errorf("got %d reminders, want 24", got.Total)
		}
		if got := want[List[Reminder]](b, 200, one, "GET", "/reminders?status=pending", nil); got.Total < 12 {
			t.Errorf("got %d pending reminders, want 12 or more", got.Total)
		}
		if got := want[AdherenceReport](b, 200, one, "GET", "/analytics/adherence", nil); got.Overall.Total < 9 || len(got.ByMedication) != 2 {
			t.Errorf("got %+v", got)
		}
		if got := want[List[Patient]](b, 200, elsewhere, "GET", "/patients", nil); got.Total != n {
			t.Errorf("got %d patients, want %d", got.Total, n)
		}
		if got := want[List[Reminder]](b, 200, elsewhere, "GET", "/reminders", nil); got.Total != min(24*n, maxTotal) {
			t.Errorf("got a total of %d, want %d, at most the cap", got.Total, min(24*n, maxTotal))
		}
	})
}
