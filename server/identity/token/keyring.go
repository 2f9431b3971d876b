// Package token makes and reads what a client holds as proof of who it is:
// signed short-lived tokens (JWT, RFC 9068), opaque long-lived ones of which
// only a hash is stored, and the keys behind both, all derived from one secret.
// It knows no user and no storage.
package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// MinSecret is the shortest SECRET_KEY accepted, in bytes.
const MinSecret = 32

// Keyring holds the keys derived from the current secret, which sign and seal,
// and those of the previous one, which only verify and open, so that a rotation
// signs nobody out. Every purpose has a key of its own.
type Keyring struct {
	signing  map[Kind]key            // current
	verify   map[Kind]map[string]key // by kid: one or two entries
	sealing  key                     // current
	opening  map[string]key          // by kid
	accounts []byte                  // HMAC key of Account
	names    []byte                  // HMAC key of Pseudonym
}

// key is derived material and the public name it is looked up by: the first 8
// bytes of its SHA-256, in hex, so a kid is never a path, a URL or a query.
type key struct {
	id    string
	bytes []byte
}

// NewKeyring derives all keys by HKDF-SHA256 (RFC 5869). previous may be
// empty.
func NewKeyring(current, previous string) (*Keyring, error) {
	if len(current) < MinSecret {
		return nil, fmt.Errorf("derive token keys: SECRET_KEY needs at least %d bytes", MinSecret)
	}
	if previous != "" && len(previous) < MinSecret {
		return nil, fmt.Errorf("derive token keys: SECRET_KEY_PREVIOUS needs at least %d bytes", MinSecret)
	}
	if previous == current {
		return nil, errors.New("derive token keys: SECRET_KEY_PREVIOUS equals SECRET_KEY")
	}
	r := &Keyring{
		signing: map[Kind]key{},
		verify:  map[Kind]map[string]key{Access: {}, Challenge: {}},
		opening: map[string]key{},
	}
	// The current secret comes last, so that what is not a map ends up with it.
	for _, secret := range []string{previous, current} {
		if secret == "" {
			continue
		}
		if err := r.derive(secret); err != nil {
			return nil, fmt.Errorf("derive token keys: %w", err)
		}
	}
	return r, nil
}

func (r *Keyring) derive(secret string) error {
	for _, kind := range []Kind{Access, Challenge} {
		k, err := derive(secret, "jwt "+string(kind))
		if err != nil {
			return err
		}
		r.signing[kind] = k
		r.verify[kind][k.id] = k
	}
	seal, err := derive(secret, "seal")
	if err != nil {
		return err
	}
	accounts, err := derive(secret, "account")
	if err != nil {
		return err
	}
	names, err := derive(secret, "pseudonym")
	if err != nil {
		return err
	}
	r.sealing, r.opening[seal.id] = seal, seal
	r.accounts, r.names = accounts.bytes, names.bytes
	return nil
}

func derive(secret string, label string) (key, error) {
	b, err := hkdf.Key(sha256.New, []byte(secret), nil, "vitals identity v1 "+label, 32)
	if err != nil {
		return key{}, err
	}
	sum := sha256.Sum256(b)
	return key{id: hex.EncodeToString(sum[:8]), bytes: b}, nil
}

// Account is the key under which failures against an email are counted, whether
// or not a user has it: HMAC-SHA256 in hex. email is expected
// normalised.
func (r *Keyring) Account(email string) string { return mac(r.accounts, email) }

// Pseudonym is what logs say instead of an email: 12 hex digits of an HMAC,
// enough to follow one account through a log.
func (r *Keyring) Pseudonym(email string) string { return mac(r.names, email)[:12] }

func mac(k []byte, s string) string {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}
