package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// RecoveryCodes is how many a user gets at a time.
const RecoveryCodes = 10

const group = 5 // characters between hyphens, for reading aloud

// NewRecoveryCodes makes codes of at least 128 random bits each, base32 in
// groups, and the hashes they are stored as. A fast hash is enough for that many
// bits (ASVS 6.5.2).
func NewRecoveryCodes() (codes, hashes []string) {
	for range RecoveryCodes {
		text := rand.Text()
		var b strings.Builder
		for i, c := range text {
			if i > 0 && i%group == 0 {
				b.WriteByte('-')
			}
			b.WriteRune(c)
		}
		codes, hashes = append(codes, b.String()), append(hashes, HashRecoveryCode(b.String()))
	}
	return codes, hashes
}

// HashRecoveryCode is what a code from a client is looked up by; case, hyphens
// and spaces are for people and do not count.
func HashRecoveryCode(code string) string {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}
