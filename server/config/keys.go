package config

import (
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
)

const (
	keyMinBytes    = 32
	keyMinDistinct = 12
)

// keyStrength is the form of a signing key; a length rule alone is met by the
// published guide's own sample, see placeholderKey.
func keyStrength(s string) error {
	if len(s) < keyMinBytes {
		return errors.New("must be at least 32 bytes; make one with: openssl rand -base64 32")
	}
	distinct := map[rune]bool{}
	for _, r := range s {
		distinct[r] = true
	}
	if len(distinct) < keyMinDistinct {
		return errors.New("must have at least 12 distinct characters; make one with: openssl rand -base64 32")
	}
	return nil
}

// sampleKeys are keys that the world can read: the production guide's long one (43 characters that pass
// every rule of form) and the one of FastAPI's tutorial, in thousands of .env
// files. Its short one, and the summary's origin, are caught by placeholderWords.
var sampleKeys = []string{
	"6HK2DZj8qL4xPRvYnM9aS7cWfT3gJbE0uNhXiYlOpQw",
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
}

var placeholderWords = regexp.MustCompile(`(?i)change.?me|change.?this|example|your-|secret|password|placeholder|<.*>`)

func placeholderKey(s string) bool {
	return slices.Contains(sampleKeys, s) || placeholderWords.MatchString(s)
}

// ephemeralKey is for development and test only: sessions end with the process.
func ephemeralKey() Secret { return Secret(rand.Text() + rand.Text()) }

// sampleDSNs are the Sentry addresses that the production guide prints.
var sampleDSNs = regexp.MustCompile(`^https://(key|abc123)@sentry\.io/`)
