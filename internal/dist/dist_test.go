package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// parts of this very test program: real modules, found in the real cache.
func own(t *testing.T) []part {
	t.Helper()
	ps := distinct(append(partsOf(&debug.BuildInfo{GoVersion: "go1.26.0", Deps: []*debug.Module{
		{Path: "github.com/spf13/cobra", Version: "v1.10.2", Sum: "h1:x"}, {Path: "go.yaml.in/yaml/v4", Version: "v4.0.0"},
		{Path: "example.org/old", Version: "v1", Replace: &debug.Module{Path: "github.com/google/uuid", Version: "v1.6.0"}},
	}}), part{path: "go.yaml.in/yaml/v4", version: "v4.0.0"}))
	if err := locate(ps); err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestSBOM(t *testing.T) {
	var b bytes.Buffer
	if err := sbom(&b, "v0.1.0", own(t)); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		BomFormat, SpecVersion string
		Components             []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range doc.Components {
		got = append(got, c.PURL)
	}
	want := "pkg:golang/github.com/google/uuid@v1.6.0 pkg:golang/github.com/spf13/cobra@v1.10.2 pkg:golang/go.yaml.in/yaml/v4@v4.0.0 pkg:golang/stdlib@1.26.0"
	if strings.Join(got, " ") != want || doc.BomFormat != "CycloneDX" || doc.SpecVersion != "1.5" {
		t.Errorf("got %s %s with %s, want %s", doc.BomFormat, doc.SpecVersion, got, want)
	}
}

func TestLicences(t *testing.T) {
	var b bytes.Buffer
	if err := licences(&b, own(t)); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"==== github.com/spf13/cobra v1.10.2: LICENSE.txt", "Apache License", "==== stdlib 1.26.0: LICENSE", "==== go.yaml.in/yaml/v4 v4.0.0: NOTICE"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("no %q in the licences", words)
		}
	}
	err := licences(&b, []part{{path: "example.org/bare", dir: t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "no licence in example.org/bare") {
		t.Errorf("a module without a licence: got %v, want an error that names it", err)
	}
}

func TestChecksums(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := checksums(&b, dir, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"; b.String() != want { // FIPS 180-2's example
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
