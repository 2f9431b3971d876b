package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"vitals/internal/measure"
)

// SlicesCSV renders the time series: a row for each slice, times in seconds, counts
// as they are, and a column for each gauge. An empty cell is no data. Runs of one
// scenario are numbered from 1.
func SlicesCSV(w io.Writer, d *Document) error {
	gauges := map[string]bool{}
	for _, r := range d.Runs {
		for _, s := range r.Result.Series.Slices {
			for name := range s.Gauges {
				gauges[name] = true
			}
		}
	}
	names := sortedKeys(gauges)
	head := []string{"scenario", "run", "at_s", "every_s", "sent", "served", "refused", "failed", "errors", "late", "p50_s", "p95_s", "p99_s", "max_s"}
	rows := [][]string{append(head, prefixed("gauge ", names)...)}
	for i, r := range d.Runs {
		every := r.Result.Series.Every
		for _, s := range r.Result.Series.Slices {
			if r.Result.Partial && s.At >= r.Result.Took && s.Counts.Sent == 0 {
				continue // it never came to that
			}
			row := []string{r.Result.Scenario, strconv.Itoa(d.replicate(i)), plainSeconds(s.At), plainSeconds(every)}
			for _, n := range []int64{s.Counts.Sent, s.Counts.Served, s.Counts.Refused, s.Counts.Failed, s.Counts.Errors, s.Counts.Late} {
				row = append(row, strconv.FormatInt(n, 10))
			}
			for _, t := range []time.Duration{s.P50, s.P95, s.P99, s.Max} {
				if s.Counts.Served == 0 {
					row = append(row, "")
				} else {
					row = append(row, plainSeconds(t))
				}
			}
			for _, name := range names {
				v, ok := s.Gauges[name]
				if !ok {
					row = append(row, "")
					continue
				}
				row = append(row, strconv.FormatFloat(v, 'g', -1, 64))
			}
			rows = append(rows, row)
		}
	}
	return written(w, rows)
}

// StepsCSV renders every step in every phase: a row each, times in seconds.
// Quantiles are of what was served; an empty cell is no data.
func StepsCSV(w io.Writer, d *Document) error {
	rows := [][]string{{
		"scenario", "run", "phase", "judged", "journey", "step", "intruder", "planned", "sent", "late", "dropped", "served", "refused", "failed", "errors",
		"response_p50_s", "response_p95_s", "response_p99_s", "response_max_s", "service_p50_s", "service_p95_s", "service_p99_s", "service_max_s",
	}}
	for i, r := range d.Runs {
		for _, p := range r.Result.Phases {
			for _, s := range p.Steps {
				c := s.Counts
				row := []string{r.Result.Scenario, strconv.Itoa(d.replicate(i)), p.Name, strconv.FormatBool(p.Judged), s.Step.Journey, s.Step.Name, strconv.FormatBool(s.Step.Intruder)}
				for _, n := range []int64{c.Planned, c.Sent, c.Late, c.Dropped, c.Served, c.Refused, c.Failed, c.Errors} {
					row = append(row, strconv.FormatInt(n, 10))
				}
				for _, h := range []*measure.Histogram{s.Response, s.Service} {
					for _, q := range []float64{0.5, 0.95, 0.99, 1} {
						row = append(row, secondsOf(h, q))
					}
				}
				rows = append(rows, row)
			}
		}
	}
	return written(w, rows)
}

func written(w io.Writer, rows [][]string) error {
	for _, row := range rows {
		for i, cell := range row {
			row[i] = inert(strip(cell))
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// inert keeps a spreadsheet from taking a name for a formula.
func inert(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '@' || s[0] == '-' && !number10(s)) {
		return "'" + s
	}
	return s
}

func number10(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }
