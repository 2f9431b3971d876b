package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// formats are all the forms a document is shown in; help texts and messages
// are built from the same map.
var formats = map[string]Reporter{
	"terminal": Terminal,
	"verbose":  Verbose,
	"html":     HTML,
	"json":     JSON,
	"junit":    JUnit,
	"markdown": Markdown,
}

// Formats are the names that For knows, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// For is the reporter of that name.
func For(format string) (Reporter, error) {
	if r, ok := formats[format]; ok {
		return r, nil
	}
	return nil, fmt.Errorf("unknown format %q: choose one of %s", format, strings.Join(Formats(), ", "))
}
