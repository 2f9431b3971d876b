package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The version constant, the newest section of the changelog and the Makefile name
// one release.
func TestOneRelease(t *testing.T) {
	for file, pattern := range map[string]string{"CHANGELOG.md": `(?m)^## (\d+\.\d+\.\d+)`, "Makefile": `(?m)^VERSION \?= (\d+\.\d+\.\d+)`} {
		b, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(pattern).FindSubmatch(b); m == nil || string(m[1]) != release {
			t.Errorf("%s: got %q, want %s", file, m, release)
		}
	}
}
