// Command testsum runs `go test -json` commands, one after the other, and prints
// what a person wants to know: each package once, the whole output of what
// failed, every skipped test with its reason, and the counts. A skip is never
// silent. It exits 1 when anything failed, when a command ended badly (a killed
// `go test` leaves no failed test behind), or when no test ran.
//
// With -again, a top-level test that failed is run once more, by itself, when all
// else is done: a crowded machine fails tests that a quiet one passes. What passes
// then is no failure, but it is listed with what it said the first time, for it is
// a test to look at. A data race, a panic, a package that ended badly, and more than
// a few failures at once are never tried again.
//
//	testsum [-again "go test -json"] go test -json ./... -- go test -json -run X ./y
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type summary struct {
	passed, failed, skipped int
	unsteady                []string            // passed when run again, package and test
	failures                map[string][]string // package → top-level tests that failed
	race                    bool                // a data race was seen, or a panic
	broken                  []string            // packages that did not build or end
	skips                   []string
	output                  map[string][]string // package/test → lines
	bad                     map[string]bool     // packages of which a test failed
}

func newSummary() summary {
	return summary{output: map[string][]string{}, bad: map[string]bool{}, failures: map[string][]string{}}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	s := newSummary()
	var again []string
	if len(args) > 1 && args[0] == "-again" {
		again, args = strings.Fields(args[1]), args[2:]
	}
	for len(args) > 0 {
		command := args
		if n := slices.Index(args, "--"); n >= 0 {
			command, args = args[:n], args[n+1:]
		} else {
			args = nil
		}
		s.command(out, command)
	}
	if len(again) > 0 {
		s.again(out, again)
	}
	slices.Sort(s.skips)
	if len(s.skips) > 0 {
		fmt.Fprintln(out, "\nskipped, and why:")
	}
	for _, skip := range s.skips {
		fmt.Fprintln(out, "  "+skip)
	}
	if len(s.unsteady) > 0 {
		fmt.Fprintf(out, "\n%d failed and passed at the second try, alone (what they said stands above):\n", len(s.unsteady))
	}
	for _, test := range s.unsteady {
		fmt.Fprintln(out, "  "+test)
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", s.passed, s.failed+len(s.broken), s.skipped)
	if s.failed+len(s.broken) > 0 || s.passed == 0 {
		return 1
	}
	return 0
}

// command runs one command to its end. It may end badly only because tests
// failed, which are counted already; anything else counts as a failure itself.
func (s *summary) command(out io.Writer, args []string) {
	before := s.failed + len(s.broken)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		s.read(pipe, out)
		err = cmd.Wait()
	}
	if err != nil && s.failed+len(s.broken) == before {
		name := strings.Join(args, " ")
		fmt.Fprintf(out, "FAIL  %s: %v\n", name, err)
		s.broken = append(s.broken, name)
	}
}

func (s *summary) read(in io.Reader, out io.Writer) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(out, "%s\n", strings.TrimSuffix(string(line), "\n")) // what is not an event is for people
		default:
			s.take(out, e)
		}
		if err != nil {
			return
		}
	}
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
		s.bad[e.Package] = true
		if !strings.Contains(e.Test, "/") {
			s.failures[e.Package] = append(s.failures[e.Package], e.Test)
		}
		s.race = s.race || strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:")
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
		if s.bad[e.Package] && !strings.Contains(text, "panic:") && !strings.Contains(text, "build failed") {
			return // its failed tests said it all
		}
		s.broken = append(s.broken, e.Package)
		for _, key := range slices.Sorted(maps.Keys(s.output)) { // tests that were under way when it ended
			if strings.HasPrefix(key, e.Package+"\t") {
				fmt.Fprint(out, strings.Join(s.output[key], ""))
				delete(s.output, key)
			}
		}
		fmt.Fprint(out, text)
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
