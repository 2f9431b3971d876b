package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vitals/internal/atomicfile"
	"vitals/internal/audit"
	"vitals/internal/capacity"
	"vitals/internal/strict"
)

// maxDocument bounds what is read.
const maxDocument = 512 << 20

// Write writes the document as JSON, as a whole: on any error, a full disk
// among them, the file that was there before is unchanged.
func Write(path string, d *Document) error {
	return atomicfile.Write(path, func(w io.Writer) error { return JSON(w, d) })
}

// WriteAll leaves a document in dir: document.json, and report.html for people.
// Each file is written as a whole or not at all.
func WriteAll(dir string, d *Document) error {
	if err := Write(filepath.Join(dir, "document.json"), d); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "report.html"), func(w io.Writer) error { return HTML(w, d) })
}

// JSON renders the document in the form that Read reads. Durations are whole
// microseconds, histograms base64 HDR V2.
func JSON(w io.Writer, d *Document) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // "p95 < 300ms" is for people too
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	return nil
}

// SchemaError is a document of another form than this program reads.
type SchemaError struct{ Got int }

// Error says which program reads it.
func (e *SchemaError) Error() string {
	if e.Got > Schema {
		return fmt.Sprintf("document schema %d, this program reads %d: use the newer vitals that wrote it", e.Got, Schema)
	}
	return fmt.Sprintf("document schema %d, this program reads %d: run the scenario again to get a new document", e.Got, Schema)
}

// Read reads a document that Write wrote. Another schema is a *SchemaError.
func Read(path string) (*Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	defer f.Close()
	d, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", path, err)
	}
	return d, nil
}

// File is what `vitals report` reads: a document or an audit.
type File struct {
	Document *Document
	Audit    *audit.Report
	Capacity *capacity.Outcome
}

// Open reads a document or an audit, whichever the file holds.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	defer f.Close()
	text, err := limited(f)
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", path, err)
	}
	var head struct {
		Runs     json.RawMessage `json:"runs"`
		Findings json.RawMessage `json:"findings"`
		Steps    json.RawMessage `json:"steps"`
	}
	if err := json.Unmarshal(text, &head); err == nil && head.Runs == nil && head.Findings == nil && head.Steps != nil {
		var c capacity.Outcome
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("read document %s: not a search for capacity: %w", path, err)
		}
		return &File{Capacity: &c}, nil
	}
	if err := json.Unmarshal(text, &head); err == nil && head.Runs == nil && head.Findings != nil {
		var a audit.Report
		if err := json.Unmarshal(text, &a); err != nil {
			return nil, fmt.Errorf("read document %s: not an audit: %w", path, err)
		}
		return &File{Audit: &a}, nil
	}
	d, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", path, err)
	}
	return &File{Document: d}, nil
}

// For renders what the file holds in a format. One that it has not is an error
// that names those it has.
func (f *File) For(format string) (func(w io.Writer) error, error) {
	if f.Capacity != nil {
		r, ok := capacityFormats[format]
		if !ok {
			return nil, fmt.Errorf("a search for capacity has no form %q: choose one of %s", format, strings.Join(sortedKeys(capacityFormats), ", "))
		}
		return func(w io.Writer) error { return r(w, f.Capacity) }, nil
	}
	if f.Audit == nil {
		r, err := For(format)
		if err == nil && formats[format].ofRuns && len(f.Document.Runs) == 0 {
			err = f.Document.noRuns(format)
		}
		return func(w io.Writer) error { return r(w, f.Document) }, err
	}
	r, ok := auditFormats[format]
	if !ok {
		forms := sortedKeys(auditFormats)
		return nil, fmt.Errorf("an audit has no form %q: choose one of %s%s", format, strings.Join(forms, ", "), strict.Meant(format, forms))
	}
	return func(w io.Writer) error { return r(w, f.Audit) }, nil
}

// noRuns says why a form of runs alone would be empty.
func (d *Document) noRuns(format string) error {
	why := "no run in which anything was measured"
	if d.Comparison != nil {
		why = "a comparison and no runs: those of a duet are in its baselines"
	}
	var forms []string
	for _, name := range Formats() {
		if !formats[name].ofRuns {
			forms = append(forms, name)
		}
	}
	return fmt.Errorf("%s is a form of runs, and the document holds %s; choose one of %s", format, why, strings.Join(forms, ", "))
}

// Decode reads a document, as Read does.
func Decode(r io.Reader) (*Document, error) {
	text, err := limited(r)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

func limited(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("more than %d MiB", maxDocument>>20)
	}
	return text, err
}

func decode(text []byte) (*Document, error) {
	var head struct {
		Schema *int            `json:"schema"`
		Runs   json.RawMessage `json:"runs"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		// A baseline's schema is a text; it is the file most easily mistaken for a document.
		var other struct{ Schema string }
		if json.Unmarshal(text, &other) == nil && other.Schema != "" {
			return nil, fmt.Errorf("this is a %q, not a document", other.Schema)
		}
		return nil, fmt.Errorf("not a document: %w", err)
	}
	if head.Schema == nil || head.Runs == nil {
		return nil, errors.New("not a document: it has no schema or no runs")
	}
	if *head.Schema != Schema {
		return nil, &SchemaError{Got: *head.Schema}
	}
	var d Document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("not a document: %w", err)
	}
	for i, run := range d.Runs {
		if run.Result == nil {
			return nil, fmt.Errorf("not a document: run %d has no result", i+1)
		}
	}
	return &d, nil
}
