package token_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"vitals/server/identity/token"
)

const (
	oldSecret = "an old secret of more than 32 bytes 0123456789"
	newSecret = "a newer secret of more than 32 bytes 9876543210"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ring(t testing.TB, current, previous string) *token.Keyring {
	t.Helper()
	r, err := token.NewKeyring(current, previous)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(t testing.TB, r *token.Keyring, kind token.Kind) string {
	t.Helper()
	raw, err := r.Sign(kind, token.Claims{UserID: 7, SessionID: "s", Version: 3, ID: "j"}, noon, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSignedTokens(t *testing.T) {
	r := ring(t, newSecret, "")
	got, err := r.Parse(token.Access, sign(t, r, token.Access), noon)
	if want := (token.Claims{UserID: 7, SessionID: "s", Version: 3, ID: "j"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// AU3, and what else must not open the API.
func TestForgedTokens(t *testing.T) {
	r := ring(t, newSecret, "")
	good := sign(t, r, token.Access)
	header := func(change func(map[string]any)) string {
		parts := strings.Split(good, ".")
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		var h map[string]any
		_ = json.Unmarshal(raw, &h)
		change(h)
		raw, _ = json.Marshal(h)
		return base64.RawURLEncoding.EncodeToString(raw) + "." + parts[1]
	}
	hs256 := func(signed, key string) string {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	signature := good[strings.LastIndex(good, "."):]
	for name, raw := range map[string]string{
		"empty":               "",
		"alg none":            header(func(h map[string]any) { h["alg"] = "none" }) + ".",
		"alg RS256":           hs256(header(func(h map[string]any) { h["alg"] = "RS256" }), newSecret),
		"alg HS512":           header(func(h map[string]any) { h["alg"] = "HS512" }) + signature,
		"signed by the text":  hs256(header(func(map[string]any) {}), newSecret),
		"kid of a file":       hs256(header(func(h map[string]any) { h["kid"] = "../../dev/null" }), ""),
		"no kid":              hs256(header(func(h map[string]any) { delete(h, "kid") }), ""),
		"kid is no string":    header(func(h map[string]any) { h["kid"] = 7 }) + signature,
		"crit":                header(func(h map[string]any) { h["crit"] = []string{"exp"} }) + signature,
		"foreign key":         sign(t, ring(t, oldSecret, ""), token.Access),
		"challenge as access": sign(t, r, token.Challenge),
		"longer than any":     good + strings.Repeat("A", 4096),
		"padded signature":    good + "=",
		"loose last bits":     good[:len(good)-1] + other(good[len(good)-1]),
	} {
		if got, err := r.Parse(token.Access, raw, noon); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: got %+v, %v, want ErrInvalid", name, got, err)
		}
	}
	if _, err := r.Parse(token.Challenge, good, noon); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("access as challenge: got %v, want ErrInvalid", err)
	}
}

// Claims signed with the right key are read strictly all the same: a form that we
// never write is not ours.
func TestClaimsAreReadStrictly(t *testing.T) {
	r := ring(t, newSecret, "")
	const exp, expired = "1795348800", "1795000000" // a day after noon, three days before
	claims := func(more string) string {
		return `{"iss":"vitals","aud":["vitals-access"],"sub":"7","jti":"j","iat":1795250000,"nbf":1795250000,"sv":3` + more + `}`
	}
	if _, err := r.Parse(token.Access, r.SignClaims(token.Access, nil, claims(`,"sid":"s","exp":`+exp)), noon); err != nil {
		t.Fatalf("as we write them: got %v", err)
	}
	for name, more := range map[string]string{
		"exp a string":             `,"sid":"s","exp":"` + exp + `"`,
		"EXP beside an expired":    `,"sid":"s","exp":` + expired + `,"EXP":` + exp,
		"EXP alone":                `,"sid":"s","EXP":` + exp,
		"exp twice":                `,"sid":"s","exp":` + expired + `,"exp":` + exp,
		"sid with a zero byte":     `,"sid":"s\u0000","exp":` + exp,
		"sid twice":                `,"sid":"s","sid":"t","exp":` + exp,
		"SID":                      `,"SID":"s","exp":` + exp,
		"sid a number":             `,"sid":1,"exp":` + exp,
		"sid null":                 `,"sid":null,"exp":` + exp,
		"sid very long":            `,"sid":"` + strings.Repeat("s", 100) + `","exp":` + exp,
		"sv a string":              `,"sid":"s","sv":"3","exp":` + exp,
		"a claim that is not ours": `,"sid":"s","admin":true,"exp":` + exp,
		"sub twice":                `,"sid":"s","sub":"8","exp":` + exp,
	} {
		if got, err := r.Parse(token.Access, r.SignClaims(token.Access, nil, claims(more)), noon); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: got %+v, %v, want ErrInvalid", name, got, err)
		}
	}
	for name, header := range map[string]map[string]any{"ALG": {"ALG": "none"}, "jku": {"jku": "https://a.example"}} {
		if got, err := r.Parse(token.Access, r.SignClaims(token.Access, header, claims(`,"sid":"s","exp":`+exp)), noon); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("header %s: got %+v, %v, want ErrInvalid", name, got, err)
		}
	}
}

// other is a character of the same six leading bits' neighbourhood: it decodes
// to the same bytes in a reader that ignores the unused bits of the last one.
func other(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestTimes(t *testing.T) {
	r := ring(t, newSecret, "")
	raw := sign(t, r, token.Access)
	for _, c := range []struct {
		name string
		at   time.Duration
		ok   bool
	}{
		{"an hour early", -time.Hour, false},
		{"a clock 29 s behind", -29 * time.Second, true},
		{"a clock 31 s behind", -31 * time.Second, false},
		{"29 s late", time.Hour + 29*time.Second, true},
		{"31 s late", time.Hour + 31*time.Second, false},
	} {
		if _, err := r.Parse(token.Access, raw, noon.Add(c.at)); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want ok %v", c.name, err, c.ok)
		}
	}
}

func TestRotation(t *testing.T) {
	before, during, after := ring(t, oldSecret, ""), ring(t, newSecret, oldSecret), ring(t, newSecret, "")
	raw := sign(t, before, token.Access)
	if _, err := during.Parse(token.Access, raw, noon); err != nil {
		t.Errorf("previous key: got %v, want it to verify", err)
	}
	if _, err := after.Parse(token.Access, raw, noon); err == nil {
		t.Error("forgotten key: still verifies")
	}
	if _, err := after.Parse(token.Access, sign(t, during, token.Access), noon); err != nil {
		t.Errorf("the current key signs: got %v", err)
	}
	sealed, err := before.Seal([]byte("secret"), "user 1")
	if err != nil {
		t.Fatal(err)
	}
	if plain, stale, err := during.Open(sealed, "user 1"); string(plain) != "secret" || !stale || err != nil {
		t.Errorf("open: got %q, stale %v, %v, want secret, stale", plain, stale, err)
	}
	if _, _, err := during.Open(sealed, "user 2"); err == nil {
		t.Error("a box opens in another place")
	}
	if _, _, err := after.Open(sealed, "user 1"); err == nil {
		t.Error("a box opens without its key")
	}
	if before.Account("a@b.c") == after.Account("a@b.c") || len(after.Pseudonym("a@b.c")) != 12 {
		t.Error("account names do not depend on the key, or a pseudonym has not 12 digits")
	}
}

func TestKeyringRefuses(t *testing.T) {
	for name, secrets := range map[string][2]string{
		"short":          {"short", ""},
		"short previous": {newSecret, "short"},
		"same twice":     {newSecret, newSecret},
	} {
		if _, err := token.NewKeyring(secrets[0], secrets[1]); err == nil || strings.Contains(err.Error(), newSecret) {
			t.Errorf("%s: got %v, want an error without the secret", name, err)
		}
	}
}

func TestOpaque(t *testing.T) {
	raw, hash := token.New()
	again, _ := token.New()
	if raw == again {
		t.Error("two tokens are equal")
	}
	if got, err := token.Hash(raw); got != hash || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, hash)
	}
	for _, bad := range []string{"", raw[1:], raw + "A", raw[:42] + "=", raw[:42] + " ", strings.Repeat("ä", 43)} {
		if _, err := token.Hash(bad); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := ring(f, newSecret, oldSecret)
	good := sign(f, r, token.Access)
	for _, seed := range []string{good, sign(f, r, token.Challenge), "", "..", good + ".", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := r.Parse(token.Access, raw, noon)
		if err != nil && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", raw, err)
		}
		if err == nil && raw != good {
			t.Errorf("%q: a token nobody signed gives %+v", raw, c)
		}
	})
}

func FuzzHash(f *testing.F) {
	raw, _ := token.New()
	f.Add(raw)
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		if h, err := token.Hash(raw); err == nil && (len(raw) != 43 || len(h) != 64) {
			t.Errorf("%q: got %q, want a refusal", raw, h)
		}
	})
}

func FuzzOpen(f *testing.F) {
	r := ring(f, newSecret, oldSecret)
	good, err := r.Seal([]byte("x"), "here")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(".")
	// Another process's box opens too, so what is held is what comes out.
	f.Fuzz(func(t *testing.T, sealed string) {
		if plain, _, err := r.Open(sealed, "here"); err == nil && string(plain) != "x" {
			t.Errorf("%q opens to %q", sealed, plain)
		}
	})
}
