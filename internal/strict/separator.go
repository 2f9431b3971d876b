package strict

import (
	"bytes"
	"encoding/csv"
	"strings"
)

// separators are what spreadsheets of other countries and other tools put between
// columns, with what people call each.
var separators = []struct {
	sign rune
	name string
}{{';', "a semicolon"}, {'\t', "a tab"}, {'|', "a bar"}}

// Separator recognises a CSV file whose first line parts its columns by another sign
// than the comma, if it parts it into more. It gives the sign as people call it, the
// column (from 1) where it stands first, and the names as they were meant.
func Separator(text []byte) (name string, col int, columns []string, found bool) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	best := len(head(line, ','))
	for _, s := range separators {
		if names := head(line, s.sign); len(names) > max(1, best) {
			name, columns, best, found = s.name, names, len(names), true
			col = len([]rune(string(line[:bytes.IndexRune(line, s.sign)]))) + 1
		}
	}
	return name, col, columns, found
}

// head are the columns of a line by a separator; nil when it is no such line.
func head(line []byte, by rune) []string {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, r.LazyQuotes = by, by == ','
	names, _ := r.Read()
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}
