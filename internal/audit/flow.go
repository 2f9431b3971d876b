package audit

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"vitals/internal/profile"
)

// values fill an operation's placeholders.
type values map[string]string

// Request is one of the profile's operations as a request, with the token of
// whoever is signed in, "" for nobody. A profile without the operation, or a
// placeholder without a value, skips the probe.
func (t *T) Request(operation string, from netip.Addr, token string, v values) Request {
	m, err := t.run.message(t.target, operation, token, v)
	if err != nil {
		t.Lacks("%v", err)
	}
	if t.cookied != "" && operation != "login" {
		t.Skip("%s", t.cookied) // the operation is there, and nobody can be signed in for it
	}
	q := Request{Method: m.Method, Path: m.Path, Header: m.Header, Body: m.Body, Policy: m.Policy, From: from, Label: operation}
	if token != "" {
		q.User = t.run.owner(token)
	}
	return q
}

// Do sends one of the profile's operations.
func (t *T) Do(operation string, from netip.Addr, token string, v values) Answer {
	return t.keep(operation, v, t.again(t.Request(operation, from, token, v)))
}

// again sends a request, and sends it anew after the announced wait where the
// server sheds load: that is no judgement, and other probes may be the load.
func (t *T) again(q Request) Answer {
	a := t.Send(q)
	for range 5 {
		if a.Status != http.StatusServiceUnavailable || a.Code() != "overloaded" {
			break
		}
		t.sleep(time.Duration(max(1, a.RetryAfter())) * time.Second)
		a = t.Send(q)
	}
	return a
}

// Login is a sign-in as a request.
func (t *T) Login(from netip.Addr, email, password string) Request {
	t.run.secrets.add(password)
	q := t.Request("login", from, "", values{"email": email, "password": password})
	q.User = strings.ToLower(email)
	return q
}

// SignIn sends a sign-in and keeps the tokens of the answer from the transcript.
func (t *T) SignIn(from netip.Addr, a Account) Answer {
	q := t.Login(from, a.Email, a.Password)
	return t.keep("login", values{"email": a.Email}, t.first("login", q, t.again(q)))
}

// Guess sends a wrong password for an account.
func (t *T) Guess(from netip.Addr, email string) Answer {
	q := t.Login(from, email, wrongPassword())
	q.Label = "wrong password"
	return t.first("login", q, t.again(q))
}

// wrongPassword is long, random and surely nobody's.
func wrongPassword() string { return "Wrong-" + rand.Text() }

// unknownAccount is an email address that surely nobody has.
func unknownAccount() string { return "nobody-" + strings.ToLower(rand.Text()[:12]) + "@vitals.test" }

// strangers gives the accounts of wrong sign-ins that are to share one count. They are
// nobody's: another each time where the count is the address's, so that nothing but the
// address is common to them, and one and the same where it is the account's.
func (t *T) strangers() (next func() string) {
	if l, ok := t.target.limit("login"); !ok || byAddress(l) == "" {
		return unknownAccount
	}
	email := unknownAccount()
	return func() string { return email }
}

// keep learns whose tokens an answer holds.
func (t *T) keep(operation string, v values, a Answer) Answer {
	if s, ok := t.target.Profile.Operations[operation].Field(a.Body, "access_token"); ok && v["email"] != "" {
		t.run.own(s, strings.ToLower(v["email"]))
		op := t.target.Profile.Operations[operation]
		given := values{}
		for _, name := range t.target.Profile.Told(operation) {
			if value, ok := op.Field(a.Body, name); ok {
				given[name] = value
			}
			if v, _ := op.Value(a.Body, name); isNumber(v) {
				t.run.number(t.target, name)
			}
		}
		t.run.learn(t.target, s, given)
	}
	return a
}

// Field is a field of an operation's answer; one that is missing fails the probe
// and ends it, for nothing further makes sense.
func (t *T) Field(operation string, a Answer, name string) string {
	s, ok := t.target.Profile.Operations[operation].Field(a.Body, name)
	if !ok {
		t.Fail("%v: got %s without %s", a, a.got(), name)
		t.Stop()
	}
	return s
}

// session is somebody signed in.
type session struct {
	Account
	from            netip.Addr
	access, refresh string
	id, patient     string
	signed          Answer // to the sign-in
}

// renews tells whether a session has a token that the profile's refresh takes.
func (t *T) renews(s session) bool {
	_, ok := t.target.Profile.Operations["refresh"]
	return ok && s.refresh != ""
}

// Session signs an unused account in from an unused address. What keeps it from
// being there is not this probe's finding: it skips.
func (t *T) Session() session { return t.SessionOf(t.Account(), t.Address()) }

