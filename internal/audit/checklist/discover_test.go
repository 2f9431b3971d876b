package checklist

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit/audittest"
	"vitals/internal/harness"
)

// The limit of an API that documents none is found out and printed, for the profile and
// for the document.
func TestDiscover(t *testing.T) {
	api := audittest.New("")
	g := api.Serve(t)
	dir := t.TempDir()
	words, err := os.ReadFile("../audittest/thirdparty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var accounts bytes.Buffer
	w := csv.NewWriter(&accounts)
	_ = w.WriteAll([][]string{{"email", "password"}, {g.Accounts[1].Email, g.Accounts[1].Password}}) // into memory
	o := Options{
		URL: g.URL.String(), Own: []string{"127.0.0.1"}, Discover: true, Patience: time.Minute, Out: filepath.Join(dir, "out"),
		Profile:  write("api.yaml", strings.NewReplacer("REFUSED", "429", "WRONG", "401").Replace(string(words))),
		Accounts: write("accounts.csv", accounts.String()),
	}
	var out, talk bytes.Buffer
	if err := Run(t.Context(), o, harness.Streams{Out: &out, Err: &talk}); err != nil {
		t.Errorf("%v\n%s%s", err, out.String(), talk.String())
	}
	for _, want := range []string{"login: {limit: 5, window: ", "lock: 4s, counts: failures, by: address, headers: x-ratelimit}", "After 5 failed sign-ins from one client address", "further ones are refused with 429 for 4 seconds; Retry-After tells how long to wait."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
}
