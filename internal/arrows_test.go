// Package internal_test holds the layout of the whole repository: what lies at its
// top, and which package may import which.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows is the one list of who imports whom, by folders: a package is of the
// longest folder here that holds it, and may import what lies in its own. Nothing
// points up. A new arrow is written here, or not drawn.
var arrows = map[string]string{
	// What knows nothing of the rest.
	"internal/atomicfile": "", "internal/canary": "", "internal/exit": "", "internal/golden": "", "internal/limitcheck": "", "internal/machine": "", "internal/schema": "",
	"internal/measure": "", "internal/redact": "", "internal/routes": "", "internal/strict": "", "internal/testsum": "", "internal/load/null": "",

	// What is asked, and what is measured.
	"targets":             "internal/measure internal/strict",
	"scenarios":           "internal/measure internal/strict targets",
	"internal/profile":    "internal/limitcheck internal/routes internal/strict scenarios targets",
	"internal/observe":    "internal/measure internal/routes",
	"internal/importer":   "internal/atomicfile internal/profile internal/schema internal/strict scenarios targets",
	"internal/targetfile": "internal/strict scenarios",

	// What sends requests.
	"internal/wire":      "internal/limitcheck internal/measure",
	"internal/load":      "internal/measure internal/redact internal/wire scenarios",
	"internal/intruders": "internal/limitcheck internal/measure internal/profile internal/redact internal/wire scenarios targets",
	"internal/audit":     "internal/limitcheck internal/profile internal/redact internal/strict internal/wire",
	"internal/peers":     "internal/load internal/measure scenarios",
	"internal/discover":  "internal/limitcheck internal/profile",

	// What it is sent to. server/config describes the reference API's settings.
	"internal/stack":         "internal/observe server/config server/fault",
	"internal/stack/audited": "internal/audit internal/profile internal/stack",
	"internal/faults":        "internal/measure internal/stack internal/strict scenarios targets",

	// What becomes of it.
	"internal/baseline":                 "internal/atomicfile internal/exit internal/measure",
	"internal/baseline/gate":            "internal/baseline internal/exit internal/strict report",
	"internal/fleet":                    "scenarios targets",
	"internal/fleet/kubernetes/cluster": "internal/exit internal/fleet internal/harness",
	"report":                            "internal/atomicfile internal/audit internal/baseline internal/capacity internal/fleet internal/limitcheck internal/measure internal/observe internal/profile internal/strict targets",

	// What a run shows of itself while it lasts.
	"internal/export": "internal/wire report",

	// One run, and what is made of several.
	"internal/harness": "internal/atomicfile internal/baseline internal/exit internal/export internal/faults internal/fleet internal/intruders internal/limitcheck internal/load internal/machine internal/measure " +
		"internal/observe internal/profile internal/stack internal/strict internal/targetfile internal/wire report scenarios targets",
	"internal/audit/checklist": "internal/audit internal/discover internal/exit internal/harness internal/machine internal/measure internal/profile internal/stack internal/strict report targets",
	"internal/capacity":        "",
	"internal/capacity/steps":  "internal/atomicfile internal/baseline internal/capacity internal/exit internal/harness internal/measure internal/stack targets",
	"internal/duet":            "internal/atomicfile internal/baseline",
	"internal/duet/slots":      "internal/baseline internal/duet internal/exit internal/harness internal/stack report",

	// The reference API knows nothing of the harness; only its tests start databases.
	"server":                 "internal/atomicfile internal/exit",
	"server/store/storetest": "internal/stack server",

	// What looks at the machine, and what makes a release.
	"internal/doctor": "internal/exit internal/fleet internal/stack",
	"internal/dist":   "",

	"cmd": "internal report scenarios server targets",
}

// modules are those of others that one place alone may import.
var modules = map[string]string{
	"github.com/google/pprof":                 "internal/observe",
	"github.com/tsenart/vegeta":               "internal/load internal/targetfile report",
	"github.com/spf13/cobra":                  "cmd",
	"github.com/testcontainers":               "internal/stack/containers",
	"github.com/olekukonko/tablewriter":       "internal/load report",
	"github.com/danielgtaylor/huma":           "server",
	"github.com/go-chi/chi":                   "server",
	"github.com/jackc/pgx":                    "internal/stack server",
	"github.com/HdrHistogram/hdrhistogram-go": "internal/measure report",
}

// Every import of every package is in the list.
func TestArrows(t *testing.T) {
	drawn := map[string]bool{}
	for dir, imports := range packages(t) {
		from := owner(dir)
		if from == "" {
			t.Errorf("%s is in no folder of the list: say there what it may import", dir)
			continue
		}
		drawn[from] = true
		for _, imported := range imports {
			if to, ok := strings.CutPrefix(imported, "vitals/"); ok {
				if !under(to, from) && !slices.ContainsFunc(strings.Fields(arrows[from]), func(may string) bool { return under(to, may) }) {
					t.Errorf("%s imports %s, which is no arrow of %s", dir, to, from)
				}
				continue
			}
			for module, places := range modules {
				if under(imported, module) && !slices.ContainsFunc(strings.Fields(places), func(may string) bool { return under(dir, may) }) {
					t.Errorf("%s imports %s, which only %s may", dir, imported, places)
				}
			}
		}
	}
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		if !drawn[from] {
			t.Errorf("%s is in the list and has no package", from)
		}
	}
}

// A newcomer finds any part from the names at the top.
func TestTopLevel(t *testing.T) {
	want := []string{"cmd", "deploy", "docs", "internal", "report", "scenarios", "server", "targets", "testdata"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "out" && e.Name() != "bin" { // those two are made by runs and builds
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the folders %v, want %v", got, want)
	}
}

// packages are the folders with Go files, and what these import; tests may import
// what they like.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && name != ".." || name == "out"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(strings.TrimPrefix(filepath.ToSlash(file), "../"))
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			found[dir] = append(found[dir], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// owner is the longest folder of the list that holds dir; "" when none does.
func owner(dir string) (longest string) {
	for from := range arrows {
		if under(dir, from) && len(from) > len(longest) {
			longest = from
		}
	}
	return longest
}

func under(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

// A command parses its flags, calls an internal package and maps the result to an
// exit code: what is more belongs into that package.
func TestCommandsAreThin(t *testing.T) {
	const most = 1300
	files, err := filepath.Glob("../cmd/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
	}
	if lines == 0 || lines > most {
		t.Errorf("cmd has %d lines without its tests, want %d at most", lines, most)
	}
}
