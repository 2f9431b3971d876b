package scenarios

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"vitals/internal/strict"
)

//go:embed library/*.yaml library/parts/*.yaml
var library embed.FS

// set are the scenarios of a run without names, in their order.
var set = [...]string{"normal", "peak", "stress", "spike"}

// Names are the built-in scenarios that a run without names consists of, in
// their order. Open knows a few more: All.
func Names() []string { return slices.Clone(set[:]) }

// All are the built-in scenarios, sorted.
func All() []string { return stems("library/*.yaml") }

// parts are what a scenario may use.
func parts() []string { return stems("library/parts/*.yaml") }

func stems(pattern string) []string {
	files, _ := fs.Glob(library, pattern) // the pattern is well formed
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// Open reads a built-in scenario by its name, or a file by its path. A name that
// is neither is an *Error with the nearest right spelling.
func Open(name string) (*Scenario, error) {
	if strings.ContainsAny(name, `./\`) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
		defer f.Close()
		return Read(f, name)
	}
	text, err := library.ReadFile("library/" + name + ".yaml")
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf("no built-in scenario named %q", name), Hint: strict.Hint(name, All()) + "; a file is named with its ending, as in ./" + name + ".yaml"}
	}
	return read(bytes.NewReader(text), name+".yaml", func(file string) ([]byte, error) {
		return library.ReadFile(path.Join("library", file))
	})
}

// findPart finds a part by its built-in name, or as a file beside the scenario.
func (r *reader) findPart(name string) (file string, text []byte, err error) {
	if strings.ContainsAny(name, `./\`) {
		text, err = r.open(name)
		return r.beside(name), text, err
	}
	if text, err = library.ReadFile("library/parts/" + name + ".yaml"); err != nil {
		return "", nil, fmt.Errorf("no built-in part named %q", name)
	}
	return name + ".yaml", text, nil
}
