package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/exit"
)

// What init wrote is what validate takes, and nothing is overwritten unasked.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v")
	cli := func(args ...string) (code int, out, talk string) {
		var o, e bytes.Buffer
		code = run(t.Context(), args, streams{strings.NewReader(""), &o, &e})
		return code, o.String(), e.String()
	}
	spec := "../../internal/importer/testdata/shop-3.0.yaml"
	code, out, talk := cli("init", "--from", spec, "--dir", dir, "--url", "http://127.0.0.1:8080")
	if code != 0 || !strings.Contains(out, "OpenAPI 3.0.3") || !strings.Contains(out, "vitals run "+filepath.Join(dir, "scenario.yaml")+" --url http://127.0.0.1:8080 --profile ") {
		t.Fatalf("got %d\n%s%s", code, out, talk)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if code, out, talk = cli("validate", file("scenario.yaml"), "--profile", file("profile.yaml"), "--targets", file("targets.yaml")); code != 0 || strings.Contains(out, "another API") || !strings.Contains(out, "sent as it is written") {
		t.Errorf("validate: got %d\n%s%s", code, out, talk)
	}
	if err := os.WriteFile(file("accounts.csv"), []byte("email,password\na@example.com,secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, talk = cli("init", "--from", spec, "--dir", dir, "--yes"); code != exit.Usage || !strings.Contains(talk, "would be overwritten") {
		t.Errorf("got %d %q, want the files left alone", code, talk)
	}
	if text, err := os.ReadFile(file("accounts.csv")); err != nil || !strings.Contains(string(text), "secret") {
		t.Errorf("accounts.csv was overwritten: %q %v", text, err)
	}
	if code, _, _ = cli("init", "--from", spec, "--dir", dir, "--yes", "--overwrite"); code != 0 {
		t.Errorf("--overwrite: got %d, want 0", code)
	}
	for args, want := range map[string]string{
		"init":                             "want --from with an OpenAPI, HAR or Postman file, or --record",
		"init --from none.yaml":            "no such file",
		"init --from main.go":              "no OpenAPI (openapi: or swagger:), HAR (log) or Postman",
		"init --from ../../README.md":      "",
		"init --from " + spec + " --url x": "want http://",
	} {
		if code, _, talk := cli(strings.Fields(args)...); code != exit.Usage || !strings.Contains(talk, want) {
			t.Errorf("%s: got %d %q, want %q", args, code, talk, want)
		}
	}
}
