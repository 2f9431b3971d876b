package process

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/server/telemetry/sentrytest"
)

// The five judged attempts, the sixth that locks, and nobody else harmed, through
// every layer (probes LK1-LK3, LK6, LK7).
func TestLockoutOnTheWire(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, vars...)
		seed(t, cfg, 3)
		s := startLive(t, cfg)
		guesser, bystander := from(t, "127.0.0.66"), from(t, "127.0.0.77")
		for i := range 5 {
			a := login(t, guesser, s.url(), patient(1), "wrong")
			if a.StatusCode != 401 || a.Problem.Code != "invalid_credentials" || a.Header.Get("X-RateLimit-Remaining") != fmt.Sprint(4-i) {
				t.Errorf("guess %d: got %d %q remaining %q", i+1, a.StatusCode, a.Problem.Code, a.Header.Get("X-RateLimit-Remaining"))
			}
			if a.Header.Get("X-RateLimit-Limit") != "5" || a.Header.Get("X-RateLimit-Window") != "300" || a.Header.Get("X-RateLimit-Policy") != "login" {
				t.Errorf("guess %d: headers %v", i+1, a.Header)
			}
		}
		a := login(t, guesser, s.url(), patient(1), "wrong")
		if a.StatusCode != 429 || a.Problem.Code != "locked_out" || a.Header.Get("Retry-After") != "900" || a.Problem.RetryAfter != 900 {
			t.Errorf("sixth: got %d %q retry %q", a.StatusCode, a.Problem.Code, a.Header.Get("Retry-After"))
		}
		began := time.Now()
		if a := login(t, guesser, s.url(), patient(1), seedSecret); a.StatusCode != 429 || strings.Contains(a.Text, "token") {
			t.Errorf("right password while locked: got %d %s", a.StatusCode, a.Text)
		}
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Logf("a locked answer took %v", took) // a hash would take longer still; the clock here is shared
		}
		access := accessToken(t, bystander, s.url(), 1)
		if a := ask(t, guesser, "GET", s.url()+"/api/v1/medications", "", "Authorization: Bearer "+access); a.StatusCode != 200 {
			t.Errorf("API from the locked address: got %d, want 200", a.StatusCode)
		}
		if got := scrape(t, s, "ratelimit_lockouts_total", "policy", "login"); got != 1 {
			t.Errorf("got ratelimit_lockouts_total %v, want 1", got)
		}
		if got := scrape(t, s, "http_requests_total", "route", "/api/v1/auth/login", "status", "429"); got != 2 {
			t.Errorf("got %v logins counted as 429, want 2", got)
		}
	})
}

// 20 malformed sign-ins and 20 preflights cost 20 of the API's quota and none of
// the login's (probe LK25).
func TestMalformedSignInsAreNotFree(t *testing.T) {
	cfg := testConfig(t)
	seed(t, cfg, 1)
	s := startLive(t, cfg)
	c := from(t, "127.0.0.66")
	for range 20 {
		if a := ask(t, c, "POST", s.url()+"/api/v1/auth/login", `{"email":1}`); a.StatusCode != 422 {
			t.Fatalf("malformed: got %d, want 422", a.StatusCode)
		}
		a := ask(t, c, "OPTIONS", s.url()+"/api/v1/auth/login", "", "Origin: http://localhost:5173", "Access-Control-Request-Method: POST")
		if a.StatusCode != 204 {
			t.Fatalf("preflight: got %d, want 204", a.StatusCode)
		}
	}
	a := ask(t, c, "GET", s.url()+"/api/v1/nope", "")
	if got := a.Header.Get("X-RateLimit-Remaining"); got != "79" {
		t.Errorf("got %q of the api quota left, want 79: 100 - 20 - this", got)
	}
	for i := range 5 {
		if a := login(t, c, s.url(), patient(1), "wrong"); a.StatusCode != 401 {
			t.Errorf("wrong password %d: got %d, want it judged", i+1, a.StatusCode)
		}
	}
}

// Whatever spelling, the attempts are the same five (probe LK20).
func TestSpellingsShareOneLimit(t *testing.T) {
	cfg := testConfig(t)
	seed(t, cfg, 1)
	s := startLive(t, cfg)
	c := from(t, "127.0.0.66")
	judged := 0
	for i := range 10 {
		for _, path := range []string{
			"/api/v1/auth/login", "/api/v1/auth/login/", "//api/v1/auth/login", "/api/v1/auth/%6cogin",
			"/api/v1/auth/LOGIN", fmt.Sprintf("/api/v1/auth/login?x=%d", i), "/api/v1/./auth/login",
		} {
			a := ask(t, c, "POST", s.url()+path, fmt.Sprintf(`{"email":%q,"password":"wrong"}`, patient(1)))
			if a.StatusCode == 401 {
				judged++
			}
		}
	}
	if judged != 5 {
		t.Errorf("got %d attempts judged, want 5 however spelled", judged)
	}
}

