package token

import "github.com/golang-jwt/jwt/v5"

// SignClaims signs claims of any form with the right key.
func (r *Keyring) SignClaims(kind Kind, header map[string]any, payload string) string {
	k := r.signing[kind]
	t := &jwt.Token{Header: map[string]any{"alg": "HS256", "typ": kind.typ(), "kid": k.id}, Method: jwt.SigningMethodHS256}
	for name, value := range header {
		t.Header[name] = value
	}
	head, _ := t.SigningString()
	head = head[:len(head)-len(".bnVsbA")] // of no claims: null
	text := head + "." + t.EncodeSegment([]byte(payload))
	signature, err := t.Method.Sign(text, k.bytes)
	if err != nil {
		panic(err)
	}
	return text + "." + t.EncodeSegment(signature)
}
