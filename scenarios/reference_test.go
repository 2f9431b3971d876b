package scenarios_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vitals/internal/golden"
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

// The guide lists the generators as the reader has them, and the reference uses each.
func TestGeneratorsAreExplained(t *testing.T) {
	reference, err := os.ReadFile("reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("\n| generator | makes |\n|---|---|\n")
	for _, g := range scenarios.Generators() {
		if p, err := scenarios.ReadPlaceholder(strings.Trim(g.Example, "{}")); err != nil || p.Word != g.Word {
			t.Errorf("%s: got %+v, %v", g.Example, p, err)
		}
		if !strings.Contains(string(reference), "{{"+g.Word) {
			t.Errorf("{{%s}} is not in reference.yaml", g.Word)
		}
		b.WriteString("| `" + strings.ReplaceAll(g.Example, "|", `\|`) + "` | " + g.About + " |\n")
	}
	b.WriteString("\n")
	golden.Section(t, b.String(), "../docs/scenarios.md", "generators")
}
