package config

import (
	"strings"
	"testing"
)

// FuzzLoad: no input panics, no error or warning repeats a value, and what is
// accepted prints as something that is accepted again.
func FuzzLoad(f *testing.F) {
	for _, v := range variables(&Config{}) {
		f.Add(v.name, v.def, true)
	}
	for _, s := range []string{"postgres://u:p@h/d?sslmode=require", "sqlite:x", "-1", "auto", "https://[::1]:8443", "10.0.0.0/8,::1", "dir:x", "\x00", "1e400", "9223372036854775807"} {
		f.Add("DATABASE_URL", s, false)
	}
	f.Fuzz(func(t *testing.T, name, value string, prod bool) {
		const canary = "Qz7canaryQz7"
		env := map[string]string{"ENV": "test"}
		if prod {
			env = production()
		}
		if strings.HasSuffix(name, "_FILE") {
			return // would read files by the fuzzer's choice
		}
		env[name] = value
		c, _, err := LoadOn(box, env)
		if err == nil {
			for _, l := range c.Describe() {
				if l.Name == name && !strings.HasPrefix(l.Value, "set(len=") && l.Value != "unset" && l.Value != "" {
					env[name] = l.Value
				}
			}
			if _, _, err := LoadOn(box, env); err != nil {
				t.Errorf("accepted %s, refused what it printed: %v", name, err)
			}
		}
		env[name] = value + canary
		_, warnings, err := LoadOn(box, env)
		if err != nil && strings.Contains(err.Error(), canary) && !strings.Contains(name, canary) {
			t.Errorf("the error repeats a value: %v", err)
		}
		if strings.Contains(strings.Join(warnings, "\n"), canary) && !strings.Contains(name, canary) {
			t.Errorf("a warning repeats a value: %v", warnings)
		}
	})
}
