package load

import (
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// Write prints the probe as a table for people.
func (p *Probe) Write(w io.Writer) error {
	fmt.Fprintf(w, "As fast as it goes: %.0f requests/s at %v of CPU each, 32 users without think time.\n\n", p.MaxRate, p.MaxCPU)
	t := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone))
	t.Header("planned", "sent", "grid", "lag p50", "lag p99", "service p50", "CPU per request")
	for _, r := range p.Rates {
		grid := "exact"
		if r.Grid > 0 {
			grid = r.Grid.String()
		}
		if err := t.Append([]string{
			fmt.Sprintf("%.0f/s", r.Rate), fmt.Sprintf("%.2f%%", 100*r.Sent), grid,
			r.Lag50.String(), r.Lag99.String(), r.Service.String(), r.CPU.String(),
		}); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, r := range p.Rates {
		for _, doubt := range r.Doubts {
			fmt.Fprintf(w, "at %.0f/s: %s\n", r.Rate, doubt)
		}
	}
	return nil
}
