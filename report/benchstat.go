package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode"

	"vitals/internal/measure"
)

// Benchstat renders each scenario, and each of its steps, as a line of Go's
// benchmark format (https://go.dev/design/14313-benchmark-format): the judged
// window, latencies from the due time. Several runs' files make benchstat's samples.
func Benchstat(w io.Writer, d *Document) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\ncpu: %s\n", oneLine(d.Machine.OS), oneLine(d.Machine.Arch), oneLine(d.Machine.CPU))
	// No field of its own: benchstat would not set two revisions beside each other.
	fmt.Fprintf(&b, "# verdict %s, revision %s\n", oneLine(d.Verdict), cmp.Or(oneLine(d.Subject.GitRev), "unknown"))
	for _, u := range []string{"p50-ns better=lower", "p95-ns better=lower", "p99-ns better=lower", "served/s better=higher", "errors/req better=lower", "cpu-share better=lower"} {
		fmt.Fprintf(&b, "Unit %s\n", u)
	}
	for i := range d.Runs {
		r := d.Runs[i].Result
		line := func(name string, s measure.StepResult, more string) {
			if s.Response.N() == 0 {
				return // nothing was served: there is no figure to compare
			}
			fmt.Fprintf(&b, "Benchmark%s %d", name, s.Counts.Sent)
			for _, q := range []struct {
				at   float64
				unit string
			}{{0.50, "p50-ns"}, {0.95, "p95-ns"}, {0.99, "p99-ns"}} {
				v, _ := s.Response.Quantile(q.at)
				fmt.Fprintf(&b, " %d %s", v.Nanoseconds(), q.unit)
			}
			fmt.Fprintf(&b, " %g errors/req%s\n", float64(s.Counts.Errors)/float64(max(1, s.Counts.Judged())), more)
		}
		total := r.Total(true, true)
		more := ""
		if r.Window > 0 {
			more = fmt.Sprintf(" %g served/s", float64(total.Counts.Timely())/r.Window.Seconds())
		}
		if f, ok := r.Fact("cpu"); ok {
			more += fmt.Sprintf(" %g cpu-share", f.Value)
		}
		line(benchName(r.Scenario), total, more)
		for _, s := range r.Steps(true) {
			if !s.Step.Intruder {
				line(benchName(r.Scenario)+"/step="+benchWord(s.Step.Name), s, "")
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchName begins with a capital, as the format asks for.
func benchName(s string) string {
	w := []rune(benchWord(s))
	if len(w) == 0 || !unicode.IsLetter(w[0]) {
		return "Scenario" + string(w)
	}
	w[0] = unicode.ToUpper(w[0])
	return string(w)
}

// benchWord has no white space and none of the format's own signs.
func benchWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '/' || r == '=' {
			return '_'
		}
		return r
	}, strip(strings.TrimSpace(s)))
}

func oneLine(s string) string { return strip(strings.TrimSpace(s)) }
