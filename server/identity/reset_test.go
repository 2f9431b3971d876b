package identity_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/server/identity"
	"vitals/server/identity/mail"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
)

func (s *site) requestReset(email string) answer {
	return s.call("POST", "/auth/password-reset", "", fields{"email": email})
}

func (s *site) confirmReset(token, word string) answer {
	return s.call("POST", "/auth/password-reset/confirm", "", fields{"token": token, "new_password": word})
}

// resetToken asks for a reset and reads the mail.
func (s *site) resetToken(email string) string {
	s.t.Helper()
	s.want("ask", s.requestReset(email), 202, "")
	sent := s.delivered()
	if len(sent) != 1 || sent[0].To != email {
		s.t.Fatalf("got %+v, want one mail to %s", sent, email)
	}
	return tokenIn(s.t, sent[0])
}

func tokenIn(t *testing.T, m mail.Message) string {
	t.Helper()
	_, rest, ok := strings.Cut(m.Text, "https://clinic.test/reset-password#token=")
	if !ok {
		t.Fatalf("no link in %q", m.Text)
	}
	return rest[:43]
}

// AU7
func TestReset(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, refresh := s.login(patient, goodWord)
		secret, _ := s.enrolled(patient)
		token := s.resetToken(patient)
		s.want("weak", s.confirmReset(token, "elevenchars"), 422, "password_policy")
		got := parallel(20, func(i int) answer { return s.confirmReset(token, fmt.Sprintf("%s %d", newWord, i)) })
		if want := map[int]int{204: 1, 401: 19}; !maps.Equal(got, want) {
			t.Errorf("20 parallel confirms: got %v, want %v", got, want)
		}
		s.want("second use", s.confirmReset(token, newWord), 401, "invalid_token")
		s.want("old access", s.call("GET", "/auth/me", access, nil), 401, "")
		s.want("old refresh", s.refresh(refresh), 401, "invalid_token")

		token = s.resetToken2(patient)
		a := s.confirmReset(token, newWord)
		s.want("confirm", a, 204, "")
		if len(a.Body) != 0 {
			t.Errorf("got %s, want no tokens", a.Body)
		}
		a = s.call("POST", "/auth/login", "", fields{"email": patient, "password": newWord})
		if a.text(t, "status") != "2fa_required" {
			t.Errorf("login after reset: got %s, want the second factor asked", a.Body)
		}
		s.clock.forward(time.Minute)
		s.want("verify", s.verify(a.text(t, "challenge_token"), s.code(secret)), 200, "")
		if log := s.log.String(); strings.Contains(log, token) || !strings.Contains(log, "reset_requested") {
			t.Error("the log has the token, or no reset_requested")
		}
	})
}

// resetToken2 is resetToken when other mail is due too.
func (s *site) resetToken2(email string) string {
	s.t.Helper()
	s.want("ask", s.requestReset(email), 202, "")
	for _, m := range s.delivered() {
		if strings.Contains(m.Subject, "Reset") {
			return tokenIn(s.t, m)
		}
	}
	s.t.Fatal("no reset mail")
	return ""
}

func TestOnlyTheNewestUnexpiredResetTokenWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		older, newer := s.resetToken(patient), s.resetToken(patient)
		s.want("older", s.confirmReset(older, newWord), 401, "invalid_token")
		s.want("newer", s.confirmReset(newer, newWord), 204, "")
		s.delivered()

		expired := s.resetToken(patient)
		s.clock.forward(15*time.Minute + time.Millisecond)
		s.want("expired", s.confirmReset(expired, newWord), 401, "invalid_token")

		const two = "patient-000002@clinic.test"
		overtaken := s.resetToken(two)
		access, _ := s.login(two, goodWord)
		s.want("change meanwhile", s.change(access, goodWord, newWord), 200, "")
		s.want("token from before the change", s.confirmReset(overtaken, "yet another elephant"), 401, "invalid_token")
		s.want("garbage", s.confirmReset("garbage", newWord), 401, "invalid_token")
		s.want("unknown", s.confirmReset(strings.Repeat("A", 43), newWord), 401, "invalid_token")
	})
}

// AU8: nobody learns who exists, and the work in the request is the same.
func TestResetAnswersAreAlike(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		s.exec(`UPDATE users SET is_active = FALSE WHERE email = 'patient-000002@clinic.test'`)
		before := hashes(t, s.metrics)
		var answers []answer
		for i, email := range []string{patient, "nobody@clinic.test", "patient-000002@clinic.test"} {
			a := s.callFrom(fmt.Sprintf("192.0.2.%d", i+1), "POST", "/auth/password-reset", "", fields{"email": email})
			s.want(email, a, 202, "")
			answers = append(answers, a.settled())
			var queued int
			s.scan(&queued, `SELECT COUNT(*) FROM outbox`)
			if queued != i+1 {
				t.Errorf("%s: got %d jobs queued, want %d", email, queued, i+1)
			}
		}
		for _, a := range answers[1:] {
			if diff := cmp.Diff(answers[0], a); diff != "" {
				t.Errorf("answers differ:\n%s", diff)
			}
		}
		if got := hashes(t, s.metrics) - before; got != 0 {
			t.Errorf("got %d hashes, want 0", got)
		}
		var body string
		s.scan(&body, `SELECT MAX(body) FROM outbox`)
		if strings.Contains(body, "clinic.test") {
			t.Error("the queue holds an address in the clear")
		}
		if sent := s.delivered(); len(sent) != 1 || sent[0].To != patient {
			t.Errorf("mail: got %+v, want one, to the one who exists", sent)
		}
	})
}

func TestFourthResetOfAnHourIsSilent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		for range 3 {
			s.resetToken(patient)
			s.clock.forward(10 * time.Minute)
		}
		s.want("fourth", s.requestReset(patient), 202, "")
		if sent := s.delivered(); len(sent) != 0 {
			t.Errorf("fourth within the hour: got %+v, want nothing", sent)
		}
		s.clock.forward(30*time.Minute + time.Second) // an hour after the first
		token := s.resetToken(patient)
		s.want("the window slides", s.confirmReset(token, newWord), 204, "")
	})
}

// LK22: asking and confirming each have three an hour.
func TestResetsAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, limit.Published(), nil) })
		for range 3 {
			s.want("ask", s.requestReset("nobody@clinic.test"), 202, "")
			s.want("confirm", s.confirmReset("garbage", newWord), 401, "invalid_token")
		}
		a := s.requestReset(patient)
		s.want("fourth request", a, 429, "rate_limited")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		s.want("fourth confirm", s.confirmReset("garbage", newWord), 429, "rate_limited")
		s.login(patient, goodWord)
	})
}

func TestMailIsTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		s.mail.broken = errors.New("relay is down")
		s.want("ask", s.requestReset(patient), 202, "")
		for range 5 { // one token each, and no more than one request counted
			s.delivered()
			s.clock.forward(time.Hour)
		}
		s.mail.broken = nil
		sent := s.delivered()
		if len(sent) != 1 {
			t.Fatalf("got %d mails, want 1", len(sent))
		}
		s.want("its token works", s.confirmReset(tokenIn(t, sent[0]), newWord), 204, "")
		s.delivered()

		s.mail.broken = errors.New("relay is gone")
		s.want("ask", s.requestReset(patient), 202, "")
		s.delivered()
		s.clock.forward(25 * time.Hour)
		s.delivered()
		var left int
		s.scan(&left, `SELECT COUNT(*) FROM outbox`)
		if left != 0 || !strings.Contains(s.log.String(), "given up") {
			t.Errorf("after a day: got %d jobs left, want 0 and a line in the log", left)
		}
	})
}
