package identity_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/identity"
	"vitals/server/identity/password"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		a := s.call("POST", "/auth/login", "", fields{"email": "Patient-000001@Clinic.Test", "password": goodWord})
		s.want("login", a, http.StatusOK, "")
		if got, want := a.text(t, "token_type"), "bearer"; got != want {
			t.Errorf("token_type: got %q, want %q", got, want)
		}
		if got, want := a.get(t, "expires_in"), 900.0; got != want {
			t.Errorf("expires_in: got %v, want %v", got, want)
		}
		me := s.call("GET", "/auth/me", a.text(t, "access_token"), nil)
		s.want("me", me, http.StatusOK, "")
		var user identity.User
		if err := json.Unmarshal(me.Body, &user); err != nil {
			t.Fatal(err)
		}
		if got, want := user.PatientID, s.seeded[0].PatientID; got != want {
			t.Errorf("patient: got %q, want %q", got, want)
		}
		if got, want := a.remaining(), "1000"; got != want {
			t.Errorf("remaining after a success: got %s, want %s", got, want)
		}
	})
}

// AU1: unknown, wrong and disabled are one answer, at the price of one hash.
func TestUnknownWrongAndDisabledAreAlike(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		s.exec(`UPDATE users SET is_active = FALSE WHERE email = 'patient-000002@clinic.test'`)
		var first answer
		for i, c := range []struct{ name, email, password string }{
			{"unknown", "nobody@clinic.test", goodWord},
			{"wrong", "patient-000001@clinic.test", "wrong"},
			{"disabled", "patient-000002@clinic.test", goodWord},
			{"disabled and wrong", "patient-000002@clinic.test", "wrong"},
		} {
			before := hashes(t, s.metrics)
			a := s.callFrom(fmt.Sprintf("192.0.2.%d", i+10), "POST", "/auth/login", "", fields{"email": c.email, "password": c.password})
			if got, want := hashes(t, s.metrics)-before, uint64(1); got != want {
				t.Errorf("%s: got %d hashes, want %d", c.name, got, want)
			}
			s.want(c.name, a, http.StatusUnauthorized, "invalid_credentials")
			if got, want := a.Header.Get("WWW-Authenticate"), "Bearer"; got != want {
				t.Errorf("%s: WWW-Authenticate: got %q, want %q", c.name, got, want)
			}
			if i == 0 {
				first = a
				continue
			}
			if diff := cmp.Diff(first.settled(), a.settled()); diff != "" {
				t.Errorf("%s differs from unknown (-unknown +%s):\n%s", c.name, c.name, diff)
			}
		}
		if got, want := first.remaining(), "999"; got != want {
			t.Errorf("remaining after a failure: got %s, want %s", got, want)
		}
		if log := s.log.String(); strings.Contains(log, "@clinic.test") || !strings.Contains(log, "login_failed") {
			t.Errorf("log names an email or no event:\n%s", log)
		}
	})
}

func TestNothingIsHashedPastTheLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) {
			d.Gate = gate(t, limit.Published(), nil)
		})
		for range 5 {
			a := s.call("POST", "/auth/login", "", fields{"email": "nobody@clinic.test", "password": "wrong"})
			s.want("wrong", a, http.StatusUnauthorized, "invalid_credentials")
		}
		before := hashes(t, s.metrics)
		right := s.call("POST", "/auth/login", "", fields{"email": "patient-000001@clinic.test", "password": goodWord})
		wrong := s.call("POST", "/auth/login", "", fields{"email": "patient-000001@clinic.test", "password": "wrong"})
		s.want("right password while locked", right, http.StatusTooManyRequests, "locked_out")
		if diff := cmp.Diff(right.settled(), wrong.settled()); diff != "" {
			t.Errorf("a lock tells right from wrong (-right +wrong):\n%s", diff)
		}
		if got := hashes(t, s.metrics) - before; got != 0 {
			t.Errorf("got %d hashes while locked, want 0", got)
		}
	})
}

func TestFullHashQueueIs503AndNoFailure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		narrow, err := password.NewHasher(password.Cost{MemoryKiB: 32 << 10, Time: 2, Parallelism: 1},
			password.Limits{Concurrency: 1, Queue: 0, Wait: time.Second}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Hasher = narrow })
		got := parallel(8, func(int) answer {
			a := s.call("POST", "/auth/login", "", fields{"email": "nobody@clinic.test", "password": "wrong"})
			if a.Status == http.StatusServiceUnavailable {
				s.want("shed", a, http.StatusServiceUnavailable, "hash_capacity")
			}
			return a
		})
		if got[http.StatusServiceUnavailable] == 0 || got[http.StatusUnauthorized] == 0 || len(got) != 2 {
			t.Errorf("8 parallel logins with one slot: got %v, want some 401 and some 503", got)
		}
		// The shed ones were given back: only the judged count.
		last := s.call("POST", "/auth/login", "", fields{"email": "nobody@clinic.test", "password": "wrong"})
		if want := strconv.Itoa(1000 - got[http.StatusUnauthorized] - 1); last.remaining() != want {
			t.Errorf("remaining: got %s, want %s", last.remaining(), want)
		}
	})
}

func TestLoginRefusesMalformedInputBeforeTheGate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		for name, body := range map[string]fields{
			"no email":       {"password": "x"},
			"no at":          {"email": "patient", "password": "x"},
			"no password":    {"email": "a@b.c", "password": ""},
			"long password":  {"email": "a@b.c", "password": strings.Repeat("é", 129)},
			"long email":     {"email": strings.Repeat("a", 250) + "@b.cc", "password": "x"},
			"unknown member": {"email": "a@b.c", "password": "x", "role": "admin"},
		} {
			a := s.call("POST", "/auth/login", "", body)
			s.want(name, a, http.StatusUnprocessableEntity, "")
			if got := a.remaining(); got != "" {
				t.Errorf("%s: went through the gate", name)
			}
		}
	})
}

func TestLoginRehashesAtANewCost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		dear := password.Cost{MemoryKiB: 128, Time: 1, Parallelism: 1}
		h, err := password.NewHasher(dear, password.Limits{Concurrency: 1, Queue: 1, Wait: time.Second}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s2 := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Hasher = h })
		s2.login("patient-000001@clinic.test", goodWord)
		var hash string
		s2.scan(&hash, `SELECT password_hash FROM users WHERE email = 'patient-000001@clinic.test'`)
		if want := "$m=128,t=1,p=1$"; !strings.Contains(hash, want) {
			t.Errorf("hash after login: got %s, want %s in it", hash, want)
		}
		s.login("patient-000001@clinic.test", goodWord) // and the old service still reads it
	})
}

// hashes is how many argon2id hashes a site has computed.
func hashes(t *testing.T, reg *prometheus.Registry) uint64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "password_hash_seconds" {
			return f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	t.Fatal("no password_hash_seconds")
	return 0
}
