package baseline

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vitals/internal/atomicfile"
)

// maxFile bounds what is read, compressed or not.
const maxFile = 256 << 20

// Write writes the file as a whole, gzipped when its name ends in ".gz".
// What was there before stays when that fails.
func Write(path string, f *File) error {
	text, err := f.encode()
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if !strings.HasSuffix(path, ".gz") {
			_, err := w.Write(text)
			return err
		}
		z := gzip.NewWriter(w)
		if _, err := z.Write(text); err != nil {
			return err
		}
		return z.Close()
	})
}

// encode sorts the keys and puts back the fields that were read and are not
// ours.
func (f *File) encode() ([]byte, error) {
	known, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	v, err := decodeAny(known)
	if err != nil {
		return nil, err
	}
	if f.raw != nil {
		old, err := decodeAny(f.raw)
		if err != nil {
			return nil, err
		}
		keep(v, old)
	}
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}

// decodeAny keeps numbers as they are written.
func decodeAny(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// keep copies into v what only old has, object by object and, for lists of one
// length, element by element.
func keep(v, old any) {
	switch v := v.(type) {
	case map[string]any:
		old, _ := old.(map[string]any)
		for k, o := range old {
			if known, ok := v[k]; ok {
				keep(known, o)
			} else {
				v[k] = o
			}
		}
	case []any:
		if old, ok := old.([]any); ok && len(old) == len(v) {
			for i := range v {
				keep(v[i], old[i])
			}
		}
	}
}

// Read reads a baseline, plain or gzipped. A file of another major schema, or
// one whose summary does not follow from its runs, gives a *NotComparable.
func Read(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	defer r.Close()
	f, err := Decode(r)
	if err != nil {
		return nil, fmt.Errorf("read baseline %s: %w", path, err)
	}
	return f, nil
}

// Decode reads a baseline, as Read does.
func Decode(r io.Reader) (*File, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		if text, err = readAll(z); err != nil {
			return nil, err
		}
	}
	var head struct {
		Schema any   `json:"schema"`
		Runs   []any `json:"runs"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	schema, ok := head.Schema.(string)
	switch {
	case !ok && head.Schema != nil && head.Runs != nil:
		return nil, &notBaseline{}
	case !ok:
		return nil, fmt.Errorf("not a baseline: schema is %v, want %q", head.Schema, Schema)
	case !understood(schema):
		return nil, &NotComparable{{Field: "schema", Old: Schema, New: schema}}
	}
	f := &File{raw: text}
	if err := json.Unmarshal(text, f); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	return f, f.check()
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if len(text) > maxFile {
		return nil, fmt.Errorf("more than %d MiB", maxFile>>20)
	}
	return text, err
}

// understood accepts major form 1 and its minor ones: vitals.baseline/1.9.
func understood(schema string) bool {
	return schema == Schema || strings.HasPrefix(schema, Schema+".")
}

// check recomputes the summary: a file edited by hand is corrupt. A metric that this
// program does not know, a newer one may have written.
func (f *File) check() error {
	want := summarise(f)
	names := slices.Collect(maps.Keys(want))
	for name := range f.Summary {
		if slices.ContainsFunc(metrics, func(m metric) bool { return strings.HasSuffix(name, " "+m.name) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w, made := want[name]
		if got, ok := f.Summary[name]; !ok || !made || got.K != w.K || !near(got.MeanLn, w.MeanLn) || !near(got.SdLn, w.SdLn) {
			return fmt.Errorf("the file is corrupt: its summary of %s is not that of its runs: it was edited, or written by halves", name)
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a)) }

// Open reads a baseline as Read does; of a folder, the baseline.json(.gz) in it.
// A document of a session stands beside its baseline, which is read in its
// place and must then be there.
func Open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return Read(beside(path))
	}
	f, err := Read(path)
	var doc *notBaseline
	if !errors.As(err, &doc) {
		return f, err
	}
	of := beside(filepath.Dir(path))
	if _, missing := os.Stat(of); missing != nil {
		return nil, fmt.Errorf("%s is a document, not a baseline, and there is no %s beside it: name the baseline.json of its session", path, filepath.Base(of))
	}
	return Read(of)
}

// beside is the baseline in a folder.
func beside(dir string) string {
	plain := filepath.Join(dir, "baseline.json")
	if _, err := os.Stat(plain); err != nil {
		if _, err := os.Stat(plain + ".gz"); err == nil {
			return plain + ".gz"
		}
	}
	return plain
}

// notBaseline is a document, whose schema is a number.
type notBaseline struct{}

func (*notBaseline) Error() string {
	return "this is a document, not a baseline: name the baseline.json beside it"
}
