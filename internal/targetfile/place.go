package targetfile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"vitals/internal/strict"
)

// place is a line of the file and a column in it, from 1; the zero value is the whole file.
type place struct{ line, col int }

// at is column i, from 0 and in bytes, of a line.
func (w *writer) at(line, i int) place {
	return place{line, utf8.RuneCountInString(w.lines[line-1][:i]) + 1}
}

// within gives the lines of the target that begins at a line.
func (w *writer) within(line int) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := line; i > 0 && i <= len(w.lines); i++ {
			if _, another := slices.BinarySearch(w.starts, i); another && i > line || !yield(i, w.lines[i-1]) {
				return
			}
		}
	}
}

// text is the first place of a text in the target that begins at a line: of the first
// of some that stands there. It is the target's beginning where none does.
func (w *writer) text(line int, texts ...string) place {
	for _, text := range texts {
		for n, have := range w.within(line) {
			if i := strings.Index(have, text); i >= 0 {
				return w.at(n, i)
			}
		}
	}
	return place{line, min(line, 1)}
}

// header is the last place of a header in the target that begins at a line.
func (w *writer) header(line int, name string) place {
	at := w.text(line, quote(name)) // as JSON has it
	for n, have := range w.within(line) {
		if field, _, ok := strings.Cut(have, ":"); ok && n > line && strings.EqualFold(strings.TrimSpace(field), name) {
			at = w.at(n, strings.Index(have, strings.TrimSpace(field)))
		}
	}
	return at
}

// told is where the file has what the scenario's reader complains of, which stands at a
// column of the step's line in the scenario.
func (w *writer) told(s *step, text string, col int) place {
	var what string
	_ = json.NewDecoder(strings.NewReader(string([]rune(text)[col-1:]))).Decode(&what) // all in it is a text, or nothing is found
	for name, value := range s.Header {
		if what == name || what == value {
			return w.header(s.line, name)
		}
	}
	if what == s.path || strings.EqualFold(what, s.method) {
		return w.text(s.line, s.url)
	}
	return w.text(s.line)
}

// unread tells what vegeta's reader says of the target at a line.
func (w *writer) unread(line int, asJSON bool, err error) {
	known := []string{"method", "url", "header", "body"}
	fields := map[string]json.RawMessage{}
	if asJSON && line > 0 && json.Unmarshal([]byte(w.lines[line-1]), &fields) == nil {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !slices.Contains(known, name) {
				w.fail(w.text(line, quote(name)), strict.Hint(name, known), "unknown field %q in a target", name)
				return
			}
		}
	}
	if unreadBody(err) {
		w.fail(w.text(line, "@"), "the file is looked for in the folder where vitals runs", "%v", err)
		return
	}
	var bad *url.Error
	if errors.As(err, &bad) {
		w.url(w.text(line, bad.URL), bad.URL, bad)
		return
	}
	_, what, _ := strings.Cut(err.Error(), ": ")      // a line of the file, or a word of one
	if strings.HasPrefix(err.Error(), "bad header") { // it may be a secret's
		w.fail(w.text(line, what), "as in Accept: application/json", "found a header without a name or a value, expected NAME: VALUE")
		return
	}
	w.fail(w.text(line, what), "as in GET http://127.0.0.1:8000/goods", "%v", err)
}

// unreadBody tells that the file of a body could not be read, which hides no other mistake
// of its target.
func unreadBody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(err.Error(), "bad body")
}

// url tells a URL that cannot be sent; err is what its parser said, nil where it has no
// scheme or host.
func (w *writer) url(at place, text string, err error) {
	var why *url.Error
	u, parsed := url.Parse(text)
	if !errors.As(err, &why) || parsed == nil && u.Host == "" {
		w.fail(at, "as in http://127.0.0.1:8000/goods", "found the URL %q, expected one with scheme and host", shown(text))
		return
	}
	w.fail(at, "as in http://127.0.0.1:8000/goods?q=50%25, where %25 is a percent sign", "found the URL %q, expected one that can be sent: %v", shown(text), why.Err)
}

// shown is a URL without the password in it.
func shown(url string) string { return password.ReplaceAllString(url, "//…@") }

var password = regexp.MustCompile(`//[^/?#\s]*@`)
