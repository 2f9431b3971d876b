package identity_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"vitals/server/identity"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

const newWord = "an elephant in a teapot"

func (s *site) change(access, old, word string) answer {
	return s.call("POST", "/auth/password-change", access, fields{"old_password": old, "new_password": word})
}

// AU6
func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, refresh := s.login(patient, goodWord)
		other, otherRefresh := s.login(patient, goodWord)
		a := s.change(access, goodWord, newWord)
		s.want("change", a, 200, "")
		s.want("new access", s.call("GET", "/auth/me", a.text(t, "access_token"), nil), 200, "")
		s.want("new refresh", s.refresh(a.text(t, "refresh_token")), 200, "")
		for name, old := range map[string]string{"own": access, "other": other} {
			s.want(name+" old access", s.call("GET", "/auth/me", old, nil), 401, "")
		}
		for name, old := range map[string]string{"own": refresh, "other": otherRefresh} {
			s.want(name+" old refresh", s.refresh(old), 401, "invalid_token")
		}
		s.want("old password", s.call("POST", "/auth/login", "", fields{"email": patient, "password": goodWord}), 401, "invalid_credentials")
		s.login(patient, newWord)
		if sent := s.delivered(); len(sent) != 1 || sent[0].To != patient || !strings.Contains(sent[0].Subject, "changed") {
			t.Errorf("mail: got %+v, want a notice", sent)
		}
		if !strings.Contains(s.log.String(), "password_changed") {
			t.Error("no password_changed event")
		}
	})
}

func TestPasswordChangeRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(patient, goodWord)
		s.want("wrong old", s.change(access, "wrong", newWord), 401, "invalid_credentials")
		s.want("short", s.change(access, goodWord, "elevenchars"), 422, "password_policy")
		s.want("common", s.change(access, goodWord, "password12345"), 422, "password_breached")
		s.want("the email", s.change(access, goodWord, "patient-000001!"), 422, "password_breached")
		s.want("same", s.change(access, newWord, newWord), 422, "password_same")
		s.want("too long", s.change(access, goodWord, strings.Repeat("ü", 129)), 422, "")
		s.want("nobody", s.change("", goodWord, newWord), 401, "")
		a := s.change(access, goodWord, "elevenchars")
		if !strings.Contains(string(a.Body), "body.new_password") || strings.Contains(string(a.Body), "elevenchars") {
			t.Errorf("got %s, want the field and not its value", a.Body)
		}
		s.want("still signed in", s.call("GET", "/auth/me", access, nil), 200, "")
	})
}

func TestTwentyParallelPasswordChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(patient, goodWord)
		got := parallel(20, func(i int) answer { return s.change(access, goodWord, fmt.Sprintf("%s %d", newWord, i)) })
		if want := map[int]int{200: 1, 401: 19}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// LK22: the sixth request within the hour, by user or by address.
func TestPasswordChangesAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, limit.Published(), nil) })
		access, _ := s.login(patient, goodWord)
		for range 5 {
			s.want("wrong old", s.change(access, "wrong", newWord), 401, "invalid_credentials")
		}
		before := hashes(t, s.metrics)
		s.want("sixth", s.change(access, goodWord, newWord), 429, "rate_limited")
		a := s.callFrom("192.0.2.9", "POST", "/auth/password-change", access, fields{"old_password": goodWord, "new_password": newWord})
		s.want("from elsewhere, same user", a, 429, "rate_limited")
		if got := hashes(t, s.metrics) - before; got != 0 {
			t.Errorf("got %d hashes for refused changes, want 0", got)
		}
		s.login(patient, goodWord) // no login lock
	})
}
