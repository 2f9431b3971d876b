package audittest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"
)

// sign makes an access token of its own kind: no JWT.
func (s *API) sign(u *user) string {
	text := fmt.Sprintf("%s|%d|%d", u.email, u.version, time.Now().Add(15*time.Minute).Unix())
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + hex.EncodeToString(mac.Sum(nil))
}

func (x *call) authenticate() {
	raw, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	text, mac, two := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(text)
	want := hmac.New(sha256.New, x.s.secret)
	want.Write(b)
	if !ok || !two || err != nil || mac != hex.EncodeToString(want.Sum(nil)) {
		return
	}
	parts := strings.Split(string(b), "|")
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	switch u := x.s.users[parts[0]]; {
	case u != nil && strconv.Itoa(u.version) == parts[1] && !u.barred:
		x.user = u
	case x.s.Lie == "dead tokens spend the owner's quota":
		x.dead = parts[0]
	}
}

func (x *call) subject() string {
	if x.user != nil {
		return x.user.email
	}
	if x.dead != "" {
		return x.dead
	}
	return x.ip
}

// prove is the password check, which takes its time.
func (s *API) prove(u *user, word string) bool {
	if u == nil && s.Lie == "unknown user faster than known" {
		time.Sleep(hashTime / 2)
		return false
	}
	time.Sleep(hashTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	return u != nil && u.password == word && !u.barred
}

func (x *call) login() {
	mail := strings.ToLower(x.text("mail"))
	if mail == "" || !strings.Contains(mail, "@") {
		x.spend("api", x.subject())
		x.fail(422, "mail")
		return
	}
	settle, ok := x.enter("login", x.loginKey(mail))
	if !ok {
		return
	}
	x.s.mu.Lock()
	u := x.s.users[mail]
	x.s.mu.Unlock()
	right := x.s.prove(u, x.text("word"))
	if x.s.Lie == "any password will do" && u != nil {
		settle(right, mail)
		x.answer(200, x.pair(u, ""))
		return
	}
	if !right {
		settle(false, mail)
		if x.s.Lie == "200 with success false" {
			x.answer(200, map[string]any{"success": false})
			return
		}
		if x.s.Lie == "unknown accounts are told" && u == nil {
			x.fail(404, "who?")
			return
		}
		x.fail(x.s.Wrong, "credentials")
		return
	}
	x.s.mu.Lock()
	second := u.confirmed
	x.s.mu.Unlock()
	settle(true, mail)
	if second {
		id := rand.Text()
		x.s.mu.Lock()
		x.s.challenges[id] = &challenge{email: mail}
		x.s.mu.Unlock()
		x.answer(200, map[string]any{"state": "second", "dare": id})
		return
	}
	if x.s.Lie == "sign-in is a page" {
		x.w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(x.w, "<!doctype html><title>Welcome</title>")
		return
	}
	x.answer(200, x.pair(u, ""))
}

func (x *call) pair(u *user, family string) map[string]any {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	raw := rand.Text()
	if family == "" {
		family = raw
	}
	x.s.tokens[raw] = &refreshToken{email: u.email, family: family, version: u.version}
	return map[string]any{"data": map[string]any{"jwt": x.s.sign(u), "renewal": raw, "who": u.id}}
}

// logout ends all of somebody's sessions.
func (x *call) logout() {
	if x.user == nil {
		x.fail(401, "token")
		return
	}
	x.s.mu.Lock()
	if x.s.Lie != "signing out ends nothing" {
		x.user.version++
	}
	for _, k := range x.s.tokens {
		if x.s.Lie == "refresh tokens outlive signing out" && k.email == x.user.email {
			k.version = x.user.version
		}
	}
	x.s.mu.Unlock()
	x.answer(200, map[string]any{})
}

func (x *call) renew() {
	x.s.mu.Lock()
	k := x.s.tokens[x.text("renewal")]
	var u *user
	good := false
	if k != nil {
		u = x.s.users[k.email]
		good = k.version == u.version && (!k.used || x.s.Lie == "refresh reuse accepted")
		if k.used && x.s.Lie != "refresh reuse accepted" {
			u.version++ // the family is dead; here everything of the user is
		}
		if x.s.Lie == "refresh race" {
			x.s.mu.Unlock()
			time.Sleep(hashTime)
			x.s.mu.Lock()
		}
		k.used = true
	}
	x.s.mu.Unlock()
	if !x.spend("api", x.subject()) {
		return
	}
	if !good {
		x.fail(401, "renewal")
		return
	}
	x.answer(200, x.pair(u, k.family))
}

func (x *call) whoami() {
	if wait, locked := x.s.shut(); locked {
		x.refuse("login", wait, 0)
		return
	}
	if x.s.Lie == "one answer in ten is an error with 200" && mathrand.N(10) == 0 {
		x.answer(200, map[string]any{"error": "try later"})
		return
	}
	x.answer(200, map[string]any{"id": x.user.id, "mail": x.user.email})
}

func (x *call) enrol() {
	if !x.spend("change", x.subject()) {
		return
	}
	k, _ := totp.Generate(totp.GenerateOpts{Issuer: "s", AccountName: x.user.email})
	x.s.mu.Lock()
	x.user.otp = k.Secret()
	x.s.mu.Unlock()
	x.answer(200, map[string]any{"seed": k.Secret()})
}

// accept takes a code once, within one step of now.
func (x *call) accept(u *user, digits string) bool {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	now := time.Now()
	for d := int64(-1); d <= 1; d++ {
		step := now.Unix()/30 + d
		c, _ := totp.GenerateCode(u.otp, time.Unix(step*30, 0))
		if c == digits && (step > u.step || x.s.Lie == "TOTP replay") {
			u.step = step
			return true
		}
	}
	return false
}

func (x *call) confirm() {
	settle, ok := x.enter("codes", x.ip)
	if !ok {
		return
	}
	good := x.accept(x.user, x.text("digits"))
	settle(good, x.user.email)
	if !good {
		x.fail(x.s.Wrong, "digits")
		return
	}
	x.s.mu.Lock()
	x.user.confirmed = true
	x.s.mu.Unlock()
	x.answer(200, map[string]any{"on": true})
}

func (x *call) second() {
	x.s.mu.Lock()
	d := x.s.challenges[x.text("dare")]
	x.s.mu.Unlock()
	if d == nil {
		x.fail(401, "dare")
		return
	}
	settle, ok := x.enter("codes", x.ip)
	if !ok {
		return
	}
	x.s.mu.Lock()
	d.tries++
	u, dead := x.s.users[d.email], d.tries > 5
	x.s.mu.Unlock()
	good := !dead && x.accept(u, x.text("digits"))
	settle(good, d.email)
	if !good {
		x.fail(x.s.Wrong, "digits")
		return
	}
	x.answer(200, x.pair(u, ""))
}

func (x *call) change() {
	if !x.spend("change", x.ip) || !x.spend("change", x.subject()) {
		return
	}
	if !x.s.prove(x.user, x.text("old")) {
		x.fail(401, "old")
		return
	}
	x.s.mu.Lock()
	x.user.password = x.text("new")
	if x.s.Lie != "sessions survive a change" {
		x.user.version++
	}
	x.s.mu.Unlock()
	x.answer(200, x.pair(x.user, ""))
}

func (x *call) forgot() {
	if !x.spend("reset", x.ip) {
		return
	}
	mail := strings.ToLower(x.text("mail"))
	x.s.mu.Lock()
	if x.s.users[mail] != nil {
		for k, m := range x.s.resets {
			if m == mail {
				delete(x.s.resets, k)
			}
		}
		k := rand.Text()
		x.s.resets[k], x.s.mails[mail] = mail, "use key: "+k
	}
	x.s.mu.Unlock()
	x.answer(202, map[string]any{"state": "accepted"})
}

func (x *call) unforget() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	mail, ok := x.s.resets[x.text("key")]
	if !ok {
		x.fail(401, "key")
		return
	}
	delete(x.s.resets, x.text("key"))
	u := x.s.users[mail]
	u.password, u.version = x.text("new"), u.version+1
	x.answer(200, map[string]any{"state": "changed"})
}
