package scenarios_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vitals/scenarios"
)

// reference.yaml is read as it stands, and no field is missing from it.
func TestReference(t *testing.T) {
	if _, err := scenarios.Open("./reference.yaml"); err != nil {
		t.Fatal(err)
	}
	reference, err := os.ReadFile("reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	field := regexp.MustCompile(`"([a-z_]+)"\]?(?::| =)\s+(?:func\(n \*yaml\.Node\)|r\.use)`)
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range field.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	if len(names) < 40 {
		t.Fatalf("found only the fields %q in the reader", names)
	}
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `:`).Match(reference) {
			t.Errorf("field %q is not in reference.yaml", name)
		}
	}
}
