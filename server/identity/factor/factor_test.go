package factor_test

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"vitals/server/identity/factor"
)

// published is the secret of RFC 6238 appendix B.
var published = base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))

// RFC 6238 appendix B, SHA-1, the last six of its eight digits.
func TestPublishedCodes(t *testing.T) {
	for unix, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		at := time.Unix(unix, 0)
		if got, err := factor.Code(published, factor.Step(at)); got != want || err != nil {
			t.Errorf("%d: got %s, %v, want %s", unix, got, err, want)
		}
		if step, ok, err := factor.Match(published, want, at); step != unix/30 || !ok || err != nil {
			t.Errorf("%d: match: got step %d, %v, %v, want %d", unix, step, ok, err, unix/30)
		}
	}
}

func TestMatchTakesOneStepOnEitherSide(t *testing.T) {
	at := time.Unix(1234567890, 0)
	now := factor.Step(at)
	for offset, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code, err := factor.Code(published, now+offset)
		if err != nil {
			t.Fatal(err)
		}
		step, ok, err := factor.Match(published, code, at)
		if ok != want || err != nil || ok && step != now+offset {
			t.Errorf("step %+d: got %v (step %d), %v, want %v", offset, ok, step, err, want)
		}
	}
	if _, _, err := factor.Match("not base32!", "123456", at); err == nil {
		t.Error("a broken secret matches without an error")
	}
}

func TestNewSecret(t *testing.T) {
	s, err := factor.NewSecret("Clinic", "a@b.c")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s.Base32); len(raw) != 20 || err != nil {
		t.Errorf("secret: got %d bytes, %v, want 20", len(raw), err)
	}
	if !strings.HasPrefix(s.URI, "otpauth://totp/Clinic:a@b.c?") || !strings.Contains(s.URI, s.Base32) {
		t.Errorf("uri: got %s", s.URI)
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes, hashes := factor.NewRecoveryCodes()
	if len(codes) != factor.RecoveryCodes || len(hashes) != len(codes) {
		t.Fatalf("got %d codes, %d hashes, want %d", len(codes), len(hashes), factor.RecoveryCodes)
	}
	seen := map[string]bool{}
	for i, code := range codes {
		if seen[code] {
			t.Errorf("%s comes twice", code)
		}
		seen[code] = true
		spoken := strings.ToLower(strings.ReplaceAll(code, "-", " "))
		if got := factor.HashRecoveryCode(spoken); got != hashes[i] {
			t.Errorf("%s as read aloud: got another hash", code)
		}
	}
}
