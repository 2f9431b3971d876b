package load

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/scenarios"
)

const cookieHead = `cookies: keep
accounts:
  sign_in: {post: /in, body: {email: "{{email}}", password: "{{password}}"}}
`

const cookieSteps = `      - {name: kept, get: /boom, header: {X-Api-Key: written-key/1}}
`

const ownCookieSteps = `      - {name: given, get: /give, save: {x: "cookie:given"}, anonymous: true}
      - {name: own, get: /boom, anonymous: true, header: {Cookie: "own=written-cookie; lang=en", X-Said: "{{x}}", Authorization: Digest written-word}}
`

// echo sets cookies, and repeats what it is sent in every spelling.
func echo(w http.ResponseWriter, r *http.Request) {
	sent := fmt.Sprint(r.Header) + " lang=en"
	if value, err := url.PathUnescape(r.Header.Get("Cookie")); err == nil {
		sent += value
	}
	switch r.URL.Path {
	case "/in":
		for _, k := range []string{"remember=kept%3Acookie.1%2F2", `sess="quoted-cookie"`, "consent=yes"} {
			w.Header().Add("Set-Cookie", k+"; Path=/")
		}
	case "/give":
		w.Header().Add("Set-Cookie", "given=saved-cookie")
	case "/boom":
		w.Header().Add("Set-Cookie", "remember=later-cookie; Path=/")
		w.Header().Set("X-Next-CSRF", "answer-csrf-1")
		w.Header().Set("X-Request-ID", strings.TrimSuffix(fmt.Sprint(r.Cookies()), "]"))
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode([]string{"consent=yes", "later-cookie"})
		_, _ = fmt.Fprint(w, sent, html.EscapeString(sent), url.QueryEscape(sent))
	}
}

// noCookie fails where a text holds what cookies and written credentials are.
func noCookie(t *testing.T, text string) {
	t.Helper()
	for _, part := range []string{"cookie.1", "quoted-cookie", "later-cookie", "written-", "saved-cookie", "answer-csrf"} {
		if strings.Contains(text, part) {
			t.Errorf("found %q in %s", part, text)
		}
	}
}

// Cookies that are kept, saved or written, and credentials that are written, are secrets
// by their values, whatever they are called; short ones are words.
func TestCookiesAreSecrets(t *testing.T) {
	for _, steps := range []string{cookieSteps, ownCookieSteps} {
		told := 0
		askedOf(t, cookieHead, steps, echo, func(x *wire.Seen) {
			told++
			noCookie(t, string(x.ID))
		}, func(t *testing.T, _ []seen, f measure.Finished) {
			kept := fmt.Sprintf("%+v %+v", f.Slowest, f.Failures)
			if len(f.Failures) == 0 || told == 0 || !strings.Contains(kept, `"consent=yes"`) {
				t.Errorf("got %s, want a failure with what is no secret", kept)
			}
			noCookie(t, kept)
		})
	}
}

func TestCookiesAreSecretsOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(echo))
	defer s.Close()
	base, _ := url.Parse(s.URL)
	sc, err := scenarios.Read(strings.NewReader("name: a\nusers: 1\nrun_for: 1s\n"+cookieHead+"journeys:\n  - name: j\n    steps:\n"+cookieSteps+"  - name: k\n    steps:\n"+ownCookieSteps), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = Once(context.Background(), sc, Options{Base: base, Accounts: []Account{{"a@x.test", "password-1"}}}, func(x Exchange) {
		n++
		noCookie(t, fmt.Sprintf("%+v", x))
	})
	if err != nil || n < 4 {
		t.Errorf("got %d exchanges, %v", n, err)
	}
}

// An answer may repeat a secret in a code.
func TestCodedSecretsAreHidden(t *testing.T) {
	const key = "tk/Zimt+42&Stern=ü"
	b := []byte(key)
	for _, code := range []string{
		base64.StdEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), key, url.QueryEscape(key), html.EscapeString(key),
	} {
		if got := redactKnown("as sent: "+code+".", []string{key}); got != "as sent: [redacted]." {
			t.Errorf("%s: got %q", code, got)
		}
	}
}
