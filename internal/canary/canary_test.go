package canary_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/canary"
)

const secret = `canary-"7Jq&<é>+/pass`

func TestFindsEveryForm(t *testing.T) {
	quoted, _ := json.Marshal(map[string]string{"password": secret})
	basic := func(prefix string) string { return base64.StdEncoding.EncodeToString([]byte(prefix + secret + "tail")) }
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("log: " + secret))
	_ = z.Close()
	for name, text := range map[string]string{
		"plain": "x" + secret + "y", "JSON": string(quoted), "hex": hex.EncodeToString([]byte(secret)),
		"query": "https://api/?p=" + url.QueryEscape(secret), "path": "/" + url.PathEscape(secret),
		"basic 0": basic("abc"), "basic 1": basic("ab:d"), "basic 2": basic("ab:de"),
		"base64url": base64.URLEncoding.EncodeToString([]byte(secret)), "gzip": zipped.String(),
	} {
		hits, err := canary.Bytes(name, []byte(text), "not in there", secret)
		if err != nil || len(hits) == 0 {
			t.Errorf("%s: got %v, %v, want a hit", name, hits, err)
		}
		for _, h := range hits {
			if h.Secret != 1 || strings.Contains(h.String(), secret) {
				t.Errorf("%s: got %v, want the second secret by its place", name, h)
			}
		}
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"out/clean.json": "{}", "out/log": "user signed in with " + secret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hits, err := canary.Dir(dir, secret)
	if err != nil || len(hits) != 1 || !strings.HasSuffix(hits[0].File, "log") || hits[0].Offset != 20 {
		t.Errorf("got %v, %v, want the one in out/log", hits, err)
	}
	if _, err := canary.Dir(dir, "short"); err == nil {
		t.Error("got no error for a secret found by chance")
	}
	if _, err := canary.Dir(filepath.Join(dir, "none"), secret); err == nil {
		t.Error("got no error for a folder that is not there: nothing was searched")
	}
}
