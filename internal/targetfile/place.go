package targetfile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"vitals/internal/strict"
)

// within finds a line of the target that begins at a line: the last that begins with a
// text, in any case; else that of the target itself.
func (w *writer) within(line int, begin string) int {
	at := line
	for i := line; line > 0 && i < len(w.lines) && !begins.MatchString(strings.TrimSpace(w.lines[i])); i++ {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(w.lines[i])), strings.ToLower(begin)) {
			at = i + 1
		}
	}
	return at
}

// unread tells what vegeta's reader says of the target at a line.
func (w *writer) unread(line int, asJSON bool, err error) {
	known := []string{"method", "url", "header", "body"}
	fields := map[string]json.RawMessage{}
	if asJSON && line > 0 && json.Unmarshal([]byte(w.lines[line-1]), &fields) == nil {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !slices.Contains(known, name) {
				w.fail(line, strict.Hint(name, known), "unknown field %q in a target", name)
				return
			}
		}
	}
	if errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(err.Error(), "bad body") {
		w.fail(w.within(line, "@"), "the file is looked for in the folder where vitals runs", "%v", err)
		return
	}
	var bad *url.Error
	if errors.As(err, &bad) {
		w.fail(line, "as in GET http://127.0.0.1:8000/goods?q=50%25, where %25 is a percent sign", "found the URL %q, expected one that can be sent: %v", bad.URL, bad.Err)
		return
	}
	w.fail(line, "as in GET http://127.0.0.1:8000/goods", "%v", err)
}
