package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// page collects text; it is written out at once, so that a report is there
// whole or not at all.
type page struct {
	Style
	bytes.Buffer
	err error // the first that a table had
}

// line writes one line; spaces at its end are cut.
func (p *page) line(format string, args ...any) {
	p.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// wrap writes text in lines that fit, the first after lead and the others
// below its end.
func (p *page) wrap(lead, text string) {
	for _, l := range p.wrapped(lead, text) {
		p.line("%s", l)
	}
}

func (p *page) wrapped(lead, text string) (lines []string) {
	indent := strings.Repeat(" ", columns(lead))
	line := lead
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case columns(line)+1+columns(word) > p.width():
			lines = append(lines, line)
			line = indent
		default:
			line += " "
		}
		line += strip(word)
	}
	return append(lines, line)
}

// section opens a part of a run.
func (p *page) section(title string) {
	p.line("")
	for _, l := range p.wrapped("  ", title) {
		p.line("  %s", p.paint(bold, strings.TrimLeft(l, " ")))
	}
}

// column is one of a table. Figures stand to the right, words to the left.
type column struct {
	title string
	words bool
	spare int // >0: left out where the page is too narrow, the highest first
}

// table writes rows under a header, in as many columns as the page has room
// for.
func (p *page) table(cols []column, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	cols, rows = p.fit(cols, printable(rows))
	if wide(cols, rows) > p.width() {
		p.stacked(cols, rows)
		return
	}
	align := make(tw.Alignment, len(cols))
	head := make([]string, len(cols))
	for i, c := range cols {
		align[i], head[i] = tw.AlignRight, c.title
		if c.words {
			align[i] = tw.AlignLeft
		}
	}
	var out bytes.Buffer
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On},
			},
			Symbols: tw.NewSymbols(tw.StyleLight),
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithPadding(tw.Padding{Left: " ", Right: " ", Overwrite: true}),
	)
	t.Header(head)
	err := t.Bulk(rows)
	if err == nil {
		err = t.Render()
	}
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("set table: %w", err)
	}
	for l := range strings.Lines(out.String()) {
		p.line("%s%s", margin, strings.TrimRight(l, "\n "))
	}
}

// stacked writes each row as a line of its own, wrapped, for pages too narrow for
// its table.
func (p *page) stacked(cols []column, rows [][]string) {
	for _, row := range rows {
		var parts []string
		for i, cell := range row {
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			if cols[i].title != "" && len(parts) > 0 {
				cell = cols[i].title + " " + cell
			}
			parts = append(parts, cell)
		}
		for _, l := range p.wrapped(margin+"· ", strings.Join(parts, ", ")) {
			p.line("%s", cut(l, p.width()))
		}
	}
}

// margin stands left of every table.
const margin = "   "

// printable is a copy of rows without control characters.
func printable(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = make([]string, len(row))
		for j, cell := range row {
			out[i][j] = strip(cell)
		}
	}
	return out
}

// fit leaves spare columns out until the table is no wider than the page; if it
// still is, the widest column of words is cut, where enough of it is left to tell rows
// apart by. The rows are its own to change.
func (p *page) fit(cols []column, rows [][]string) ([]column, [][]string) {
	cols = slices.Clone(cols)
	for {
		over := wide(cols, rows) - p.width()
		if over <= 0 {
			return cols, rows
		}
		at := 0
		for i, c := range cols {
			if c.spare > cols[at].spare {
				at = i
			}
		}
		if cols[at].spare == 0 {
			for i, c := range cols {
				if c.words && columnWidth(cols, rows, i) > columnWidth(cols, rows, at) {
					at = i
				}
			}
			width, seen := columnWidth(cols, rows, at)-over, map[string]string{}
			for _, row := range rows {
				short := cut(row[at], max(width, 1))
				if other, ok := seen[short]; ok && other != row[at] || width < 8 {
					return cols, rows
				}
				seen[short] = row[at]
			}
			for i := range rows {
				rows[i][at] = cut(rows[i][at], width)
			}
			return cols, rows
		}
		cols = slices.Delete(cols, at, at+1)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
		}
	}
}

// wide is the columns that a table takes: margin, and a space on each side of
// a cell.
func wide(cols []column, rows [][]string) int {
	n := columns(margin)
	for i := range cols {
		n += columnWidth(cols, rows, i) + 2
	}
	return n
}

func columnWidth(cols []column, rows [][]string, i int) int {
	n := columns(cols[i].title)
	for _, r := range rows {
		n = max(n, columns(r[i]))
	}
	return n
}

// cut keeps the first n columns.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
