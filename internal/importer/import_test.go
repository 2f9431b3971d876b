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

// What is no source is refused with what would be one; what is meant as one, and is broken, with
// where. No message has a name of this program.
func TestWhatIsNoSource(t *testing.T) {
	const none, schema = "import x: no OpenAPI (openapi: or swagger:), HAR (log) or Postman collection (info.schema) in it", `"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"`
	for text, want := range map[string]string{
		"":                   none,
		" \n":                none,
		"[]":                 none,
		"- a\n- b\n":         none,
		"7":                  none,
		`"x"`:                none,
		"null":               none,
		"a: b":               none,
		"a: 1\na: 2\n":       none,
		"a: 1\n---\nb: 2":    none,
		"{}":                 none,
		`{"info": "x"}`:      none,
		`{"log": null}`:      none,
		"log: {entries: []}": none,
		`{"openapi": {}}`:    none,
		"openapi: [a]":       none,
		"import http from 'k6/http';\nexport default function () { http.get('http://127.0.0.1/'); }\n": none,
		"curl -s http://127.0.0.1/x -H 'A: b'\n":                                                       none,
		"const spec = {\n  openapi: '3.0.0',\n};\nfoo(bar) {\n":                                        none,
		"<!DOCTYPE html>\n<title>a: b</title>\n<body>x</body>\n":                                       none,
		"import os\ndef f(x):\n    return {'openapi': 1}\n":                                            none,
		"id,name\n1,a\n":     none,
		"id;name\n\"1\";a\n": none,
		"all:\n\tgo build\n": none,
		"PK\x03\x04\x00\xff": none,
		"openapi: 3.0.0\ninfo: {title: x\npaths:\n  /x: {}\n": "at L2.C7",
		"openapi: 3.0.0\nopenapi: 3.1.0\n":                    "line 2",
		`{"log": {"entries": [`:                               "neither JSON nor YAML with fields",
		`{"log": {}}`:                                         "no request to an API",
		"\ufeff" + `{"log": {}}`:                              "no request to an API",
		`{"log": 7}`:                                          "import x: not HAR: log may not be a JSON number",
		`{"log": {"entries": {}}}`:                            "not HAR: log.entries may not be a JSON object",
		`{"log": {"entries": [{"time": "x"}]}}`:               "not HAR: log.entries.time may not be a JSON string",
		`{"openapi": "3.0.0"}`:                                "import x: ",
		`{"swagger": "1.2"}`:                                  "import x: ",
		"openapi: 3.0.0\npaths: {}":                           "no operation",
		`{"info": {"schema": ` + schema + `}}`:                "no request",
		`{"info": {"schema": ` + schema + `}, "item": 7}`:     "not a Postman collection: item may not be a JSON number",
	} {
		f, err := importer.Import([]byte(text), importer.Options{File: "x"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "struct {") || strings.Contains(err.Error(), "Go ") {
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
