package importer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/golden"
	"vitals/internal/importer"
)

// Whatever is made of a source can be read: of every version, and of every style
// that people write. Each has its files, so that a change of what is guessed is seen.
func TestCorpus(t *testing.T) {
	sources, err := filepath.Glob("testdata/*.*")
	if err != nil || len(sources) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, file := range sources {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := importer.Import(text, importer.Options{File: "api/" + name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := f.Profile + "\n---- scenario.yaml\n" + f.Scenario + "\n---- said\n" + strings.Join(f.Said, "\n") + "\n"
		golden.Check(t, []byte(got), "golden/"+name+".txt")
	}
}

// What a capture or a collection holds of secrets stands in no file.
func TestSecretsAreNotCopied(t *testing.T) {
	for file, secrets := range map[string][]string{
		"shop.har":          {"correct horse", "eyJhbGci", "hunter2cookie", "sk_live", "rt-123456789", "csrf-9f8e", "ann@example.com"},
		"shop.postman.json": {"S3cr3t", "sk_live", "tok-secret", "abcdefgh12345"},
	} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := importer.Import(text, importer.Options{File: file})
		if err != nil {
			t.Fatal(err)
		}
		all := f.Profile + f.Scenario + f.Targets + f.Accounts + strings.Join(f.Said, "\n")
		for _, s := range secrets {
			if !strings.Contains(string(text), s) {
				t.Errorf("%s: %q is not in it, so this shows nothing", file, s)
			}
			if strings.Contains(all, s) {
				t.Errorf("%s: %q was copied", file, s)
			}
		}
		if !strings.Contains(strings.Join(f.Said, "\n"), "secrets") {
			t.Errorf("%s: got %q, want it said that secrets were left out", file, f.Said)
		}
	}
}

func TestWhatIsNoSource(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "neither JSON nor YAML",
		"[]":                        "neither JSON nor YAML",
		"a: b":                      "no OpenAPI",
		"{}":                        "no OpenAPI",
		`{"log": {}}`:               "no request to an API",
		`{"log": 7}`:                "not HAR",
		`{"openapi": "3.0.0"}`:      "import x.yaml",
		`{"swagger": "1.2"}`:        "import x.yaml",
		"openapi: 3.0.0\npaths: {}": "no operation",
		`{"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}`: "no request",
	} {
		if f, err := importer.Import([]byte(text), importer.Options{File: "x.yaml"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v and %v, want %q", text, f, err, want)
		}
	}
}

// Whatever the source is, what is made of it can be read, or it is refused.
func FuzzImport(f *testing.F) {
	sources, _ := filepath.Glob("testdata/*.*") // the pattern is well formed
	for _, file := range sources {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := importer.Import(text, importer.Options{File: "f"}); err != nil && strings.Contains(err.Error(), "fault of vitals init") {
			t.Fatal(err)
		}
	})
}