// SessionOf signs an account in from an address.
func (t *T) SessionOf(a Account, from netip.Addr) session {
	ans := t.SignIn(from, a)
	op := t.Operation("login")
	if !op.Succeeded(ans.Status) {
		t.Skip("sign-in with a test account: got %s", ans.got())
	}
	s := session{Account: a, from: from, signed: ans}
	s.access, _ = op.Field(ans.Body, "access_token")
	switch cookies := ans.Header["Set-Cookie"]; {
	case s.access != "":
	case len(cookies) > 0:
		name, _, _ := strings.Cut(cookies[0], "=")
		t.cookied = fmt.Sprintf("the sign-in's answer has no access token and sets the cookie %s: a session that is a cookie is not kept by probes", name)
		return s // a probe of what the profile does not have is not asked
	default:
		t.Skip("sign-in with a test account: no access token in the answer (a second factor is asked for, or the profile's fields are wrong)")
	}
	s.refresh, _ = op.Field(ans.Body, "refresh_token")
	s.id, _ = op.Field(ans.Body, "user_id")
	s.patient, _ = op.Field(ans.Body, "patient_id")
	return s
}

// SecondFactor enrols and confirms a second factor for who is signed in. It
// confirms with the code of the step before this one, so that the code of this
// step is still unspent.
func (t *T) SecondFactor(s session) (secret string) {
	a := t.Do("two_factor_enrol", s.from, s.access, values{"password": s.Password})
	if !t.Operation("two_factor_enrol").Succeeded(a.Status) {
		t.Skip("enrolling a second factor: got %s", a.got())
	}
	secret = t.Field("two_factor_enrol", a, "secret")
	a = t.Do("two_factor_confirm", s.from, s.access, values{"code": code(secret, time.Now().Add(-30*time.Second))})
	if !t.Operation("two_factor_confirm").Succeeded(a.Status) {
		t.Skip("confirming a second factor: got %s", a.got())
	}
	return secret
}

// Challenge signs in with the password alone and gives the challenge.
func (t *T) Challenge(a Account, from netip.Addr) string {
	ans := t.SignIn(from, a)
	c, ok := t.Operation("login").Field(ans.Body, "challenge_token")
	if !ok {
		t.Skip("sign-in of an account with a second factor: got %s without a challenge", ans.got())
	}
	return c
}

// code is the six digits of a secret at a moment; "000000" for a secret that is
// no base32, which no server makes.
func code(secret string, at time.Time) string {
	c, err := totp.GenerateCode(secret, at)
	if err != nil {
		return "000000"
	}
	return c
}

// wrongCodes are n codes that are none of the secret's around now.
func wrongCodes(secret string, n int) []string {
	right := map[string]bool{}
	for step := -3; step <= 3; step++ {
		right[code(secret, time.Now().Add(time.Duration(step)*30*time.Second))] = true
	}
	var out []string
	for i := 0; len(out) < n; i++ {
		c := strings.Repeat(string(rune('0'+i%10)), 5) + string(rune('0'+i/10%10))
		if !right[c] {
			out = append(out, c)
		}
	}
	return out
}

// ResetToken asks for a password reset and reads the token from the mail.
func (t *T) ResetToken(from netip.Addr, email string) string {
	if t.target.Mail == nil || t.target.Profile.Token == "" {
		t.Skip("it reads the mail that carries the token: use a stack of your own")
	}
	a := t.Do("password_reset", from, "", values{"email": email})
	if !t.Operation("password_reset").Succeeded(a.Status) {
		t.Skip("asking for a reset: got %s", a.got())
	}
	text, err := t.target.Mail(t.ctx, email)
	if err != nil {
		t.Skip("no mail with a token came: %v", err)
	}
	token, ok := profile.Token(t.target.Profile, text)
	if !ok {
		t.Skip("the mail holds no token where the profile looks for it")
	}
	t.run.secrets.add(token)
	return token
}

// fields reads an answer's JSON object.
func fields(a Answer) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(a.Body, &m) // not an object: no fields
	return m
}

// without is an answer's JSON body without the fields that differ by request.
func without(a Answer, drop ...string) string {
	var m map[string]any
	if json.Unmarshal(a.Body, &m) != nil {
		return string(a.Body)
	}
	for _, name := range drop {
		delete(m, name)
	}
	b, _ := json.Marshal(m) // it was JSON
	return string(b)
}

// at is a request to a replica.
func at(base *url.URL, q Request) Request { q.Base = base; return q }
