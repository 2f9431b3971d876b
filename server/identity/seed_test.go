package identity_test

import (
	"testing"

	"vitals/server/identity"
	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

func TestSeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db) // has seeded 2 patients and 2 of the staff
		o := identity.SeedOptions{Hash: s.hasher.Hash, Clinicians: 2, Admins: 1}
		before := hashes(t, s.metrics)
		accounts, err := identity.Seed(t.Context(), db, 1200, newWord, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := hashes(t, s.metrics) - before; got != 1 {
			t.Errorf("got %d hashes, want 1", got)
		}
		if len(accounts) != 1203 {
			t.Fatalf("got %d accounts, want 1203", len(accounts))
		}
		ids, patients := map[int64]bool{}, map[string]bool{}
		for _, a := range accounts {
			if a.UserID < 1 || ids[a.UserID] || a.ClinicID != accounts[0].ClinicID {
				t.Fatalf("%+v: no id, a second time, or another clinic", a)
			}
			ids[a.UserID] = true
			if (a.Role == web.Patient) != (a.PatientID != "") || patients[a.PatientID] && a.PatientID != "" {
				t.Fatalf("%+v: a patient without record, or the other way round", a)
			}
			patients[a.PatientID] = true
		}
		if accounts[1199].Email != "patient-001200@clinic.test" || accounts[1202].Email != "admin-001@clinic.test" {
			t.Errorf("got %s and %s", accounts[1199].Email, accounts[1202].Email)
		}
		// The ones from before keep who they are and have the new password.
		if accounts[0] != s.seeded[0] {
			t.Errorf("got %+v, want %+v", accounts[0], s.seeded[0])
		}
		s.login(patient, newWord)
		s.login("patient-001200@clinic.test", newWord)
		if _, err := identity.Seed(t.Context(), db, 1, newWord, identity.SeedOptions{}); err == nil {
			t.Error("no hash function: no error")
		}
	})
}
