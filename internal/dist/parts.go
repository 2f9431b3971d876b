package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// part is a module in a program, or Go's own library.
type part struct {
	path, version, sum string
	dir                string // where its source and licence are on this machine
}

// standard is the name of Go's own library, as vulnerability databases have it.
const standard = "stdlib"

// partsOf are the modules that a program says it was built from.
func partsOf(info *debug.BuildInfo) []part {
	out := []part{{path: standard, version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, part{path: m.Path, version: m.Version, sum: m.Sum})
	}
	return out
}

func distinct(ps []part) []part {
	slices.SortFunc(ps, func(a, b part) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.version, b.version)) })
	return slices.Compact(ps)
}

// locate finds the source of every part in the module cache.
func locate(ps []part) error {
	for i, p := range ps {
		args := []string{"list", "-m", "-f", "{{.Dir}}", p.path}
		if p.path == standard {
			args = []string{"env", "GOROOT"}
		}
		out, err := exec.Command("go", args...).Output()
		if ps[i].dir = strings.TrimSpace(string(out)); err != nil || ps[i].dir == "" {
			return errors.Join(fmt.Errorf("%s is not in the module cache: go mod download", p.path), err)
		}
	}
	return nil
}

// sbom writes the parts as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/).
func sbom(w io.Writer, version string, ps []part) error {
	type property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	whole := component{Type: "application", Ref: "vitals", Name: "vitals", Version: version, PURL: "pkg:generic/vitals@" + version}
	components := make([]component, len(ps))
	for i, p := range ps {
		purl := "pkg:golang/" + p.path + "@" + p.version
		components[i] = component{Type: "library", Ref: purl, Name: p.path, Version: p.version, PURL: purl}
		if p.sum != "" {
			components[i].Properties = []property{{"go.sum", p.sum}}
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(struct {
		Format     string         `json:"bomFormat"`
		Spec       string         `json:"specVersion"`
		Version    int            `json:"version"`
		Metadata   map[string]any `json:"metadata"`
		Components []component    `json:"components"`
	}{"CycloneDX", "1.5", 1, map[string]any{"component": whole}, components})
}

// licenceFile is how files with a licence, or what it asks to be passed on, are named.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences writes the licence texts of all parts. A part without one is an error:
// nobody could say under which terms it is passed on.
func licences(w io.Writer, ps []part) error {
	var bare []string
	for _, p := range ps {
		entries, err := os.ReadDir(p.dir)
		if err != nil {
			return fmt.Errorf("read the licence of %s: %w", p.path, err)
		}
		found := false
		for _, e := range entries {
			if e.IsDir() || !licenceFile.MatchString(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(p.dir, e.Name()))
			if err != nil {
				return fmt.Errorf("read the licence of %s: %w", p.path, err)
			}
			found = true
			if _, err := fmt.Fprintf(w, "==== %s %s: %s\n\n%s\n\n", p.path, p.version, e.Name(), strings.TrimSpace(string(text))); err != nil {
				return err
			}
		}
		if !found {
			bare = append(bare, p.path)
		}
	}
	if bare != nil {
		return fmt.Errorf("no licence in %s", strings.Join(bare, ", "))
	}
	return nil
}
