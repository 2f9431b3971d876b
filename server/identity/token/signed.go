package token

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Kind is what a signed token is for. Kinds differ in key, audience and typ, so
// that one can never stand in for another (ASVS 9.2.2, 9.2.3).
type Kind string

// The kinds: Access opens the API; Challenge says that a password was right and
// a second factor is due, and opens nothing else.
const (
	Access    Kind = "access"
	Challenge Kind = "challenge"
)

const (
	issuer    = "vitals"
	leeway    = 30 * time.Second // clocks of replicas differ
	maxLength = 2048             // ours have about 400 bytes
)

// ErrInvalid is every reason to refuse a token: a client learns nothing from
// which it was.
var ErrInvalid = errors.New("invalid token")

// Claims is what a token says. SessionID is empty in a challenge, whose ID
// names its row.
type Claims struct {
	UserID    int64
	SessionID string
	Version   int64  // users.session_version
	ID        string // jti
}

// wire is the token's payload (RFC 7519, RFC 9068; sv and sid are ours).
type wire struct {
	jwt.RegisteredClaims
	Version   int64  `json:"sv"`
	SessionID string `json:"sid,omitempty"`
}

func (k Kind) typ() string {
	if k == Access {
		return "at+jwt"
	}
	return string(k) + "+jwt"
}

func (k Kind) audience() string { return "vitals-" + string(k) }

// Sign makes a token of the kind that holds from now for ttl.
func (r *Keyring) Sign(kind Kind, c Claims, now time.Time, ttl time.Duration) (string, error) {
	k, ok := r.signing[kind]
	if !ok {
		return "", fmt.Errorf("sign token: unknown kind %q", kind)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, wire{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{kind.audience()},
			Subject:   strconv.FormatInt(c.UserID, 10),
			ID:        c.ID,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Version:   c.Version,
		SessionID: c.SessionID,
	})
	t.Header["typ"], t.Header["kid"] = kind.typ(), k.id
	signed, err := t.SignedString(k.bytes)
	if err != nil {
		return "", fmt.Errorf("sign %s token: %w", kind, err)
	}
	return signed, nil
}

// Parse checks a token of the kind: HS256 by one of our two keys, typ, issuer,
// audience, times with 30 s of leeway, and every field as Sign writes it. Every
// error is ErrInvalid.
func (r *Keyring) Parse(kind Kind, raw string, now time.Time) (Claims, error) {
	if len(raw) > maxLength || !strict(raw) {
		return Claims{}, ErrInvalid
	}
	var w wire
	_, err := jwt.ParseWithClaims(raw, &w, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != kind.typ() {
			return nil, ErrInvalid
		}
		if _, critical := t.Header["crit"]; critical { // RFC 7515 4.1.11: not understood
			return nil, ErrInvalid
		}
		id, _ := t.Header["kid"].(string)
		k, ok := r.verify[kind][id]
		if !ok {
			return nil, ErrInvalid
		}
		return k.bytes, nil
	},
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(kind.audience()),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding())
	if err != nil {
		return Claims{}, ErrInvalid
	}
	user, err := strconv.ParseInt(w.Subject, 10, 64)
	if err != nil || user <= 0 || w.ID == "" {
		return Claims{}, ErrInvalid
	}
	return Claims{UserID: user, SessionID: w.SessionID, Version: w.Version, ID: w.ID}, nil
}