// Nothing but the API answers on the public port (probe SH3).
func TestPublicPortServesNothingElse(t *testing.T) {
	s := startLive(t, testConfig(t))
	for _, path := range []string{"/metrics", "/debug/pprof/", "/docs", "/openapi.json", "/openapi.yaml", "/schemas", "/.env", "/.git/config", "/"} {
		if a := ask(t, http.DefaultClient, "GET", s.url()+path, ""); a.StatusCode != 404 {
			t.Errorf("%s: got %d, want 404", path, a.StatusCode)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/cmdline"} {
		if a := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+path, ""); a.StatusCode != 200 {
			t.Errorf("admin %s: got %d, want 200", path, a.StatusCode)
		}
	}
	for _, name := range []string{"process_cpu_seconds_total", "process_start_time_seconds", "build_info", "go_goroutines", "http_in_flight", "db_pool_max", "rate_limit_degraded"} {
		if !strings.Contains(ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/metrics", "").Text, name) {
			t.Errorf("/metrics has no %s", name)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// Every line of a whole run parses, has the published keys, and no line, metric
// or report holds a planted secret (probes RQ4, RQ5, CF5).
func TestWholeRunLeaksNothing(t *testing.T) {
	in := sentrytest.New(t)
	cfg := testConfig(t, "SENTRY_DSN="+in.DSN(), "SENTRY_TRACES_SAMPLE_RATE=1", "LOG_LEVEL=DEBUG", "MAIL_SINK=none")
	seed(t, cfg, 2)
	s := startLive(t, cfg)
	c := from(t, "127.0.0.66")
	access := accessToken(t, c, s.url(), 1)
	const canary = "canary-7Vq2" // in the seeded password too
	login(t, c, s.url(), canary+"@mail.test", canary+"-guess")
	ask(t, c, "GET", s.url()+"/api/v1/patients?name="+canary, "", "Authorization: Bearer "+access)
	ask(t, c, "POST", s.url()+"/api/v1/auth/password-reset", `{"email":"`+canary+`@mail.test"}`)
	ask(t, c, "POST", s.url()+"/api/v1/auth/password-reset/confirm", `{"token":"`+canary+strings.Repeat("x", 32)+`","new_password":"`+canary+`-new-password"}`)
	ask(t, c, "POST", s.url()+"/api/v1/auth/2fa/verify", `{"challenge_token":"`+canary+`","code":"123456"}`)
	ask(t, c, "POST", s.url()+"/api/v1/auth/refresh", `{"refresh_token":"`+canary+`"}`)
	ask(t, c, "GET", s.url()+"/api/v1/"+canary, "", "Authorization: Bearer "+canary, "Cookie: "+canary)
	ask(t, c, "POST", s.url()+"/api/v1/auth/login", `{"password":"`+canary+`"`)
	metrics := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/metrics", "").Text
	http.DefaultClient.CloseIdleConnections()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	lines := s.log.Lines(t)
	if len(lines) < 12 {
		t.Fatalf("got %d log lines, want the whole run", len(lines))
	}
	for _, line := range lines {
		for _, key := range []string{"timestamp", "level", "logger", "message", "request_id", "module", "function", "line", "user_id"} {
			if _, ok := line[key]; !ok {
				t.Errorf("line %v has no %s", line, key)
			}
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z", line["timestamp"].(string)); err != nil {
			t.Errorf("timestamp: %v", err)
		}
		if !slices.Contains([]string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}, line["level"].(string)) {
			t.Errorf("level %v", line["level"])
		}
	}
	if len(in.Items("transaction")) == 0 {
		t.Error("got no transaction at Sentry, want one per request")
	}
	for name, text := range map[string]string{"log": s.log.String(), "metrics": metrics, "Sentry": in.Raw()} {
		for _, secret := range []string{canary, access, cfg.Core.SecretKey.Reveal(), "mail.test"} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s holds a secret: …%s…", name, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
}

// The start-up line that the guide prints verbatim (probe CF7), and the
// limits in force.
func TestStartUpLines(t *testing.T) {
	cfg := testConfig(t, "RATE_LIMIT_API=1000", "DB_POOL_SIZE=10", "DB_MAX_OVERFLOW=20")
	s := startLive(t, cfg)
	found := map[string]bool{}
	for _, line := range s.log.Lines(t) {
		found[fmt.Sprint(line["logger"], ": ", line["message"])] = true
		if line["message"] == "limits in force" && (line["login"] != "5/5m0s" || line["api"] != "1000/1h0m0s" || line["lockout"] != "15m0s") {
			t.Errorf("got limits %v", line)
		}
	}
	for _, want := range []string{
		"app.db.session: Connection pool: size=10, max_overflow=20, timeout=30s, recycle=3600s",
		"app.server: limits in force", "app.server: a limit departs from the published table", "app.server: ready",
	} {
		if !found[want] {
			t.Errorf("got no line %q in %v", want, found)
		}
	}
}

// Whatever a client writes about its own address, its TCP address is what
// counts; from a trusted proxy, the rightmost untrusted one (probes LK17, LK18).
func TestForgedAddresses(t *testing.T) {
	cfg := testConfig(t, "TRUSTED_PROXIES=127.0.0.99/32")
	seed(t, cfg, 1)
	s := startLive(t, cfg)
	guess := func(c *http.Client, headers ...string) int {
		return ask(t, c, "POST", s.url()+"/api/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":"wrong"}`, patient(1)), headers...).StatusCode
	}
	client, proxy := from(t, "127.0.0.66"), from(t, "127.0.0.99")
	for i := range 8 {
		forged := fmt.Sprintf("203.0.113.%d", i)
		got := guess(client, "X-Forwarded-For: "+forged, "X-Real-IP: "+forged, "Forwarded: for="+forged, "True-Client-IP: "+forged)
		if want := map[bool]int{true: 401, false: 429}[i < 5]; got != want {
			t.Errorf("guess %d with forged headers: got %d, want %d", i+1, got, want)
		}
		got = guess(proxy, fmt.Sprintf("X-Forwarded-For: %s", forged), "X-Forwarded-For: 198.51.100.7")
		if want := map[bool]int{true: 401, false: 429}[i < 5]; got != want {
			t.Errorf("guess %d through the proxy: got %d, want %d", i+1, got, want)
		}
	}
	if got := guess(proxy, "X-Forwarded-For: 198.51.100.8"); got != 401 {
		t.Errorf("another client of the proxy: got %d, want 401", got)
	}
}
