package redact_test

import (
	"slices"
	"testing"

	"vitals/internal/redact"
)

func TestCookies(t *testing.T) {
	got := append(redact.Cookies(`a="quoted-1"; lang=en; b==base64==;bare-value; c=`), redact.SetCookies([]string{"d=value-4; Path=/longer; HttpOnly", "e=", ""})...)
	if want := []string{"quoted-1", "=base64==", "bare-value", "value-4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is percent-encoded itself is found decoded, unless that is too short.
func TestEncodedSecrets(t *testing.T) {
	for _, c := range [][3]string{
		{"s%3Aab%2Bc.%C3%BC", "x s:ab+c.ü y s%3Aab%2Bc.%C3%BC z s%253Aab%252Bc.%25C3%25BC s%3aab%2bc.%c3%bc", "x [redacted] y [redacted] z [redacted] [redacted]"},
		{"%61b%63d", "abcd", "abcd"}, {"50%", "at 50%25", "at [redacted]"},
	} {
		if got := redact.New(c[0]).Hide(c[1]); got != c[2] {
			t.Errorf("%s: got %q, want %q", c[0], got, c[2])
		}
		if !redact.May([]byte(c[1]), []byte(c[0])) && c[1] != c[2] {
			t.Errorf("%s: may not be in %q", c[0], c[1])
		}
	}
}
