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

	"vitals/targets/strict"
)

// feed reads "feed: {file: patients.csv, order: random}". The file is looked for
// beside the scenario; a CSV file's first row names its columns, a JSON file is a
// list of objects of plain values. Mistakes in it have its own name and lines.
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
		return nil
	}
	text, err := r.open(f.File)
	if err != nil {
		r.Fail(at, "", "file: %v", err)
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	read := f.csv
	switch {
	case strings.HasSuffix(f.File, ".json"):
		read = f.json
	case !strings.HasSuffix(f.File, ".csv"):
		r.Fail(at, "", "file: found %q, expected a name that ends in .csv or .json", f.File)
		return nil
	}
	errs := read(text)
	if len(errs) == 0 && len(f.Rows) == 0 {
		errs = append(errs, &Error{Line: 1, Col: 1, Msg: "no rows"})
	}
	for _, c := range f.Column {
		if !variable.MatchString(c) {
			errs = append(errs, &Error{Line: 1, Col: 1, Msg: fmt.Sprintf("found column %q, expected a name of small letters, digits and _", c)})
		}
	}
	for _, e := range errs {
		e.File = f.File
		r.Add(e)
	}
	return f
}

func (f *Feed) csv(text []byte) (errs []*Error) {
	c := csv.NewReader(bytes.NewReader(text))
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
			errs = append(errs, &Error{Line: line, Col: col, Msg: fmt.Sprintf("found %d fields, the first row names %d columns", len(row), len(f.Column))})
		default:
			values := map[string]string{}
			for i, v := range row {
				values[f.Column[i]] = v
			}
			f.Rows = append(f.Rows, values)
		}
	}
}

func (f *Feed) json(text []byte) []*Error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	place := func(offset int64, format string, args ...any) []*Error {
		before := text[:min(max(0, int(offset)), len(text))]
		line := 1 + bytes.Count(before, []byte("\n"))
		col := len(before) - bytes.LastIndexByte(before, '\n')
		return []*Error{{Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}}
	}
	var rows []map[string]any
	if err := d.Decode(&rows); err != nil {
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			return place(e.Offset-1, "%v", err)
		}
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return place(e.Offset-1, "found a JSON %s, expected a list of objects", e.Value)
		}
		return place(int64(len(text)), "%v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return place(d.InputOffset(), "found more after the list")
	}
	if len(rows) > 0 {
		f.Column = keys(rows[0])
	}
	var errs []*Error
	for i, row := range rows {
		if !slices.Equal(keys(row), f.Column) {
			errs = append(errs, &Error{Msg: fmt.Sprintf("object %d has the fields %s, the first has %s", i+1, strings.Join(keys(row), ", "), strings.Join(f.Column, ", "))})
			continue
		}
		values := map[string]string{}
		for k, v := range row {
			switch v := v.(type) {
			case string:
				values[k] = v
			case json.Number, bool:
				values[k] = fmt.Sprint(v)
			default:
				errs = append(errs, &Error{Msg: fmt.Sprintf("object %d, field %s: expected text, a number, true or false", i+1, k)})
			}
		}
		f.Rows = append(f.Rows, values)
	}
	return errs
}
