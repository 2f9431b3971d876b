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
