package scenarios

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// feed reads "feed: {file: patients.csv, order: random}". The file is looked for
// beside the scenario; a CSV file's first row names its columns, a JSON file is a
// list of objects of plain values. Mistakes in it have its own name and lines; of one
// that could not be read no column is known.
func (r *reader) feed(n *yaml.Node) *Feed {
	f := &Feed{Order: "round"}
	var at *yaml.Node
	r.Fields(n, "feed", strict.Fields{
		"file": func(n *yaml.Node) { at, f.File = n, r.Word(n, "file") },
		"order": func(n *yaml.Node) {
			if f.Order = r.Word(n, "order"); f.Order != "round" && f.Order != "random" && f.Order != "" {
				r.Fail(n, strict.Hint(f.Order, []string{"round", "random"}), "order: found %q, expected round or random", f.Order)
			}
		},
	})
	if f.File == "" {
		if at == nil && n.Kind == yaml.MappingNode {
			r.Fail(n, "as in file: patients.csv", "a feed needs its file")
		}
		return f
	}
	text, err := r.open(f.File)
	if err != nil {
		r.Fail(at, "", "file: %v", err)
		return f
	}
	if e := strict.Text(text); e != nil {
		e.File = r.beside(f.File)
		r.Add(e)
		return f
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	read := f.csv
	switch {
	case strings.HasSuffix(f.File, ".json"):
		read = f.json
	case r.separated(f.File, text):
		return f
	case !strings.HasSuffix(f.File, ".csv"):
		r.Fail(at, "", "file: found %q, expected a name that ends in .csv or .json", f.File)
		return f
	}
	errs := read(text)
	if len(errs) == 0 && len(f.Rows) == 0 {
		errs = append(errs, &Error{Line: 1, Col: 1, Msg: "no rows"})
	}
	for _, c := range f.Column {
		if !variable.MatchString(c) {
			r.misnamed = append(r.misnamed, c)
			errs = append(errs, &Error{Line: 1, Col: 1, Msg: fmt.Sprintf("found column %q, expected a name of small letters, digits and _", c)})
		}
	}
	for _, e := range errs {
		e.File = r.beside(f.File)
		r.Add(e)
	}
	return f
}

// separated finds a file whose columns are not parted by commas.
func (r *reader) separated(file string, text []byte) bool {
	sign, col, _, found := strict.Separator(text)
	if found && strings.HasSuffix(file, ".csv") {
		r.Add(&Error{File: r.beside(file), Line: 1, Col: col, Msg: fmt.Sprintf("found %s between the columns, expected commas", sign)})
		return true
	}
	return false
}

func fields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

func (f *Feed) csv(text []byte) (errs []*Error) {
	c := csv.NewReader(bytes.NewReader(quotedEnds(text)))
	c.FieldsPerRecord = -1 // told below, with all the others
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return errs
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			return append(errs, &Error{Line: e.Line, Col: e.Column, Msg: e.Err.Error()})
		}
		line, col := c.FieldPos(0)
		switch {
		case f.Column == nil:
			f.Column = row
			for i, name := range row {
				if slices.Index(row, name) < i {
					line, col := c.FieldPos(i)
					errs = append(errs, &Error{Line: line, Col: col, Msg: fmt.Sprintf("column %q stands twice", name)})
				}
			}
		case len(row) != len(f.Column):
			errs = append(errs, &Error{Line: line, Col: col, Msg: fmt.Sprintf("found %s, the first row names %d columns", fields(len(row)), len(f.Column))})
		default:
			values := map[string]string{}
			for i, v := range row {
				values[f.Column[i]] = v
			}
			f.Rows = append(f.Rows, values)
		}
	}
}

// quotedEnds doubles the CR of each CRLF that stands in quotes: the reader of CSV takes one
// away, and a value is sent as it stands in the file.
func quotedEnds(text []byte) []byte {
	if !bytes.Contains(text, []byte("\r\n")) {
		return text
	}
	var out []byte
	quoted := false
	for i, b := range text {
		if b == '"' {
			quoted = !quoted // a quote that is doubled changes it twice
		}
		if b == '\r' && quoted && i+1 < len(text) && text[i+1] == '\n' {
			out = append(out, '\r')
		}
		out = append(out, b)
	}
	return out
}

func (f *Feed) json(text []byte) (errs []*Error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	fail := func(offset int64, format string, args ...any) {
		before := text[:min(max(0, int(offset)), len(text))]
		errs = append(errs, &Error{
			Line: 1 + bytes.Count(before, []byte("\n")), Col: len(before) - bytes.LastIndexByte(before, '\n'),
			Msg: fmt.Sprintf(format, args...),
		})
	}
	if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
		fail(0, "expected a JSON list of objects")
		return errs
	}
	for d.More() {
		offset := d.InputOffset()
		offset += int64(len(text[offset:]) - len(bytes.TrimLeft(text[offset:], ", \t\r\n")))
		var row map[string]any
		err := d.Decode(&row)
		if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
			fail(offset, "the object that begins here is not JSON: %v", err)
			return errs
		}
		switch {
		case err != nil || row == nil:
			fail(offset, "expected an object of plain values")
			continue
		case f.Column == nil:
			f.Column = keys(row)
		case !slices.Equal(keys(row), f.Column):
			fail(offset, "found the fields %s, the first object has %s", strings.Join(keys(row), ", "), strings.Join(f.Column, ", "))
			continue
		}
		values := map[string]string{}
		for _, k := range f.Column {
			switch v := row[k].(type) {
			case string:
				values[k] = v
			case json.Number, bool:
				values[k] = fmt.Sprint(v)
			default:
				fail(offset, "field %s: expected text, a number, true or false", k)
			}
		}
		f.Rows = append(f.Rows, values)
	}
	if end, err := d.Token(); err != nil || end != json.Delim(']') {
		fail(int64(len(text)), "expected the list's end")
	} else if _, err := d.Token(); !errors.Is(err, io.EOF) {
		fail(d.InputOffset(), "expected nothing after the list")
	}
	return errs
}
