package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/scenarios"
)

// clinic is a server with accounts, tokens and a limit on requests per account,
// as far as the engine has to know one.
type clinic struct {
	limit   int           // requests per account, 0 = none
	expires time.Duration // of tokens, 0 = an hour
	broken  string        // email that cannot sign in

	mu       sync.Mutex
	base     *url.URL
	used     map[string]int // account → requests, as the limit counts them
	refused  int            // 429s
	owner    map[string]string
	until    map[string]time.Time
	next     int
	signIns  map[string]int
	signOuts int
	renewals int
	stale    int      // requests with an unknown or expired token
	from     []string // client addresses seen
}

func newClinic(t *testing.T, c *clinic) *clinic {
	t.Helper()
	c.used, c.owner, c.until, c.signIns = map[string]int{}, map[string]string{}, map[string]time.Time{}, map[string]int{}
	if c.expires == 0 {
		c.expires = time.Hour
	}
	s := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(s.Close)
	c.base, _ = url.Parse(s.URL)
	return c
}

func (c *clinic) token(email string) map[string]any {
	c.next++
	access, refresh := fmt.Sprintf("a%d", c.next), fmt.Sprintf("r%d", c.next)
	c.owner[access], c.owner[refresh] = email, email
	c.until[access] = time.Now().Add(c.expires)
	return map[string]any{"access_token": access, "refresh_token": refresh, "expires_in": c.expires.Seconds()}
}

func (c *clinic) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	if via := r.Header.Get("X-Forwarded-For"); via != "" {
		host = via
	}
	c.from = append(c.from, host)
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	answer := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	if r.URL.Path == "/login" {
		if in["email"] == c.broken || in["password"] != "pass word" {
			answer(401, map[string]string{"code": "invalid_credentials", "detail": in["password"]})
			return
		}
		c.signIns[in["email"]]++
		answer(200, c.token(in["email"]))
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	email := c.owner[token]
	if r.URL.Path == "/refresh" {
		email = c.owner[in["refresh_token"]]
	}
	if email == "" || r.URL.Path != "/refresh" && time.Now().After(c.until[token]) {
		c.stale++
		answer(401, map[string]string{"code": "invalid_token"})
		return
	}
	if c.used[email]++; c.limit > 0 && c.used[email] > c.limit {
		c.refused++
		answer(429, map[string]string{"code": "rate_limited"})
		return
	}
	switch r.URL.Path {
	case "/refresh":
		c.renewals++
		answer(200, c.token(email))
	case "/logout":
		delete(c.owner, token)
		c.signOuts++
		w.WriteHeader(204)
	default:
		answer(200, map[string]any{"items": []any{map[string]any{"id": "m-" + email}}, "you": email})
	}
}

// patients is a scenario for the clinic: list, then use what the list gave.
func patients(l scenarios.Load, think time.Duration, requests int) *scenarios.Scenario {
	save := map[string]string{"token": "json:access_token", "refresh_token": "json:refresh_token", "expires_in": "json:expires_in"}
	return &scenarios.Scenario{
		Name: "patients", Load: l, Quick: l,
		Accounts: scenarios.Accounts{
			SignIn: scenarios.Step{Name: "sign in", Method: "POST", Path: "/login", Anonymous: true, Save: save,
				Body: `{"email":"{{email}}","password":"{{password}}"}`},
			SignOut:  &scenarios.Step{Name: "sign out", Method: "POST", Path: "/logout", Expect: scenarios.Expect{Status: []int{204}}},
			Refresh:  &scenarios.Step{Name: "refresh", Method: "POST", Path: "/refresh", Anonymous: true, Save: save, Body: `{"refresh_token":"{{refresh_token}}"}`},
			Requests: requests,
		},
		Journeys: []scenarios.Journey{{
			Name: "patient", Think: scenarios.Range{From: think, To: think},
			Tasks: []scenarios.Task{
				{Name: "list", Weight: 2, Steps: []scenarios.Step{{Name: "list", Path: "/items", Save: map[string]string{"id": "json:items.0.id"}}}},
				{Name: "use", Weight: 1, Steps: []scenarios.Step{{Name: "use", Path: "/items/{{id}}", Forget: []string{"id"},
					Expect: scenarios.Expect{JSON: map[string]*string{"you": nil}}}}},
			},
		}},
	}
}

func accounts(n int) (list []Account) {
	for i := range n {
		list = append(list, Account{Email: fmt.Sprintf("p%03d@clinic.test", i), Password: "pass word"})
	}
	return list
}
