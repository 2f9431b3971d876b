package identity_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// What one engine stores and the other refuses must not get that far.
func TestOddInputIsNever500(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login(admin, goodWord)
		for _, odd := range []string{"a\x00b", "a\nb", "a\x1bb", "\u202eevil", "😀", strings.Repeat("x", 101)} {
			for name, a := range map[string]answer{
				"login":    s.try("192.0.2.1", odd+"@clinic.test", goodWord),
				"reset":    s.requestReset(odd + "@clinic.test"),
				"register": s.register("192.0.2.1", odd+"@clinic.test", newWord),
				"name":     s.call("POST", "/users", access, newUser(fields{"email": fmt.Sprintf("n%d@clinic.test", len(odd)), "first_name": odd})),
				"password": s.call("POST", "/users", access, newUser(fields{"email": fmt.Sprintf("p%d@clinic.test", len(odd)), "password": odd + newWord})),
				"patient":  s.call("POST", "/users", access, newUser(fields{"email": "p@clinic.test", "role": "patient", "patient_id": odd})),
				"refresh":  s.refresh(odd),
				"confirm":  s.confirmReset(odd, newWord),
				"verify":   s.verify(odd, "123456"),
				"session":  s.call("DELETE", "/auth/sessions/a%00b", access, nil),
				"lock":     s.call("DELETE", "/admin/locks/login/a%00b", access, nil),
				"page":     s.call("GET", "/users?page=9223372036854775807", access, nil),
			} {
				if a.Status >= 500 {
					t.Errorf("%s with %q: got %d %s", name, odd, a.Status, a.Body)
				}
			}
		}
		s.delivered()
		if strings.Contains(s.log.String(), "tried again") {
			t.Errorf("queued work does not end:\n%s", s.log)
		}
	})
}

func TestEmailsAreAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		for _, bad := range []string{"@", "a@", "@b", "a b@c", "a@b@c", "Ann <a@b.c>", "a@b.c>", "a@b.c,d@e.f", "a@b.c\r\nBcc: d@e.f", `"a"@b.c`} {
			s.want(bad, s.register("192.0.2.1", bad, newWord), 422, "")
		}
		for i, good := range []string{"a@b.c", "first.last+tag@sub.clinic.test", "o'neil@clinic.test", "jürgen@clinic.test"} {
			s.want(good, s.register(fmt.Sprintf("192.0.2.%d", i), good, newWord), 202, "")
		}
	})
}

func TestUserAgentsAreKeptReadable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		for _, agent := range []string{"curl/8", "", "bad \xff\xfe bytes", "a\x00b\tc", strings.Repeat("ü", 500)} {
			body := bytes.NewReader([]byte(`{"email":"` + patient + `","password":"` + goodWord + `"}`))
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/auth/login", body)
			r.RemoteAddr = "192.0.2.1:4711"
			r.Header.Set("Content-Type", "application/json")
			r.Header["User-Agent"] = []string{agent}
			w := httptest.NewRecorder()
			s.http.ServeHTTP(w, r)
			var kept string
			s.scan(&kept, `SELECT user_agent FROM sessions ORDER BY id DESC LIMIT 1`)
			if w.Code != 200 || !utf8.ValidString(kept) || utf8.RuneCountInString(kept) > 200 || strings.ContainsAny(kept, "\x00\t") {
				t.Errorf("%q: got %d and kept %q", agent, w.Code, kept)
			}
		}
	})
}
