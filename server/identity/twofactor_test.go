package identity_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"vitals/server/identity"
	"vitals/server/identity/factor"
	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

const patient = "patient-000001@clinic.test"

// code is what the app of a user with secret shows now.
func (s *site) code(secret string) string {
	s.t.Helper()
	code, err := factor.Code(secret, factor.Step(s.clock.now()))
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// other is a code that is wrong now and in the steps beside it.
func (s *site) other(secret string) string {
	s.t.Helper()
	for n := range 1000 {
		code := fmt.Sprintf("%06d", n)
		if _, ok, err := factor.Match(secret, code, s.clock.now()); !ok && err == nil {
			return code
		}
	}
	s.t.Fatal("every code matches")
	return ""
}

// enrolled gives a user a second factor and moves on to the next code.
func (s *site) enrolled(email string) (secret string, recovery []any) {
	s.t.Helper()
	access, _ := s.login(email, goodWord)
	a := s.call("POST", "/auth/2fa/enrol", access, fields{"password": goodWord})
	s.want("enrol", a, http.StatusOK, "")
	secret = a.text(s.t, "secret")
	a = s.call("POST", "/auth/2fa/confirm", access, fields{"code": s.code(secret)})
	s.want("confirm", a, http.StatusOK, "")
	recovery, _ = a.get(s.t, "recovery_codes").([]any)
	s.clock.forward(time.Minute)
	return secret, recovery
}

// challenge signs in with the password and demands a challenge.
func (s *site) challenge(email string) string {
	s.t.Helper()
	a := s.call("POST", "/auth/login", "", fields{"email": email, "password": goodWord})
	if a.Status != http.StatusOK || a.text(s.t, "status") != "2fa_required" || a.text(s.t, "access_token") != "" {
		s.t.Fatalf("login: got %d %s, want a challenge and no token", a.Status, a.Body)
	}
	return a.text(s.t, "challenge_token")
}

func (s *site) verify(challenge, code string) answer {
	return s.call("POST", "/auth/2fa/verify", "", fields{"challenge_token": challenge, "code": code})
}

func TestTwoFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(patient, goodWord)
		s.want("wrong password", s.call("POST", "/auth/2fa/enrol", access, fields{"password": "wrong"}), 401, "invalid_credentials")
		a := s.call("POST", "/auth/2fa/enrol", access, fields{"password": goodWord})
		s.want("enrol", a, 200, "")
		secret := a.text(t, "secret")
		if uri := a.text(t, "otpauth_uri"); !strings.HasPrefix(uri, "otpauth://totp/Clinic:") || !strings.Contains(uri, secret) {
			t.Errorf("uri: got %s", uri)
		}
		var stored string
		s.scan(&stored, `SELECT totp_secret FROM users WHERE email = $1`, patient)
		if strings.Contains(stored, secret) {
			t.Error("the secret is stored as it is")
		}
		s.login(patient, goodWord) // unconfirmed is no second factor

		s.want("confirm wrong", s.call("POST", "/auth/2fa/confirm", access, fields{"code": s.other(secret)}), 401, "invalid_code")
		right := s.code(secret)
		a = s.call("POST", "/auth/2fa/confirm", access, fields{"code": right})
		s.want("confirm", a, 200, "")
		if codes, _ := a.get(t, "recovery_codes").([]any); len(codes) != 10 {
			t.Errorf("got %d recovery codes, want 10", len(codes))
		}
		s.want("enrol twice", s.call("POST", "/auth/2fa/enrol", access, fields{"password": goodWord}), 409, "two_factor_enabled")
		s.want("confirm twice", s.call("POST", "/auth/2fa/confirm", access, fields{"code": right}), 409, "not_enrolling")

		challenge := s.challenge(patient)
		s.want("the code of the confirmation", s.verify(challenge, right), 401, "invalid_code")
		s.want("challenge as access", s.call("GET", "/auth/me", challenge, nil), 401, "")
		s.want("access as challenge", s.verify(access, right), 401, "invalid_token")
		s.clock.forward(30 * time.Second)
		a = s.verify(challenge, s.code(secret))
		s.want("verify", a, 200, "")
		s.want("me", s.call("GET", "/auth/me", a.text(t, "access_token"), nil), 200, "")
		s.clock.forward(30 * time.Second)
		s.want("a spent challenge", s.verify(challenge, s.code(secret)), 401, "invalid_token")

		challenge = s.challenge(patient)
		for name, body := range map[string]fields{
			"neither": {"challenge_token": challenge},
			"both":    {"challenge_token": challenge, "code": right, "recovery_code": "x"},
			"letters": {"challenge_token": challenge, "code": "12345a"},
		} {
			s.want(name, s.call("POST", "/auth/2fa/verify", "", body), 422, "")
		}
		s.clock.forward(5*time.Minute + 31*time.Second)
		s.want("an expired challenge", s.verify(challenge, s.code(secret)), 401, "invalid_token")
		if log := s.log.String(); strings.Contains(log, secret) || !strings.Contains(log, "totp_replayed") {
			t.Error("the log has the secret, or lacks totp_replayed")
		}
	})
}

func TestWrongCodesCountAndLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		q := limit.Published()
		q.PasswordChange.Limit = 100
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, q, nil) })
		secret, _ := s.enrolled(patient)
		first, second := s.challenge(patient), s.challenge(patient)
		for i := range 10 { // LK21: 2 challenges of 5
			challenge := first
			if i >= 5 {
				challenge = second
			}
			a := s.verify(challenge, s.other(secret))
			s.want(fmt.Sprintf("wrong code %d", i+1), a, 401, "invalid_code")
			if got, want := a.remaining(), fmt.Sprint(9-i); got != want {
				t.Errorf("wrong code %d: remaining: got %s, want %s", i+1, got, want)
			}
		}
		a := s.verify(s.challenge(patient), s.code(secret))
		s.want("right code while locked", a, 429, "locked_out")
		s.callFrom("192.0.2.77", "POST", "/auth/login", "", fields{"email": patient, "password": goodWord})
		s.login("patient-000002@clinic.test", goodWord) // others are not harmed
	})
}

// Whatever is sent there counts: the route has no other limit.
func TestGarbageChallengesCountAndLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		for range 10 {
			s.want("garbage", s.verify("garbage", "123456"), 401, "invalid_token")
		}
		s.want("eleventh", s.verify("garbage", "123456"), 429, "locked_out")
	})
}

func TestChallengeDiesOfFiveWrongCodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		secret, _ := s.enrolled(patient)
		challenge := s.challenge(patient)
		for range 5 {
			s.want("wrong", s.verify(challenge, s.other(secret)), 401, "invalid_code")
		}
		s.want("right, too late", s.verify(challenge, s.code(secret)), 401, "invalid_token")
		s.want("a new challenge", s.verify(s.challenge(patient), s.code(secret)), 200, "")

		// In parallel too: five are judged, whatever the number of guesses.
		challenge = s.challenge(patient)
		wrong := s.other(secret)
		parallel(20, func(int) answer { return s.verify(challenge, wrong) })
		var tries int
		s.scan(&tries, `SELECT MAX(tries) FROM challenges`)
		if tries != 5 {
			t.Errorf("got %d tries, want 5", tries)
		}
	})
}

// AU9
func TestTwentyParallelUsesOfOneCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		secret, recovery := s.enrolled(patient)
		challenges := make([]string, 20)
		for i := range challenges {
			challenges[i] = s.challenge(patient)
		}
		want := map[int]int{200: 1, 401: 19}
		code := s.code(secret)
		if got := parallel(20, func(i int) answer { return s.verify(challenges[i], code) }); !maps.Equal(got, want) {
			t.Errorf("20 challenges, one code: got %v, want %v", got, want)
		}
		s.want("and again", s.verify(s.challenge(patient), code), 401, "invalid_code")

		s.clock.forward(30 * time.Second)
		code, one := s.code(secret), s.challenge(patient)
		if got := parallel(20, func(int) answer { return s.verify(one, code) }); !maps.Equal(got, want) {
			t.Errorf("one challenge, one code: got %v, want %v", got, want)
		}

		for i := range challenges {
			challenges[i] = s.challenge(patient)
		}
		got := parallel(20, func(i int) answer {
			return s.call("POST", "/auth/2fa/verify", "", fields{"challenge_token": challenges[i], "recovery_code": recovery[0]})
		})
		if !maps.Equal(got, want) {
			t.Errorf("one recovery code: got %v, want %v", got, want)
		}
		spoken := strings.ToLower(strings.ReplaceAll(recovery[1].(string), "-", " "))
		s.want("another, as read aloud", s.call("POST", "/auth/2fa/verify", "",
			fields{"challenge_token": s.challenge(patient), "recovery_code": spoken}), 200, "")
	})
}

