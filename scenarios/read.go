package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/measure"
	"vitals/internal/strict"
	"vitals/targets"
)

// Error is one mistake in a scenario file, at its place; Read gives all of them
// as strict.Errors.
type Error = strict.Error

// Read reads a scenario. name is its path: messages begin with it, feeds and
// parts are looked for beside it. Every mistake is reported at once, with its
// place, what was found and expected, and the nearest right spelling.
func Read(r io.Reader, name string) (*Scenario, error) {
	return read(r, name, func(file string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(name), file))
	})
}

// reader reads one file, and the parts it uses.
type reader struct {
	*strict.Doc
	open func(file string) ([]byte, error) // a file named in this one
	part bool                              // this is a part, not a scenario
	sc   *Scenario
	full shape
	fast shape // quick
	used *reader
	at   map[string]*yaml.Node // fields that were found

	signIn   *yaml.Node   // where the accounts' sign_in stands
	during   []*yaml.Node // phases that intruders work in
	misnamed []string     // names that cannot be saved as they are written
	lost     unread
}

func read(r io.Reader, name string, open func(string) ([]byte, error)) (*Scenario, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read scenario %s: %w", name, err)
	}
	rd := &reader{open: open}
	rd.read(name, text)
	if rd.at != nil {
		rd.combine()
	}
	if err := rd.Err(); err != nil {
		return nil, err
	}
	for d := rd; d != nil; d = d.used {
		rd.sc.Warnings = append(rd.sc.Warnings, d.Warnings()...)
	}
	rd.sc.SHA256 = digest(rd.sc)
	return rd.sc, nil
}

func (r *reader) read(name string, text []byte) {
	var root *yaml.Node
	r.sc = &Scenario{File: name, Timeout: 10 * time.Second}
	r.Doc, root = strict.Parse(name, text)
	if root == nil || r.Mistaken(root, "a scenario") {
		return
	}
	fields := strict.Fields{
		"about":     func(n *yaml.Node) { r.sc.About = r.Text(n, "about") },
		"timeout":   func(n *yaml.Node) { r.sc.Timeout = r.within(n, "timeout") },
		"cookies":   func(n *yaml.Node) { r.sc.Cookies = r.cookies(n) },
		"accounts":  func(n *yaml.Node) { r.sc.Accounts = r.accounts(n) },
		"journeys":  func(n *yaml.Node) { r.sc.Journeys = r.journeys(n) },
		"intruders": func(n *yaml.Node) { r.sc.Intruder = r.intruders(n) },
	}
	what := "a part"
	r.full.node = root
	if !r.part {
		what = "a scenario"
		fields["name"] = func(n *yaml.Node) { r.sc.Name = r.Word(n, "name") }
		fields["use"] = r.use
		fields["quick"] = func(n *yaml.Node) { r.fast.node = n; r.Fields(n, "quick", r.fast.fields(r)) }
		fields["targets"] = func(n *yaml.Node) { r.sc.Targets = targets.ReadList(r.Doc, n, "targets") }
		fields["abort"] = func(n *yaml.Node) { r.sc.Abort = targets.ReadList(r.Doc, n, "abort") }
		for name, f := range r.full.fields(r) {
			fields[name] = f
		}
	}
	r.at = r.Fields(root, what, fields)
	if r.part || root.Kind != yaml.MappingNode {
		return
	}
	if r.at["name"] == nil {
		r.Fail(root, "as in name: peak", "a scenario needs a name")
	}
	r.sc.Load = r.full.load(r, Inside)
	r.sc.Quick = r.sc.Load
	if r.fast.node != nil {
		r.sc.Quick = r.fast.load(r, Before)
		if a, b := r.sc.Load.Model, r.sc.Quick.Model; a != b && len(r.sc.Quick.Stages) > 0 && len(r.sc.Load.Stages) > 0 {
			r.Fail(r.fast.node, "", "quick is a load of %s, the scenario one of %s", b, a)
		}
	}
}

// use reads the part that holds what several scenarios share.
func (r *reader) use(n *yaml.Node) {
	name := r.Word(n, "use")
	if name == "" {
		return
	}
	file, text, err := r.findPart(name)
	if err != nil {
		r.Fail(n, strict.Hint(name, parts()), "use: %v", err)
		return
	}
	r.used = &reader{part: true, open: func(file string) ([]byte, error) {
		return r.open(filepath.Join(filepath.Dir(name), file)) // beside the part
	}}
	r.used.read(file, text)
	for _, e := range r.used.Errors() {
		r.Add(e)
	}
}

