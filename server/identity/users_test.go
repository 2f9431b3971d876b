package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"vitals/server/identity"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

const (
	admin = "admin-001@clinic.test"
	p1    = "0193a1b2-0000-7000-8000-000000000001" // a patient's record
	p2    = "0193a1b2-0000-7000-8000-000000000002" // nobody's
)

func newUser(change fields) fields {
	body := fields{
		"email": "new@clinic.test", "password": newWord, "first_name": "Grace", "last_name": "Hopper", "role": "clinician",
	}
	maps.Copy(body, change)
	return body
}

func TestAdminManagesUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) {
			d.HasPatient = func(_ context.Context, _ store.Querier, _, patient string) (bool, error) { return patient == p1, nil }
		})
		access, _ := s.login(admin, goodWord)
		a := s.call("POST", "/users", access, newUser(fields{"email": "New@clinic.test"}))
		s.want("create", a, 201, "")
		var user identity.User
		if err := json.Unmarshal(a.Body, &user); err != nil {
			t.Fatal(err)
		}
		if user.Email != "new@clinic.test" || user.Role != "clinician" || !user.IsActive || user.ClinicID != s.seeded[0].ClinicID {
			t.Errorf("got %+v, want an active clinician in the admin's clinic", user)
		}
		if got, want := a.Header.Get("Location"), fmt.Sprintf("/api/v1/users/%d", user.ID); got != want {
			t.Errorf("location: got %s, want %s", got, want)
		}
		s.want("duplicate", s.call("POST", "/users", access, newUser(nil)), 409, "duplicate_user")
		linked := newUser(fields{"email": "p1@clinic.test", "role": "patient", "patient_id": p1})
		s.want("with a patient", s.call("POST", "/users", access, linked), 201, "")
		for name, body := range map[string]fields{
			"no such patient":     newUser(fields{"email": "x@clinic.test", "role": "patient", "patient_id": p2}),
			"a clinician patient": newUser(fields{"email": "x@clinic.test", "patient_id": p1}),
			"no role":             newUser(fields{"email": "x@clinic.test", "role": "king"}),
			"a clinic":            newUser(fields{"email": "x@clinic.test", "clinic_id": "other"}), // AU11
			"weak":                newUser(fields{"email": "x@clinic.test", "password": "gracehopper1"}),
		} {
			s.want(name, s.call("POST", "/users", access, body), 422, "")
		}

		theirs, refresh := s.login("new@clinic.test", newWord)
		path := fmt.Sprintf("/users/%d", user.ID)
		a = s.call("PATCH", path, access, fields{"is_active": false})
		s.want("deactivate", a, 200, "")
		if a.get(t, "is_active") != false || a.text(t, "role") != "clinician" {
			t.Errorf("got %s, want inactive, still a clinician", a.Body)
		}
		s.want("their access", s.call("GET", "/auth/me", theirs, nil), 401, "")
		s.want("their refresh", s.refresh(refresh), 401, "invalid_token")
		s.want("their login", s.call("POST", "/auth/login", "", fields{"email": "new@clinic.test", "password": newWord}), 401, "invalid_credentials")
		s.want("reactivate as admin", s.call("PATCH", path, access, fields{"is_active": true, "role": "admin"}), 200, "")
		theirs, _ = s.login("new@clinic.test", newWord)
		s.want("acts as admin", s.call("GET", "/users?page=2&page_size=2", theirs, nil), 200, "")

		list := s.call("GET", "/users?page=2&page_size=2", access, nil)
		var page identity.UserPage
		if err := json.Unmarshal(list.Body, &page); err != nil {
			t.Fatal(err)
		}
		if page.Total != 6 || len(page.Items) != 2 || page.Page != 2 || page.Size != 2 {
			t.Errorf("got %+v, want entries 3 and 4 of 6", page)
		}
		s.want("too far", s.call("GET", "/users?page=1000&page_size=100", access, nil), 422, "validation")
		s.want("own account", s.call("PATCH", fmt.Sprintf("/users/%d", s.seeded[3].UserID), access, fields{"role": "patient"}), 409, "own_account")
		s.want("nothing", s.call("PATCH", path, access, fields{}), 422, "validation")
		s.want("unknown", s.call("PATCH", "/users/999999", access, fields{"is_active": false}), 404, "not_found")
	})
}

// Another clinic's users are not there, and others than admins are refused.
func TestUsersStayInTheirClinic(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		s.exec(`INSERT INTO clinics (id, name, created_at) VALUES ('elsewhere', 'Elsewhere', 0)`)
		s.exec(`UPDATE users SET clinic_id = 'elsewhere' WHERE id = $1`, s.seeded[1].UserID)
		access, _ := s.login(admin, goodWord)
		path := fmt.Sprintf("/users/%d", s.seeded[1].UserID)
		s.want("another clinic's user", s.call("PATCH", path, access, fields{"role": "admin"}), 404, "not_found")
		if got := s.call("GET", "/users", access, nil).get(t, "total"); got != 3.0 {
			t.Errorf("total: got %v, want 3", got)
		}
		for _, email := range []string{patient, "clinician-001@clinic.test"} {
			other, _ := s.login(email, goodWord)
			s.want(email+" lists", s.call("GET", "/users", other, nil), 403, "")
			s.want(email+" creates", s.call("POST", "/users", other, newUser(nil)), 403, "")
			s.want(email+" lifts", s.call("DELETE", "/admin/locks/login/192.0.2.1", other, nil), 403, "")
		}
		s.want("nobody", s.call("GET", "/users", "", nil), 401, "")
	})
}

func TestAdminLiftsALock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, limit.Published(), nil) })
		access, _ := s.login(admin, goodWord)
		for range 6 {
			s.callFrom("198.51.100.7", "POST", "/auth/login", "", fields{"email": patient, "password": "wrong"})
		}
		right := func() answer {
			return s.callFrom("198.51.100.7", "POST", "/auth/login", "", fields{"email": patient, "password": goodWord})
		}
		s.want("locked", right(), 429, "locked_out")
		s.want("no such policy", s.call("DELETE", "/admin/locks/nonsense/198.51.100.7", access, nil), 404, "not_found")
		s.want("no address", s.call("DELETE", "/admin/locks/login/nonsense", access, nil), 422, "validation")
		s.want("lift", s.call("DELETE", "/admin/locks/login/198.51.100.7", access, nil), 204, "")
		s.want("no lock left", s.call("DELETE", "/admin/locks/login/198.51.100.7", access, nil), 404, "not_found")
		s.want("free", right(), 200, "")
	})
}
