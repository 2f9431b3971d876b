// Package factor is the second factor of a sign-in: time-based codes (RFC 6238)
// and the recovery codes for the day the telephone is gone. It matches codes;
// that each is accepted once is its caller's UPDATE.
package factor

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	period     = 30 // seconds per step, RFC 6238's and every app's default
	skew       = 1  // steps accepted on either side of now
	secretSize = 20 // bytes, as long as the HMAC-SHA-1 behind it (RFC 4226 4)
)

// Secret is a new TOTP secret: base32 for typing, and the otpauth:// URI that
// apps read from a QR code.
type Secret struct {
	Base32 string
	URI    string
}

// NewSecret makes a secret for the account that issuer's users see in their app.
func NewSecret(issuer, account string) (Secret, error) {
	raw := make([]byte, secretSize)
	_, _ = rand.Read(raw) // never fails; it ends the process instead
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: account, Secret: raw,
		Period: period, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return Secret{}, fmt.Errorf("make second factor: %w", err)
	}
	return Secret{Base32: key.Secret(), URI: key.URL()}, nil
}

// Code is the six digits of secret in a step.
func Code(secret string, step int64) (string, error) {
	code, err := hotp.GenerateCode(secret, uint64(step)) // steps count from 1970 and are positive
	if err != nil {
		return "", fmt.Errorf("compute code: %w", err)
	}
	return code, nil
}

// Step is the number of the 30-second step that t falls into.
func Step(t time.Time) int64 { return t.Unix() / period }

// Match finds the step, now's or one beside it, whose code was given; the
// latest if two had the same. It says nothing about replay: accept the step only
// where it is later than the last one accepted (ASVS 6.5.1).
func Match(secret, code string, now time.Time) (step int64, ok bool, err error) {
	for s := Step(now) - skew; s <= Step(now)+skew; s++ {
		want, err := Code(secret, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok, nil
}
