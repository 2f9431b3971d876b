// Package importer makes a first profile, scenario, targets and accounts file from
// what somebody already has of an API: an OpenAPI or Swagger specification, a HAR
// capture, or a Postman collection. What it had to guess is marked "# decide:" in
// the files; what it left out, and secrets that it did not copy, are said. Whatever
// it writes is read again by the readers of the files before anybody sees it.
package importer

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Options say what the source cannot tell.
type Options struct {
	File string // where the source lies, as messages and `says:` name it
	URL  string // where the API answers; "" = what the source says

	// Limit is the sentence in which the user's documents promise the limit on
	// sign-ins; "" = what the source says.
	Limit string
}

// Files are what was made of a source.
type Files struct {
	Profile, Scenario, Targets, Accounts string // the texts

	Kind    string   // OpenAPI 3.1, Swagger 2.0, HAR, Postman
	URL     string   // where the API answers; "" = unknown
	SignsIn bool     // an operation signs users in, so that a run needs accounts
	Limited bool     // the limit on sign-ins is known
	Decide  int      // places marked "# decide:"
	Said    []string // what a person should know: what was left out, and why
}

// Import makes the files of a source. A source that is none of the known kinds, or
// has nothing that could be sent, is an error.
func Import(source []byte, o Options) (*Files, error) {
	d, err := draft(source, o)
	return d.made(o, err)
}

// made writes and checks the files of an outline; err is why there is none.
func (d *outline) made(o Options, err error) (*Files, error) {
	if err == nil && o.Limit != "" {
		err = d.promised(o.Limit)
	}
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", o.File, err)
	}
	if o.URL != "" {
		d.url = cmp.Or(d.whole, strings.TrimRight(o.URL, "/"))
	}
	f := d.files()
	if err := f.check(o.File); err != nil {
		return nil, fmt.Errorf("import %s: what was made of it cannot be read, which is a fault of vitals init: %w", o.File, err)
	}
	return f, nil
}

// outline is what all sources come to, before it is written.
type outline struct {
	kind, name, about, file, url string
	base                         int    // segments that are taken off captured paths, for the URL has them
	whole                        string // the URL of the user without its base path, where paths have that

	signIn, refresh, signOut *step
	shown                    shown             // of a capture
	lost                     map[string]string // values of pages that cannot be saved: why
	codes                    map[string]any    // of a capture, by their placeholders: short values that are no ids
	anonymous                bool              // nobody signs in, so no step says that it is anonymous
	journeys                 []journey
	operations               map[string]operation // of the profile
	values                   map[string]any
	limits                   []limit
	promises                 []string // lines of the profile
	reserved                 []*call  // reads that are for others than ordinary accounts
	private                  bool     // whoever showed no token was refused an object
	secrets                  int      // values of a capture that were not copied
	decide                   []string // at the top of the scenario
	said                     []string
}

// step is one request of the scenario.
type step struct {
	name, method, path string
	header             [][2]string
	body               any    // a JSON value; nil = none
	sent               any    // body, or the fields of a form
	text               string // a body that is no JSON; "" = none
	status             []int
	save               map[string]string
	forget             []string // saved names that it uses up
	anonymous          bool
	decide             []string
}

// task is steps in order; one of a single step has the step's name.
type task struct {
	name   string
	weight int
	think  time.Duration // 0 = the journey's
	steps  []step
	of     *call // whose it is, when it is of one
}

type journey struct {
	name  string
	think string // as 1s..3s
	tasks []task
	whole bool // one task, whose steps go in order
}

// operation is one of the profile's.
type operation struct {
	method, path string
	header       [][2]string
	body         any
	form         bool
	ok, refused  int
	fields       map[string]string
	policy       string
	decide       []string
}

// limit is one of the profile's; without its numbers it is written as a comment.
type limit struct {
	policy, says string
	limit        int
	window, lock time.Duration
	counts, by   string
	success      string
	fixed        bool
	header       string
	statuses     string // that it refuses with; \"\" = 429
	decide       string
}

// say adds something that a person should know, once.
func (d *outline) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, s := range d.said {
		if s == text {
			return
		}
	}
	d.said = append(d.said, text)
}

// title is a name for the files: of the API, else of the source's file.
func title(name, file string) string {
	if name = slug(name); name != "" {
		return name
	}
	base := filepath.Base(file)
	if name = slug(strings.TrimSuffix(base, filepath.Ext(base))); name != "" {
		return name
	}
	return "api"
}
