package process

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// These tests ask the service as `vitals serve` builds it (Run), because a
// setting that only a test switches on proves nothing.

const medication = `{"name":"Aspirin","dosage":"100 mg","form":"tablet","frequency_type":%q,"frequency_value":%s,"timezone":"Europe/Rome",` +
	`"start_date":"2026-01-01","current_stock":10,"low_stock_threshold":1%s}`

// A key that differs in case alone, or comes twice, is refused before anything
// reads the other one: the schema looks at one of them, the decoder takes both.
func TestKeysHaveOneSpelling(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, append(vars, "RATE_LIMIT_API=100000")...)
		seed(t, cfg, 1)
		s := startLive(t, cfg)
		token := "Authorization: Bearer " + accessToken(t, http.DefaultClient, s.url(), 1)
		post := func(path, body string) answer {
			return ask(t, http.DefaultClient, "POST", s.url()+"/api/v1"+path, body, token)
		}
		if a := post("/medications", fmt.Sprintf(medication, "every_x_hours", "8", "")); a.StatusCode != 201 {
			t.Fatalf("an honest medication: got %d %s", a.StatusCode, a.Text)
		}
		for _, more := range []string{
			`,"FREQUENCY_VALUE":-1`, `,"Frequency_Value":0`, `,"frequency_value":-1`, `,"CURRENT_STOCK":-5`, `,"FORM":"<script>"`, `,"NAME":""`,
			`,"NAME":"` + strings.Repeat("n", 30_000) + `"`, `,"name":"` + strings.Repeat("n", 30_000) + `","name":null`,
			`,"REMINDER_TIMES":["00:00","00:01"]`, `,"patient_id":"\u0000","patient_id":null`, `,"\u0046ORM":"<script>"`, `,"form":"tablet"`,
			`,"name":"","name":"Aspirin"`, `,"frequency_type":"once_daily"`, `,"ſtart_date":"1900-01-01"`,
		} {
			if a := post("/medications", fmt.Sprintf(medication, "every_x_hours", "1", more)); a.StatusCode != 422 {
				t.Errorf("with %.60s: got %d %.200s, want 422", more, a.StatusCode, a.Text)
			}
		}
		list := ask(t, http.DefaultClient, "GET", s.url()+"/api/v1/medications", "", token)
		id := between(list.Text, `"id":"`, `"`)
		for path, body := range map[string]string{
			"/medications/" + id + "/reminders/generate": `{"days_ahead":1,"DAYS_AHEAD":20000}`,
			"/medications/" + id + "/stock":              `{"delta":1,"DELTA":-900000000}`,
			"/logs":                                      `{"medication_id":"` + id + `","action":"taken","ACTION":"other","source":"api","taken_at":"2026-01-01T00:00:00Z"}`,
			"/auth/2fa/enrol":                            `{"password":"x","PASSWORD":"y"}`,
		} {
			if a := post(path, body); a.StatusCode != 422 {
				t.Errorf("%s with %s: got %d %.200s, want 422", path, body, a.StatusCode, a.Text)
			}
		}
		patch := ask(t, http.DefaultClient, "PATCH", s.url()+"/api/v1/medications/"+id, `{"dosage":"`+strings.Repeat("d", 30_000)+`","dosage":null}`, token)
		if patch.StatusCode != 422 {
			t.Errorf("a patch with a key twice: got %d %.200s, want 422", patch.StatusCode, patch.Text)
		}
	})
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// What is malformed on a route that judges credentials counts against its
// address, however it is malformed.
func TestMalformedSignInsOfEveryKindCount(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, vars...)
		seed(t, cfg, 1)
		s := startLive(t, cfg)
		for what, body := range map[string]string{
			"another case":  `{"email":"a@x.example","EMAIL":"a\u0000b@x.example","password":"w"}`,
			"a key twice":   `{"email":"a\u0000b@x.example","email":"a@x.example","password":"w"}`,
			"a zero byte":   `{"email":"a\u0000b@x.example","password":"w"}`,
			"not UTF-8":     "{\"email\":\"a\xffb@x.example\",\"password\":\"w\"}",
			"half a letter": `{"email":"a\ud800b@x.example","password":"w"}`,
		} {
			c := from(t, fmt.Sprintf("127.0.1.%d", 1+len(what)))
			got := map[int]int{}
			for range 110 {
				got[ask(t, c, "POST", s.url()+"/api/v1/auth/login", body).StatusCode]++
			}
			if got[500] != 0 || got[429] < 10 {
				t.Errorf("%s: got %v, want no 500 and the last ten refused", what, got)
			}
		}
	})
}

