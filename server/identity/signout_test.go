package identity_test

import (
	"encoding/json"
	"testing"

	"vitals/server/identity"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestLogoutEndsOneSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, refresh := s.login(patient, goodWord)
		other, otherRefresh := s.login(patient, goodWord)
		s.want("logout", s.call("POST", "/auth/logout", access, fields{"refresh_token": refresh}), 204, "")
		s.want("access", s.call("GET", "/auth/me", access, nil), 401, "")
		s.want("refresh", s.refresh(refresh), 401, "invalid_token")
		s.want("the other session", s.call("GET", "/auth/me", other, nil), 200, "")

		foreign, _ := s.login("patient-000002@clinic.test", goodWord)
		s.want("with another's token", s.call("POST", "/auth/logout", foreign, fields{"refresh_token": otherRefresh}), 204, "")
		s.want("which is left alone", s.refresh(otherRefresh), 200, "")
	})
}

func TestLogoutAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, refresh := s.login(patient, goodWord)
		other, _ := s.login(patient, goodWord)
		bystander, _ := s.login("patient-000002@clinic.test", goodWord)
		a := s.call("POST", "/auth/logout-all", access, nil)
		s.want("logout-all", a, 200, "")
		if got := a.get(t, "revoked"); got != 2.0 {
			t.Errorf("revoked: got %v, want 2", got)
		}
		s.want("access", s.call("GET", "/auth/me", access, nil), 401, "")
		s.want("other access", s.call("GET", "/auth/me", other, nil), 401, "")
		s.want("refresh", s.refresh(refresh), 401, "invalid_token")
		s.want("bystander", s.call("GET", "/auth/me", bystander, nil), 200, "")
	})
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(patient, goodWord)
		other, _ := s.login(patient, goodWord)
		foreign, _ := s.login("patient-000002@clinic.test", goodWord)
		list := func(bearer string) (out []identity.Session) {
			a := s.call("GET", "/auth/sessions", bearer, nil)
			s.want("list", a, 200, "")
			if err := json.Unmarshal(a.Body, &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		sessions := list(access)
		if len(sessions) != 2 || sessions[0].IP != "192.0.2.1" {
			t.Fatalf("got %+v, want two from 192.0.2.1", sessions)
		}
		theirs := sessions[0]
		if theirs.Current {
			theirs = sessions[1]
		}
		s.want("another's session", s.call("DELETE", "/auth/sessions/"+theirs.ID, foreign, nil), 404, "not_found")
		s.want("end", s.call("DELETE", "/auth/sessions/"+theirs.ID, access, nil), 204, "")
		s.want("twice", s.call("DELETE", "/auth/sessions/"+theirs.ID, access, nil), 404, "not_found")
		s.want("the ended one", s.call("GET", "/auth/me", other, nil), 401, "")
		if got := list(access); len(got) != 1 || !got[0].Current {
			t.Errorf("got %+v, want the current one", got)
		}
	})
}
