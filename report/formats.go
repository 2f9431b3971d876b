package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"vitals/internal/strict"
)

// format is one form that a document is shown in.
type format struct {
	render Reporter
	about  string // for help texts
	ofRuns bool   // nothing else is in it
}

// formats are all the forms a document is shown in; help texts and messages
// are built from the same map.
var formats = map[string]format{
	"terminal":    {Terminal, "what fits one screen", false},
	"verbose":     {Verbose, "everything, as text", false},
	"html":        {HTML, "one page for a browser, without a network", false},
	"json":        {JSON, "the document; docs/document.schema.json describes it", false},
	"junit":       {JUnit, "XML for CI servers", false},
	"markdown":    {Markdown, "a comment for a pull request", false},
	"github":      {GitHub, "annotations of GitHub Actions, at each target's own line", false},
	"openmetrics": {OpenMetrics, "GitLab's metrics.txt", false},
	"csv-slices":  {SlicesCSV, "the run second by second", true},
	"csv-steps":   {StepsCSV, "every step in every phase", true},
	"benchstat":   {Benchstat, "lines that benchstat compares", true},
	"hgrm":        {HGRM, "the latency distribution for HdrHistogram's plotter; one scenario", true},
	"vegeta":      {Vegeta, "results that vegeta report and vegeta plot read", true},
}

// Formats are the names that For knows, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// FormatsHelp lists the forms with what each is for, a line each.
func FormatsHelp() string {
	var b strings.Builder
	for _, name := range Formats() {
		fmt.Fprintf(&b, "  %-12s %s\n", name, formats[name].about)
	}
	return b.String()
}

// For is the reporter of that name.
func For(name string) (Reporter, error) {
	if f, ok := formats[name]; ok {
		return f.render, nil
	}
	return nil, fmt.Errorf("unknown format %q: choose one of %s%s", name, strings.Join(Formats(), ", "), strict.Meant(name, Formats()))
}

// Only is the document with the runs of one scenario alone; an error names those
// it has. The document is not changed.
func (d *Document) Only(scenario string) (*Document, error) {
	one := *d
	one.Runs = nil
	for _, r := range d.Runs {
		if r.Result.Scenario == scenario {
			one.Runs = append(one.Runs, r)
		}
	}
	if one.Runs == nil {
		return nil, fmt.Errorf("the document has no scenario %q: choose one of %s%s", scenario, strings.Join(d.names(), ", "), strict.Meant(scenario, d.names()))
	}
	return &one, nil
}