// A time outside 1900 to 2199 is refused at the door: stored, it would break every
// list that it appears in.
func TestTimesOutOfRange(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, append(vars, "RATE_LIMIT_API=100000")...)
		seed(t, cfg, 1)
		s := startLive(t, cfg)
		token := "Authorization: Bearer " + accessToken(t, http.DefaultClient, s.url(), 1)
		api := func(method, path, body string) answer {
			return ask(t, http.DefaultClient, method, s.url()+"/api/v1"+path, body, token)
		}
		id := between(api("GET", "/medications", "").Text, `"id":"`, `"`)
		reminder := between(api("GET", "/reminders?status=pending", "").Text, `"id":"`, `"`)
		for _, at := range []string{
			"0000-01-01T00:00:00%2B14:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
		} {
			plain := strings.ReplaceAll(at, "%2B", "+")
			for path, body := range map[string]string{
				"/logs":                             `{"medication_id":"` + id + `","action":"taken","source":"api","taken_at":"` + plain + `"}`,
				"/reminders/" + reminder + "/taken": `{"taken_at":"` + plain + `"}`,
			} {
				if a := api("POST", path, body); a.StatusCode != 422 {
					t.Errorf("%s at %s: got %d %.200s, want 422", path, plain, a.StatusCode, a.Text)
				}
			}
			if strings.HasPrefix(at, "0001") {
				continue // in a query, where it stands for no time at all
			}
			for _, path := range []string{"/logs?from=", "/logs?to=", "/reminders?from=", "/reminders?to=", "/analytics/adherence?to=", "/analytics/adherence?from="} {
				if a := api("GET", path+at, ""); a.StatusCode != 422 {
					t.Errorf("%s%s: got %d %.200s, want 422", path, at, a.StatusCode, a.Text)
				}
			}
		}
		for _, path := range []string{"/logs", "/reminders", "/analytics/adherence"} {
			if a := api("GET", path, ""); a.StatusCode != 200 {
				t.Errorf("afterwards %s: got %d, want 200", path, a.StatusCode)
			}
		}
	})
}

// What has no route counts, however it is spelt: the pattern decides, not the path.
func TestNoPathIsExempt(t *testing.T) {
	s := startLive(t, testConfig(t, "RATE_LIMIT_API=3"))
	codes := map[int]int{}
	for _, path := range []string{
		"/health/../api/v1/auth/login/", "/api/v1/auth/login/", "/healthz", "/api/v1/auth/LOGIN", "/metrics", "/api/v1/auth/login%2F",
	} {
		codes[ask(t, http.DefaultClient, "POST", s.url()+path, "").StatusCode]++
	}
	if codes[429] != 3 {
		t.Errorf("got %v, want three of six refused", codes)
	}
}

// A token whose session has ended spends the quota of the address it comes from,
// not that of the user whose it was.
func TestEndedSessionsSpendNoQuota(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, vars...)
		seed(t, cfg, 1)
		s := startLive(t, cfg)
		owner, holder := from(t, "127.0.0.61"), from(t, "127.0.0.62")
		stolen := "Authorization: Bearer " + accessToken(t, owner, s.url(), 1)
		if a := ask(t, owner, "POST", s.url()+"/api/v1/auth/logout-all", "", stolen); a.StatusCode != 200 {
			t.Fatalf("sign out everywhere: got %d", a.StatusCode)
		}
		fresh := "Authorization: Bearer " + accessToken(t, owner, s.url(), 1)
		got := map[int]int{}
		for range 120 {
			got[ask(t, holder, "GET", s.url()+"/api/v1/auth/me", "", stolen).StatusCode]++
		}
		if got[401] != 100 || got[429] != 20 {
			t.Errorf("the ended token: got %v, want 100 × 401 and 20 × 429", got)
		}
		a := ask(t, owner, "GET", s.url()+"/api/v1/auth/me", "", fresh)
		if left := a.Header.Get("X-RateLimit-Remaining"); a.StatusCode != 200 || left != "98" {
			t.Errorf("the owner: got %d, %s left, want 200 and 98: signing out and this", a.StatusCode, left)
		}
	})
}

// Sixty addresses guess at one account at once: it is judged twenty times.
func TestOneAccountManyAddresses(t *testing.T) {
	eachStack(t, func(t *testing.T, vars []string) {
		cfg := testConfig(t, append(vars, "HASH_QUEUE=1000", "HASH_QUEUE_TIMEOUT=30")...)
		seed(t, cfg, 1)
		s := startLive(t, cfg)
		clients := make([]*http.Client, 60)
		for i := range clients {
			clients[i] = from(t, fmt.Sprintf("127.0.2.%d", i+1))
		}
		statuses := make([]int, len(clients))
		var all sync.WaitGroup
		start := make(chan struct{})
		for i, c := range clients {
			all.Go(func() {
				<-start
				statuses[i] = login(t, c, s.url(), patient(1), "wrong").StatusCode
			})
		}
		close(start)
		all.Wait()
		got := map[int]int{}
		for _, status := range statuses {
			got[status]++
		}
		if got[401] != 20 || got[429] != 40 {
			t.Errorf("got %v, want 20 × 401 and 40 × 429", got)
		}
	})
}

// Requests of a second factor that there is nothing to judge of count as any request
// does, and right passwords do not fill the database.
func TestWhatNothingJudgesIsBounded(t *testing.T) {
	cfg := testConfig(t)
	seed(t, cfg, 1)
	s := startLive(t, cfg)
	c := from(t, "127.0.0.71")
	token := "Authorization: Bearer " + accessToken(t, c, s.url(), 1)
	got := map[int]int{}
	for range 120 {
		got[ask(t, c, "POST", s.url()+"/api/v1/auth/2fa/confirm", `{"code":"000000"}`, token).StatusCode]++
	}
	if got[409] != 100 || got[429] != 20 {
		t.Errorf("confirm without an enrolment: got %v, want 100 × 409 and 20 × 429", got)
	}
	other := from(t, "127.0.0.72")
	for range 60 {
		token = "Authorization: Bearer " + accessToken(t, other, s.url(), 1)
	}
	list := ask(t, other, "GET", s.url()+"/api/v1/auth/sessions", "", token)
	if n := strings.Count(list.Text, `"id"`); n != 50 {
		t.Errorf("after 61 sign-ins: got %d sessions, want the newest 50", n)
	}
}
