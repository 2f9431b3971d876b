package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// An API that repeats a secret wherever an answer has a place for it puts it into
// nothing that is kept: not whole, and not the beginning of it.
func TestEchoedSecretsAreKeptNowhere(t *testing.T) {
	const canary = "cAnary/42 9f8e7d6c"
	t.Setenv("VITALS_TEST_KEY", canary)
	secret := strings.Repeat("long-secret-", 12) // longer than what is shown of a value
	t.Setenv("VITALS_TEST_LONG", secret)
	headers := []string{"X-Request-ID", "Location", "Retry-After", "X-RateLimit-Policy", "X-RateLimit-Limit", "Content-Type", "Server", "ETag", "Traceparent", "Server-Timing", "Link", "Content-Encoding"}
	for _, echo := range []string{canary, secret, "x" + secret} {
		for _, step := range []string{
			"expect: {status: 200}", "expect: {status: 302, header: {ETag: other}}", "expect: {status: 302, header: {Content-Type: other}}",
			"expect: {status: 302, header: {Missing: null}}", "expect: {status: 302, json: {said: other}}", "expect: {status: 302, json: {missing: other}}",
			"expect: {status: 302, body: other}", "expect: {status: 302}, save: {a: json:missing}", "expect: {status: 302}, save: {a: cookie:missing}",
			"expect: {status: 302}, save: {a: header:Missing}", "expect: {status: 302}",
		} {
			var told []string
			follow := "      - {name: next, follow: Location, anonymous: true}\n"
			text := fmt.Sprintf(`      - {name: it, anonymous: true, post: "/x?k={{env VITALS_TEST_KEY}}", header: {X-Long: "{{env VITALS_TEST_LONG}}"}, %s}`+"\n", step)
			askedOf(t, "", text+follow, func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range headers {
					w.Header().Set(name, echo)
				}
				w.Header().Set("Location", "/"+strings.ReplaceAll(echo, " ", "%20"))
				if !strings.Contains(step, "status: 200") {
					w.Header().Del("Content-Encoding") // or nothing is looked into
				}
				http.SetCookie(w, &http.Cookie{Name: "c", Value: "v" + strings.ReplaceAll(echo, " ", "%20")})
				w.WriteHeader(http.StatusFound)
				_ = json.NewEncoder(w).Encode(map[string]string{"said": echo, echo: "name"})
			}, func(x *wire.Seen) {
				told = append(told, fmt.Sprintf("%s %s %s %s %+v", x.Route, x.ID, x.Counted, x.Unread, x.Event()))
			}, func(t *testing.T, _ []seen, f measure.Finished) {
				kept := fmt.Sprintf("%+v %+v %q", f.Slowest, f.Failures, told)
				if len(f.Failures)+len(f.Slowest) == 0 || len(told) == 0 {
					t.Fatalf("%s: nothing was kept", step)
				}
				for _, part := range []string{canary, "cAnary%2F42", "9f8e7d6c", "long-secret-"} {
					if strings.Contains(kept, part) {
						t.Errorf("%s, echoing %.30q: found %q in %s", step, echo, part, kept)
					}
				}
			})
		}
	}
}
