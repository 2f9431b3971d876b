package token

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"strings"
)

// Seal encrypts what must be read back (a TOTP secret, a queued address) for
// storage, by AES-256-GCM with a random nonce: "kid.base64url". place is
// authenticated, not stored: what was sealed for one row opens in no other.
func (r *Keyring) Seal(plain []byte, place string) (string, error) {
	aead, err := gcm(r.sealing)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", place, err)
	}
	box := aead.Seal(nil, nil, plain, []byte(place))
	return r.sealing.id + "." + base64.RawURLEncoding.EncodeToString(box), nil
}

// Open is the reverse of Seal. stale means that the previous secret sealed it:
// seal it again before that secret is forgotten.
func (r *Keyring) Open(sealed, place string) (plain []byte, stale bool, err error) {
	id, body, _ := strings.Cut(sealed, ".")
	k, ok := r.opening[id]
	if !ok {
		return nil, false, fmt.Errorf("open %s: sealed by an unknown SECRET_KEY", place)
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, false, fmt.Errorf("open %s: not base64url", place)
	}
	aead, err := gcm(k)
	if err != nil {
		return nil, false, fmt.Errorf("open %s: %w", place, err)
	}
	plain, err = aead.Open(nil, nil, box, []byte(place))
	if err != nil {
		return nil, false, fmt.Errorf("open %s: %w", place, err)
	}
	return plain, id != r.sealing.id, nil
}

func gcm(k key) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.bytes)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
