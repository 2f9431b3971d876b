// Command figures prints what our own driver measured, from a document of
// `vitals run`, in the words that run.sh compares: times in microseconds, from
// the actual send, as wrk counts them.
package main

import (
	"fmt"
	"os"

	"vitals/report"
)

func main() {
	d, err := report.Read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := d.Runs[0].Result
	for _, s := range r.Phases[0].Steps {
		if s.Step.Name == "list medications" {
			p50, _ := s.Service.Quantile(0.50)
			p95, _ := s.Service.Quantile(0.95)
			fmt.Printf("ours: requests %d seconds %.3f p50 %d p95 %d errors %d\n", s.Counts.Served, r.Window.Seconds(),
				p50.Microseconds(), p95.Microseconds(), s.Counts.Errors)
		}
	}
	for _, f := range r.Facts {
		switch f.Name {
		case "lockout.admitted":
			fmt.Printf("ours: judged %.0f\n", f.Value)
		case "lockout.leaked":
			fmt.Printf("ours: leaked %.0f\n", f.Value)
		}
	}
}