func TestDisableTakesBothFactors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(patient, goodWord)
		none := fields{"password": goodWord, "code": "000000"}
		s.want("nothing to disable", s.call("POST", "/auth/2fa/disable", access, none), 409, "not_enrolled")
		secret, _ := s.enrolled(patient)
		for _, c := range []struct {
			name, word, code string
			status           int
		}{
			{"wrong password", "wrong", s.code(secret), 401},
			{"wrong code", goodWord, s.other(secret), 401},
			{"both right", goodWord, s.code(secret), 204},
		} {
			a := s.call("POST", "/auth/2fa/disable", access, fields{"password": c.word, "code": c.code})
			s.want(c.name, a, c.status, "")
		}
		s.login(patient, goodWord)
		var codes int
		s.scan(&codes, `SELECT COUNT(*) FROM recovery_codes`)
		if codes != 0 {
			t.Errorf("got %d recovery codes left, want 0", codes)
		}
	})
}

// A role that needs a second factor acts only once it is confirmed.
func TestRequiredRoleActsOnlyWithTwoFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(o *identity.Options, _ *identity.Deps) { o.TwoFactorRoles = []web.Role{web.Admin} })
		const admin = "admin-001@clinic.test"
		access, _ := s.login(admin, goodWord)
		s.want("users without", s.call("GET", "/users", access, nil), 403, "")
		me := s.call("GET", "/auth/me", access, nil)
		s.want("me without", me, 200, "")
		if me.get(t, "two_factor_required") != true {
			t.Errorf("me: got %s, want two_factor_required", me.Body)
		}
		secret, _ := s.enrolled(admin)
		a := s.verify(s.challenge(admin), s.code(secret))
		s.want("users with", s.call("GET", "/users", a.text(t, "access_token"), nil), 200, "")
	})
}

// A right password alone does not wipe out the failures before it.
func TestFailuresStayUntilTheSecondFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		q := limit.Published()
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, q, nil) })
		secret, _ := s.enrolled(patient)
		wrong := func() string {
			return s.call("POST", "/auth/login", "", fields{"email": patient, "password": "wrong"}).remaining()
		}
		wrong()
		wrong()
		challenge := s.challenge(patient)
		if got, want := wrong(), "2"; got != want {
			t.Errorf("after the password: remaining %s, want %s", got, want)
		}
		s.want("verify", s.verify(challenge, s.code(secret)), 200, "")
		if got, want := wrong(), "4"; got != want {
			t.Errorf("after the second factor: remaining %s, want %s", got, want)
		}
	})
}

// Guessing codes from everywhere, with the right password, ends at the account
// throttle; hoarding challenges beforehand does not help.
func TestCodesCannotBeGuessedFromManyAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, limit.Published(), nil) })
		secret, _ := s.enrolled(patient)
		wrong := s.other(secret)
		login := func(i int) answer {
			return s.try(fmt.Sprintf("198.51.100.%d", i), patient, goodWord)
		}
		var hoard []string
		for i := range 20 {
			a := login(i)
			s.want("login", a, 200, "")
			hoard = append(hoard, a.text(t, "challenge_token"))
		}
		judged := 0
		for i, challenge := range hoard {
			for range 5 {
				a := s.callFrom(fmt.Sprintf("198.51.100.%d", i), "POST", "/auth/2fa/verify", "", fields{"challenge_token": challenge, "code": wrong})
				if a.Status == 401 && a.text(t, "code") == "invalid_code" {
					judged++
				}
			}
		}
		if judged != 25 {
			t.Errorf("got %d guesses judged, want 25", judged)
		}
		s.want("the next challenge", login(200), 429, "locked_out")
		s.want("the owner, at home", s.try("192.0.2.1", patient, goodWord), 200, "")
	})
}

// Rotating SECRET_KEY keeps second factors: a use seals them again.
func TestSecretKeyRotationKeepsTheSecondFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		const next = "another secret of more than 32 bytes, for tests"
		ring := func(current, previous string) func(*identity.Options, *identity.Deps) {
			keys, err := token.NewKeyring(current, previous)
			if err != nil {
				t.Fatal(err)
			}
			return func(_ *identity.Options, d *identity.Deps) { d.Keys = keys }
		}
		before := open(t, db)
		secret, _ := before.enrolled(patient)
		during := open(t, db, ring(next, secretKey))
		during.clock.forward(2 * time.Minute)
		during.want("during", during.verify(during.challenge(patient), during.code(secret)), 200, "")
		after := open(t, db, ring(next, ""))
		after.clock.forward(4 * time.Minute)
		after.want("after", after.verify(after.challenge(patient), after.code(secret)), 200, "")
	})
}
