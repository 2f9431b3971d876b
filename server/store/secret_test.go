package store_test

import (
	"strings"
	"testing"

	"vitals/server/config"
	"vitals/server/store"
)

// A password with a special character that was not percent-encoded is refused, or
// nothing of it is in what the database driver says: two parsers that split a URL in
// two ways print a part of it as a host.
func TestPasswordsWithSpecialCharactersStaySecret(t *testing.T) {
	refused := 0
	for _, c := range "@/?#%:[]{}&=+,;!$'()*~ \"\\|^`<>äé\t" {
		for _, url := range []string{
			"postgres://u:p" + string(c) + "s3cr3tPW@127.0.0.1:1/db?sslmode=disable",
			"postgres://u:1" + string(c) + "s3cr3tPW@127.0.0.1:1/db?sslmode=disable",
			"postgres://u:s3cr3tPW" + string(c) + "@127.0.0.1:1/db?sslmode=disable",
			"postgres://u@127.0.0.1:1/db?sslmode=disable&password=p" + string(c) + "s3cr3tPW",
		} {
			cfg, warnings, err := config.Load(map[string]string{"ENV": "test", "DATABASE_URL": url, "DB_CONNECT_TIMEOUT": "1"})
			if err != nil {
				refused++
			} else if _, err = store.Open(t.Context(), cfg, nil, nil); err == nil {
				t.Fatalf("%q: a database answered on port 1", c)
			}
			if text := err.Error() + strings.Join(warnings, "\n"); strings.Contains(strings.ToLower(text), "s3cr3t") {
				t.Errorf("%q: the error holds the password: %s", c, text)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused, not even an @")
	}
	for _, encoded := range []string{"p%40s3cr3tPW", "p%2Fs3cr3tPW", "p%3As3cr3t%25", "p!s3cr3t"} {
		if _, _, err := config.Load(map[string]string{"ENV": "test", "DATABASE_URL": "postgres://u:" + encoded + "@db.internal:5432/db"}); err != nil {
			t.Errorf("%s: got %v, want it taken", encoded, err)
		}
	}
}
