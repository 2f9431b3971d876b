package report

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"vitals/internal/measure"
	"vitals/targets"
)

// mostAnnotations is how many of a kind a step of GitHub Actions shows (10), less
// one that counts the rest.
const mostAnnotations = 9

// GitHub renders what was not met as annotations of GitHub Actions, each at the
// file and line of its target where that file is here.
func GitHub(w io.Writer, d *Document) error {
	here := func(file string) bool { _, err := os.Stat(file); return file != "" && err == nil }
	return annotations(w, d, here)
}

func annotations(w io.Writer, d *Document, here func(file string) bool) error {
	var lines []string
	add := func(kind string, t *targets.Target, title, message string) {
		props := "title=" + property(title)
		if t != nil && here(t.File) {
			props = fmt.Sprintf("file=%s,line=%d,col=%d,%s", property(t.File), max(1, t.Line), max(1, t.Col), props)
		}
		lines = append(lines, fmt.Sprintf("::%s %s::%s", kind, props, message))
	}
	for _, status := range []targets.Status{targets.Fail, targets.NoData} {
		for _, r := range d.Runs {
			for _, v := range r.Verdicts {
				if v.Status == status {
					kind := map[targets.Status]string{targets.Fail: "error", targets.NoData: "warning"}[status]
					add(kind, &v.Target, r.Result.Scenario+": "+v.Target.Text, data(sentence(v)))
				}
			}
		}
	}
	for _, why := range reasonsUntold(d) {
		title := d.Verdict
		for _, r := range d.Runs { // one scenario may fail, and another have no data
			if strings.HasPrefix(why, r.Result.Scenario+": ") {
				title = r.Verdict
			}
		}
		add("error", nil, title, data(why))
	}
	if slices.ContainsFunc(d.Runs, func(r Run) bool { return r.Result.EndedBy == measure.Interrupted }) {
		add("error", nil, d.Verdict, "interrupted: what was measured until then is not the whole")
	}
	if len(lines) == 0 && d.Verdict != Pass { // it ended before anything could be missed
		add("error", nil, d.Verdict, data(headline(d)))
	}
	if more := len(lines) - mostAnnotations; more > 0 {
		lines = lines[:mostAnnotations-1]
		lines = append(lines, fmt.Sprintf("::error title=%s::%s", property(d.Verdict), data(fmt.Sprintf("and %d more; see report.html", more+1))))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}

// data and property escape as the runner's commands ask for.
func data(s string) string { return commandData.Replace(strip(s)) }

func property(s string) string { return commandProperty.Replace(strip(s)) }

var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// InCI leaves what the CI server around us shows: in GitHub Actions, annotations in
// w and the Markdown in the job's summary. getenv reads the environment; elsewhere
// nothing is done.
func InCI(w io.Writer, d *Document, getenv func(string) string) error {
	if getenv("GITHUB_ACTIONS") != "true" {
		return nil
	}
	if err := GitHub(w, d); err != nil {
		return fmt.Errorf("annotate: %w", err)
	}
	summary := getenv("GITHUB_STEP_SUMMARY")
	if summary == "" {
		return nil
	}
	f, err := os.OpenFile(summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) // other steps write there too
	if err != nil {
		return fmt.Errorf("write the job's summary: %w", err)
	}
	err = Markdown(f, d)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write the job's summary: %w", err)
	}
	return nil
}
