package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/server/identity"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

func (s *site) register(from, email, word string) answer {
	return s.callFrom(from, "POST", "/auth/register", "", fields{
		"email": email, "password": word, "first_name": "Ada", "last_name": "Byron",
	})
}

func TestRegister(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		before := hashes(t, s.metrics)
		fresh := s.register("192.0.2.1", "Ada@clinic.test", newWord)
		taken := s.register("192.0.2.2", patient, newWord)
		s.want("fresh", fresh, 202, "")
		if diff := cmp.Diff(fresh.settled(), taken.settled()); diff != "" {
			t.Errorf("fresh and taken differ:\n%s", diff)
		}
		if got := hashes(t, s.metrics) - before; got != 2 {
			t.Errorf("got %d hashes, want one each", got)
		}
		subjects := map[string]string{}
		for _, m := range s.delivered() {
			subjects[m.To] = m.Subject
		}
		want := map[string]string{"ada@clinic.test": "Welcome", patient: "You have an account already"}
		if diff := cmp.Diff(want, subjects); diff != "" {
			t.Errorf("mail (-want +got):\n%s", diff)
		}
		access, _ := s.login("ada@clinic.test", newWord)
		me := s.call("GET", "/auth/me", access, nil)
		if got := me.text(t, "role"); got != "patient" || me.text(t, "patient_id") != "" {
			t.Errorf("me: got %s, want a patient without a record", me.Body)
		}
		s.login(patient, goodWord) // untouched
		s.want("weak", s.register("192.0.2.3", "b@clinic.test", "ada byron 12"), 422, "password_breached")
		if strings.Contains(s.log.String(), "ada@clinic.test") {
			t.Error("the log names an email")
		}
	})
}

func TestRegistrationIsOffUnlessAllowed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(o *identity.Options, _ *identity.Deps) { o.Registration = false })
		s.want("off", s.register("192.0.2.1", "ada@clinic.test", newWord), 404, "")
	})
}
