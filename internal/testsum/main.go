// Command testsum reads `go test -json` and prints what a person wants to know:
// each package once, the whole output of what failed, every skipped test with
// its reason, and the counts. A skip is never silent. It exits 1 when anything
// failed, or when no test ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type summary struct {
	passed, failed, skipped int
	broken                  []string // packages that did not build or end
	skips                   []string
	output                  map[string][]string // package/test → lines
}

func main() { os.Exit(run(os.Stdin, os.Stdout)) }

func run(in io.Reader, out io.Writer) int {
	s := summary{output: map[string][]string{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text()) // what is not an event is for people
			continue
		}
		s.take(out, e)
	}
	slices.Sort(s.skips)
	if len(s.skips) > 0 {
		fmt.Fprintln(out, "\nskipped, and why:")
	}
	for _, skip := range s.skips {
		fmt.Fprintln(out, "  "+skip)
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", s.passed, s.failed+len(s.broken), s.skipped)
	if s.failed+len(s.broken) > 0 || s.passed == 0 {
		return 1
	}
	return 0
}

func (s *summary) take(out io.Writer, e event) {
	key := e.Package + "\t" + e.Test
	switch e.Action {
	case "output", "build-output":
		s.output[key] = append(s.output[key], e.Output)
		if e.Action == "build-output" {
			fmt.Fprint(out, e.Output)
		}
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	text := strings.Join(s.output[key], "")
	delete(s.output, key)
	if e.Test == "" {
		s.pkg(out, e, text)
		return
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		fmt.Fprintf(out, "--- FAIL %s %s\n%s", e.Package, e.Test, text)
	case "skip":
		s.skipped++
		s.skips = append(s.skips, e.Package+" "+e.Test+": "+reason(text))
	}
}

func (s *summary) pkg(out io.Writer, e event, text string) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(out, "ok    %-40s %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		fmt.Fprintf(out, "FAIL  %-40s %.1fs\n", e.Package, e.Elapsed)
		if s.failed == 0 || strings.Contains(text, "panic:") || strings.Contains(text, "build failed") {
			s.broken = append(s.broken, e.Package)
			fmt.Fprint(out, text)
		}
	}
}

// reason is what t.Skip said: the line that is neither a === nor a --- line.
func reason(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}
