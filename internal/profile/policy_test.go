package profile_test

import (
	"reflect"
	"testing"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

func TestPolicy(t *testing.T) {
	for _, tt := range []struct{ profile, method, path, want string }{
		{"clinic", "POST", "/api/v1/auth/login", "login"},
		{"clinic", "GET", "/api/v1/auth/login", "api"},
		{"clinic", "POST", "/api/v1/auth/2fa/verify", "2fa_verify"},
		{"clinic", "POST", "/api/v1/auth/password-reset/confirm", "password_reset_confirm"},
		{"clinic", "GET", "/api/v1/medications", "api"},
		{"clinic", "PATCH", "/api/v1/medications/{{medication_id}}", "api"},
		{"clinic", "POST", "/api/v1/reminders/{{id}}/taken", "api"},
		{"clinic", "GET", "/api/v1", "api"},
		{"clinic", "GET", "/health", ""},
		{"clinic", "GET", "/metrics", ""},
		{"clinic", "GET", "/api/v10/x", ""},
		{"medication-reminder", "POST", "/auth/login", "login"},
		{"medication-reminder", "GET", "/anything", "api"},
		{"medication-reminder", "GET", "/health", ""},
	} {
		p, err := profile.Open(tt.profile)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := p.Policy(tt.method, tt.path); got != tt.want {
			t.Errorf("%s: %s %s: got %q, want %q", tt.profile, tt.method, tt.path, got, tt.want)
		}
	}
}

func TestByLogin(t *testing.T) {
	if p := profile.ByLogin("POST", "/api/v1/auth/login"); p == nil || p.Name != "clinic" {
		t.Errorf("got %v, want clinic", p)
	}
	if p := profile.ByLogin("POST", "/shop/login"); p != nil {
		t.Errorf("got %s, want none", p.Name)
	}
}

// What is set is what is judged by.
func TestRulesOfLimitsInForce(t *testing.T) {
	p := profile.Clinic()
	rules := p.Rules(p.InForce(nil))
	if got, want := rules["login"], (limitcheck.Rule{Limit: 5, Window: 300 * time.Second, Lock: 900 * time.Second, Failures: true, Clears: true, Account: 20}); !reflect.DeepEqual(got, want) {
		t.Errorf("login: got %+v, want %+v", got, want)
	}
	if got, want := rules["api"], (limitcheck.Rule{Limit: 100, Window: time.Hour, Partial: true, By: limitcheck.User}); !reflect.DeepEqual(got, want) {
		t.Errorf("api: got %+v, want %+v", got, want)
	}
	rules = p.Rules(p.InForce(map[string]string{
		"RATE_LIMIT_LOGIN": "3", "RATE_LIMIT_LOGIN_WINDOW": "20", "RATE_LIMIT_LOCKOUT_DURATION": "5", "ACCOUNT_THROTTLE_FAILURES": "7",
		"RATE_LIMIT_2FA": "4", "RATE_LIMIT_PASSWORD_RESET": "2", "RATE_LIMIT_API": "1000", "RATE_LIMIT_API_KEY": "ip", "RATE_LIMIT_PASSWORD_CHANGE": "many",
	}))
	if got, want := rules["login"], (limitcheck.Rule{Limit: 3, Window: 20 * time.Second, Lock: 5 * time.Second, Failures: true, Clears: true, Account: 7}); !reflect.DeepEqual(got, want) {
		t.Errorf("login: got %+v, want %+v", got, want)
	}
	if got, want := rules["api"], (limitcheck.Rule{Limit: 1000, Window: time.Hour, Partial: true, By: limitcheck.Address}); !reflect.DeepEqual(got, want) {
		t.Errorf("api: got %+v, want %+v", got, want)
	}
	for policy, limit := range map[string]int{"2fa_verify": 4, "password_reset": 2, "password_reset_confirm": 2, "password_change": 5} {
		if got := rules[policy].Limit; got != limit {
			t.Errorf("%s: got %d, want %d", policy, got, limit)
		}
	}
}

// Who does not promise Retry-After is not accused for want of it.
func TestRetryAfterIsAPromise(t *testing.T) {
	for promises, silent := range map[string]bool{
		"": true, "promises: {limit_headers: {form: none}}": true, "promises: {limit_headers: {form: none, retry_after: true}}": false,
	} {
		p := open(t, "profile: p\noperations: {login: {method: POST, path: /in, policy: login}}\nlimits: {login: {limit: 1, window: 1m, counts: failures}}\n"+promises)
		rules := p.Rules(p.Limits)
		if rules["login"].Silent != silent {
			t.Errorf("%q: got silent %v, want %v", promises, rules["login"].Silent, silent)
		}
		c := limitcheck.New(rules, limitcheck.Options{})
		now := time.Now()
		for i, status := range []int{401, 429} {
			at := now.Add(time.Duration(i) * time.Second)
			c.Add(limitcheck.Event{Sent: at, Done: at.Add(time.Millisecond), Policy: "login", Status: status, Limit: -1, Remaining: -1, RetryAfter: -1})
		}
		if found := c.Finish(); (len(found) == 0) != silent {
			t.Errorf("%q: got %v", promises, found)
		}
	}
}

// A limit's refusal is known by what is declared, and by a wait where its status means
// other things as well.
func TestRefusals(t *testing.T) {
	var none *profile.Profile
	mixed := &profile.Profile{Limits: map[string]profile.Limit{"login": {Statuses: []int{423, 403}}, "api": {}}}
	for _, tt := range []struct {
		refusals profile.Refusals
		status   int
		told     bool
		want     bool
	}{
		{none.Refusals(), 429, false, true},
		{none.Refusals(), 423, true, false},
		{none.Refusals(423), 423, false, true},
		{none.Refusals(423), 429, true, false},
		{mixed.Refusals(), 423, false, true},
		{mixed.Refusals(), 429, false, true},
		{mixed.Refusals(), 403, false, false},
		{mixed.Refusals(), 403, true, true},
		{mixed.Refusals(), 503, true, false},
	} {
		if got := tt.refusals.Turned(tt.status, tt.told); got != tt.want {
			t.Errorf("%v: %d, wait told %v: got %v", tt.refusals, tt.status, tt.told, got)
		}
	}
}
