package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

const opaqueBytes = 32

// New makes an opaque token of 256 random bits, 43 characters of base64url, and
// the hash under which it is stored. A fast hash is enough for a value that
// nobody can guess (ASVS 6.5.2).
func New() (raw, hash string) {
	var b [opaqueBytes]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the process instead
	raw = base64.RawURLEncoding.EncodeToString(b[:])
	return raw, digest(raw)
}

// Hash is what a token from a client is looked up by. It refuses with
// ErrInvalid anything that New cannot have made, before the database is asked.
func Hash(raw string) (string, error) {
	if len(raw) != base64.RawURLEncoding.EncodedLen(opaqueBytes) {
		return "", ErrInvalid
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(raw); err != nil {
		return "", ErrInvalid
	}
	return digest(raw), nil
}

func digest(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	return hex.EncodeToString(sum[:])
}