// combine joins the scenario with what it uses, and checks what only the whole
// can tell.
func (r *reader) combine() {
	sc := r.sc
	if r.used != nil {
		shared := r.used.sc
		sc.Journeys = append(shared.Journeys, sc.Journeys...)
		sc.Intruder = append(shared.Intruder, sc.Intruder...)
		if r.at["accounts"] == nil {
			sc.Accounts = shared.Accounts
		}
		if r.at["cookies"] == nil {
			sc.Cookies = shared.Cookies
		}
		if r.at["timeout"] == nil {
			sc.Timeout = shared.Timeout
		}
	}
	r.gather()
	if r.lacks("journeys") {
		r.Add(&Error{Line: 1, Col: 1, Msg: "a scenario needs journeys", Hint: "write journeys, or use: clinic"})
	}
	r.session()
	r.distinct()
	r.malformed()
	r.intrusions()
	r.apart()
	if r.at["use"] != nil && (r.used == nil || r.used.at == nil) {
		return // what the part would have named is not known
	}
	r.placeholders()
	scope := sc.Scope()
	scope.Phases = slices.Concat(r.full.phases, r.fast.phases) // also those of a load with a mistake
	for _, err := range []error{targets.Check(r.known(sc.Targets), scope), targets.CheckAbort(r.known(sc.Abort), scope), targets.CheckOnly(sc.Targets, []string{sc.Name})} {
		if es, ok := err.(strict.Errors); ok {
			for _, e := range es {
				r.Add(e)
			}
		}
	}
}

// session finds a sign-in of which nothing is left for the steps after it.
func (r *reader) session() {
	signIn := &r.sc.Accounts.SignIn
	if _, token := signIn.Save["token"]; token || r.sc.Cookies || signIn.Path == "" || r.lost.has("token") {
		return
	}
	e := Error{File: r.File, Msg: "sign_in must save the token that later steps are sent with", Hint: "as in save: {token: json:access_token}; or keep its cookies, with cookies: keep"}
	for d := r; d != nil; d = d.used {
		if d.signIn != nil {
			e.File, e.Line, e.Col = d.File, d.signIn.Line, d.signIn.Column
			break
		}
	}
	r.Add(&e)
}

// distinct finds names that stand twice within their kind.
func (r *reader) distinct() {
	twice := func(kind, name string, line, col int, seen map[string]int) {
		if name == "" { // told already
			return
		}
		if first, ok := seen[name]; ok {
			r.Add(&Error{Line: line, Col: col, Msg: fmt.Sprintf("%s %q stands twice", kind, name), Hint: fmt.Sprintf("first on line %d", first)})
			return
		}
		seen[name] = line
	}
	steps, intruders := map[string]int{}, map[string]int{}
	for _, s := range r.sc.steps() {
		twice("step", s.Name, s.Line, s.Col, steps)
	}
	for _, in := range r.sc.Intruder {
		twice("intruder", in.Name, in.Line, in.Col, intruders)
	}
	journeys := map[string]bool{}
	for _, j := range r.sc.Journeys {
		if journeys[j.Name] && len(j.Tasks) > 0 && len(j.Tasks[0].Steps) > 0 {
			first := j.Tasks[0].Steps[0]
			r.Add(&Error{Line: first.Line, Col: first.Col, Msg: fmt.Sprintf("journey %q stands twice", j.Name)})
		}
		journeys[j.Name] = true
	}
}

// beside is the path of a file that is named in this one.
func (r *reader) beside(file string) string { return filepath.Join(filepath.Dir(r.File), file) }

// positive reads a time above 0.
func (r *reader) positive(n *yaml.Node, what string) time.Duration {
	errors := len(r.Errors())
	d := r.Duration(n, what)
	if d == 0 && len(r.Errors()) == errors {
		r.Fail(n, "", "%s: found %q, expected a time above 0", what, n.Value)
	}
	return d
}

// cookies reads whether users keep the cookies that they are given.
func (r *reader) cookies(n *yaml.Node) bool {
	switch w := r.Word(n, "cookies"); w {
	case "keep":
		return true
	case "", "drop":
	default:
		r.Fail(n, strict.Hint(w, []string{"keep", "drop"}), "cookies: found %q, expected keep or drop", w)
	}
	return false
}

// within reads a time above 0 that the histograms can hold: what takes longer is
// known to be longer, and no more.
func (r *reader) within(n *yaml.Node, what string) time.Duration {
	d := r.positive(n, what)
	if d > measure.Longest {
		r.Fail(n, "", "%s: found %q, expected at most %s: no longer time is measured", what, n.Value, measure.Longest)
	}
	return d
}

// Digest is the SHA256 of a scenario that was changed after it was read.
func (s *Scenario) Digest() string { return digest(s) }

// some reads a rate above 0.
func (r *reader) some(n *yaml.Node, what string) float64 {
	errors := len(r.Errors())
	v := r.Rate(n, what)
	if v == 0 && len(r.Errors()) == errors {
		r.Fail(n, "", "%s: found %q, expected more than 0", what, n.Value)
	}
	return v
}

// digest is of the canonical document: what the scenario asks for, under the names
// that stand in its types' tags, without what is left out. It knows neither
// comments, nor places, nor the names of our Go fields, so that renaming one does
// not part a scenario from the baselines that were made with it.
func digest(sc *Scenario) string {
	plain := *sc
	for _, list := range []*[]targets.Target{&plain.Targets, &plain.Abort} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].File, (*list)[i].Line, (*list)[i].Col = "", 0, 0
		}
	}
	text, err := json.Marshal(plain)
	if err != nil {
		panic("scenarios: a scenario is plain data: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
