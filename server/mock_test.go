package server

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A test that replaces the authorisation function and then asserts the
// replacement's 403 proves nothing. Here nothing that is a control has a mock: the
// tests go over HTTP to the real thing, on every engine there is.
func TestNoControlIsTestedAgainstAMockOfItself(t *testing.T) {
	double := regexp.MustCompile(`(?i)type \w*(mock|stub)\w* |gomock|testify/mock`)
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || path == "mock_test.go" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if found := double.Find(text); found != nil {
			t.Errorf("%s has %q: a control is tested against a double of something", path, found)
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Errorf("looked at %d files, %v, want all of the API's tests", files, err)
	}
}
