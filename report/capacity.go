package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"vitals/internal/capacity"
)

// capacityFormats are the forms of a search for capacity.
var capacityFormats = map[string]func(w io.Writer, o *capacity.Outcome) error{
	"terminal": func(w io.Writer, o *capacity.Outcome) error { return o.Write(w) },
	"json": func(w io.Writer, o *capacity.Outcome) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(o)
	},
	"markdown": capacityMarkdown,
}

// capacityMarkdown is the answer, what else is told of it, and the measurements as a table.
func capacityMarkdown(w io.Writer, o *capacity.Outcome) error {
	m := &markdown{}
	m.line("%s", marker)
	m.line("## %s", escape(o.Answer()))
	m.list(o.Remarks())
	g := grid{cols: []column{
		{title: "arrivals"}, {title: "targets", words: true}, {title: "p95"}, {title: "errors"}, {title: "goodput"}, {title: "cpu"}, {title: "requests"}, {title: "bound by", words: true},
	}}
	for _, s := range o.ByRate() {
		if s.Invalid != "" {
			g.rows = append(g.rows, []string{perSecond(s.Rate), "INVALID", "–", "–", "–", "–", "–", s.Invalid})
			continue
		}
		word, cpu := "met", "–"
		if !s.Meets {
			word = "MISSED"
		}
		if s.CPU != nil {
			cpu = percent(*s.CPU)
		}
		g.rows = append(g.rows, []string{
			perSecond(s.Rate), word, took(s.P95), percent(s.Errors), perSecond(s.Goodput), cpu, fmt.Sprint(s.Requests), strings.Join(s.Binding, "; "),
		})
	}
	m.grid(g)
	return m.write(w)
}
