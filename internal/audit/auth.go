package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

func authentication() []Probe {
	return append([]Probe{{
		ID: "AU3", Title: "no forged, foreign or misused token is taken for an access token", Guide: "production-guide:18", Class: Safe, run: forgedTokens,
		Why: "One accepted forgery is every account at once.",
		Fix: "Accept one algorithm, known key ids, issuer, audience and type; never take the key or the algorithm from the token.",
	}}, slices.Concat(authIntrusive(), authDead(), authRoles())...)
}

// token is a JWT taken apart.
type token struct {
	header, claims map[string]any
	signature      string
}

func parseToken(s string) (token, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return token{}, false
	}
	var k token
	for i, into := range []*map[string]any{&k.header, &k.claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return token{}, false
		}
	}
	k.signature = parts[2]
	return k, true
}

// with is a copy with another header or other claims; nil removes.
func (k token) with(header, claims map[string]any) token {
	change := func(m, by map[string]any) map[string]any {
		m = maps.Clone(m)
		for name, v := range by {
			if m[name] = v; v == nil {
				delete(m, name)
			}
		}
		return m
	}
	return token{change(k.header, header), change(k.claims, claims), k.signature}
}

func (k token) signed(key []byte) string {
	text := k.text()
	if key == nil {
		return text + "."
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (k token) text() string {
	part := func(m map[string]any) string {
		b, _ := json.Marshal(m) // it came from JSON
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(k.header) + "." + part(k.claims)
}

func forgedTokens(t *T) {
	shows := t.guarded()
	s := t.Session()
	if a := t.Do(shows, s.from, s.access, nil); !t.WantDone(shows, a) {
		return
	}
	// try sends a token that must be refused; of are the requirements that it is about,
	// none where it would be refused for another reason as well.
	const garbage = "abc.def.ghi"
	try := func(name, forged string, of ...string) {
		t.run.secrets.add(forged)
		q := t.Request(shows, s.from, forged, nil)
		q.Label, q.User = name, ""
		a := t.Send(q)
		on := t.For(of...)
		if op := t.Operation(shows); op.Refuse != 0 && op.Succeeded(a.Status) && a.Err == nil && !slices.Contains(of, "9.2.2") {
			on.declares(shows, false, "%v: got %s, want %d: this was let in", a, a.got(), op.Refuse)
		} else {
			on.WantTurned(shows, a)
		}
		if (forged == "" || forged == garbage) && !t.turned(shows, a) {
			t.because(open)
		}
	}
	if try("no token at all", ""); t.Failed() { // whoever asks is answered
		t.For("9.1.1", "9.1.2", "9.1.3", "9.2.2").Missing("%s is answered without any token, so that it tells nothing about tokens", shows)
		return
	}
	if s.refresh != "" {
		try("refresh token as access token", s.refresh, "9.2.2")
	} else {
		t.For("9.2.2").Missing("signing in gave no token of another kind that could be tried")
	}
	try("garbage", garbage)
	t.challengeAsAccess(try)
	k, ok := parseToken(s.access)
	if !ok {
		t.Checked("no misused token, and no garbage, is taken for an access token")
		t.Note("access tokens are no JWTs, so only misused ones were tried")
		t.For("9.1.1", "9.1.2", "9.1.3").Missing("access tokens are no JWTs, so none was forged")
		return
	}
	key := []byte("vitals-audit-foreign-key-0123456789")
	try("algorithm none", k.with(map[string]any{"alg": "none"}, nil).signed(nil), "9.1.2")
	try("algorithm None, signature kept", k.with(map[string]any{"alg": "None"}, nil).text()+"."+k.signature, "9.1.2")
	try("signature removed", k.text()+".", "9.1.1")
	try("RS256 with an HMAC", k.with(map[string]any{"alg": "RS256"}, nil).signed(key), "9.1.2")
	try("HS512 header on an HS256 signature", k.with(map[string]any{"alg": "HS512"}, nil).text()+"."+k.signature, "9.1.2")
	try("foreign key", k.signed(key), "9.1.1")
	try("empty key", k.signed([]byte{}), "9.1.1")
	try("key id of /dev/null", k.with(map[string]any{"kid": "../../dev/null"}, nil).signed([]byte{}), "9.1.3")
	try("key id as SQL", k.with(map[string]any{"kid": "x' UNION SELECT 'k"}, nil).signed([]byte("k")), "9.1.3")
	try("key in the header", k.with(map[string]any{"jwk": map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(key)}}, nil).signed(key), "9.1.3")
	try("expired, foreign key", k.with(nil, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}).signed(key))
	try("claims changed under the old signature", k.with(nil, map[string]any{"exp": time.Now().Add(24 * time.Hour).Unix()}).text()+"."+k.signature, "9.1.1")
	try("foreign audience under the old signature", k.with(nil, map[string]any{"aud": "another"}).text()+"."+k.signature, "9.1.1")
}

// challengeAsAccess tries the challenge of a second factor as an access token.
// Enrolling makes data, so it is for targets of one's own.
func (t *T) challengeAsAccess(try func(name, forged string, of ...string)) {
	if _, ok := t.target.Profile.Operations["two_factor_enrol"]; !ok || !t.target.Own {
		t.Note("a challenge as access token was not tried: it takes a second factor on a target of one's own")
		return
	}
	s := t.Session()
	t.SecondFactor(s)
	try("challenge as access token", t.Challenge(s.Account, s.from), "9.2.2")
}
