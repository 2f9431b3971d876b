package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CF4: X_FILE alone works, both refuse, unreadable refuses without its path.
func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for what, tt := range map[string]struct {
		path string
		with string
		ok   bool
	}{
		"alone":              {path: file("plain", goodKey), ok: true},
		"one line end":       {path: file("lf", goodKey+"\n"), ok: true},
		"dos line end":       {path: file("crlf", goodKey+"\r\n"), ok: true},
		"with empty value":   {path: file("again", goodKey), with: "SECRET_KEY=", ok: true},
		"both":               {path: file("both", goodKey), with: "SECRET_KEY=" + goodKey},
		"two line ends":      {path: file("two", goodKey+"\n\n")},
		"empty":              {path: file("empty", "\n")},
		"missing":            {path: filepath.Join(dir, "missing")},
		"folder":             {path: dir},
		"device":             {path: "/dev/zero"},
		"huge":               {path: file("huge", strings.Repeat(goodKey, 4096))},
		"placeholder inside": {path: file("sample", sampleKeys[0])},
	} {
		t.Run(what, func(t *testing.T) {
			env := production("SECRET_KEY", "SECRET_KEY_FILE="+tt.path)
			if tt.with != "" {
				env = environment(env, tt.with)
			}
			c, _, err := LoadOn(box, env)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v, want accepted %v", err, tt.ok)
			}
			if err != nil {
				if strings.Contains(err.Error(), tt.path) || strings.Contains(err.Error(), goodKey) {
					t.Errorf("the error repeats a value: %v", err)
				}
				return
			}
			if got := c.Core.SecretKey.Reveal(); got != goodKey {
				t.Errorf("got %d bytes, want the key without its line end", len(got))
			}
			if l := line(c, "SECRET_KEY"); l != (Line{"SECRET_KEY", "set(len=32)", "file"}) {
				t.Errorf("got %+v, want it redacted, from a file", l)
			}
		})
	}
}

func line(c *Config, name string) Line {
	for _, l := range c.Describe() {
		if l.Name == name {
			return l
		}
	}
	return Line{}
}
