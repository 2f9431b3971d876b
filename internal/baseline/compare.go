package baseline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/internal/baseline/stats"
)

// Mismatch is one field that keeps two files from being compared, with both of
// its values.
type Mismatch struct {
	Scope string `json:"scope,omitempty"` // scenario, endpoint, or "" for the file
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// NotComparable is why two files, or a file and this program, cannot be
// compared: never a silent number.
type NotComparable []Mismatch

// membersField is how many machines sent the load; a run of one by itself has none.
const membersField = "env.members"

// Error names each field with both values, and says what would make a run of other
// members comparable.
func (e *NotComparable) Error() string {
	parts := make([]string, len(*e))
	for i, m := range *e {
		scope := m.Scope
		if scope != "" {
			scope += ": "
		}
		parts[i] = fmt.Sprintf("%s%s differs: %s against %s", scope, m.Field, orNone(m.Old), orNone(m.New))
		if m.Field == membersField {
			parts[i] += fmt.Sprintf(". Other machines are another instrument, which may differ where the builds do not: first run ONE build with both "+
				"(vitals fleet run --workers %s, and --workers %s) and look at what the instrument alone does (vitals compare --allow-env-mismatch); "+
				"two builds are judged with the same number", cmp.Or(m.Old, "1"), cmp.Or(m.New, "1"))
		}
	}
	if len(parts) == 1 {
		return "not comparable: " + parts[0]
	}
	return "not comparable:\n  " + strings.Join(parts, "\n  ")
}

func orNone(s string) string { return cmp.Or(s, "(none)") }

// Comparison is two files side by side, judged.
type Comparison struct {
	Old      Side            `json:"old"`
	New      Side            `json:"new"`
	Verdict  Overall         `json:"verdict"`
	Reasons  []string        `json:"reasons,omitempty"` // the lines of the rows that decided it
	Refused  []string        `json:"refused,omitempty"` // why a side cannot be compared at all: the first of the reasons
	Looks    []int           `json:"looks,omitempty"`   // of a duet
	Rows     []Row           `json:"rows"`
	Notes    []string        `json:"notes,omitempty"`
	Unmet    []Mismatch      `json:"unmet,omitempty"`    // environment fields that were allowed to differ
	Profiles []ProfileChange `json:"profiles,omitempty"` // where the processor time went, of scenarios that were profiled on both sides
	Decides  string          `json:"decides,omitempty"`  // the command that would decide what is left open
}

// Side names one file.
type Side struct {
	Session string  `json:"session"`
	Started string  `json:"started"` // RFC 3339
	Class   string  `json:"env_class"`
	Note    string  `json:"note,omitempty"`
	Subject Subject `json:"subject"`
}

// Options of a comparison.
type Options struct {
	AllowEnvMismatch bool                                       // show numbers from unlike machines; they can never be judged
	Explain          []string                                   // scenarios that explain and do not gate; nil = stress, spike, siege
	Tolerance        map[string]float64                         // by metric, relative; absent = the metric's own
	Now              time.Time                                  // to say how old the old file is; zero = not said
	Commits          func(old, new string) (int, bool)          // between two revisions, when known
	Past             func(scenario, metric string) Past         // earlier sessions; nil = none
	Prior            func(scenario, metric string) *stats.Prior // earlier pairs of one build with itself; nil = none
	Rates            bool                                       // compute the error rates of a duet's gate, which takes a second
	Smallest         map[string]float64                         // "normal p95" → the smallest change that a duet here may call worse
}

// Past is what history says of one figure.
type Past struct {
	Segments [][]float64 // session means between accepted changes, without the new session
	Old      []float64   // session means of the old build, the old file's own among them
}

// explain are the scenarios that do not gate: those that go past what the
// system can take, or that attack it.
func (o Options) explain() []string {
	if o.Explain != nil {
		return o.Explain
	}
	return []string{"stress", "spike", "siege"}
}

// Compare judges the scenarios that both files hold. Two files of one duet are
// compared pair by pair, all others as sessions. What does not compare is an
// error of type *NotComparable.
func Compare(old, new *File, opt Options) (*Comparison, error) {
	c := &Comparison{Old: SideOf(old), New: SideOf(new)}
	j := &judging{opt: opt, same: old.Session.ID == new.Session.ID && !old.duet()}
	if old.duet() && new.duet() && old.Session.ID == new.Session.ID {
		j.looks = old.Design.Looks
		if err := j.looks.Check(); err != nil {
			return nil, &NotComparable{{Field: "design.looks", Old: fmt.Sprint(old.Design.Looks), New: err.Error()}}
		}
		c.Looks = j.looks
		j.opt = j.opt.asDuet(old.Design.Gate)
	}
	bad := NotComparable(files(old, new))
	env := environment(old.Env, new.Env, j.looks != nil)
	if opt.AllowEnvMismatch {
		c.Unmet, env, j.unlike = env, nil, len(env) > 0
	}
	bad = append(bad, env...)
	common := 0
	for i := range old.Scenarios {
		o := &old.Scenarios[i]
		k := slices.IndexFunc(new.Scenarios, func(s Scenario) bool { return s.Name == o.Name })
		if k < 0 {
			c.Notes = append(c.Notes, "only the old file has scenario "+o.Name)
			continue
		}
		common++
		if m := scenario(o, &new.Scenarios[k]); len(m) > 0 {
			bad = append(bad, m...)
			continue
		}
		j.scenario(o, &new.Scenarios[k])
	}
	for _, n := range new.Scenarios {
		if !slices.ContainsFunc(old.Scenarios, func(s Scenario) bool { return s.Name == n.Name }) {
			c.Notes = append(c.Notes, "only the new file has scenario "+n.Name)
		}
	}
	if common == 0 {
		bad = append(bad, Mismatch{Field: "set of scenarios", Old: names(old), New: names(new)})
	}
	if len(bad) > 0 {
		return nil, &bad
	}
	c.Rows = j.judge()
	c.Profiles = profiles(old, new)
	c.Notes = append(c.Notes, j.shortHistories()...)
	c.Notes = append(c.Notes, between(old, new, opt)...)
	c.conclude(new, opt)
	if c.Verdict == OverallNotCompared {
		c.Refused = refused(old, new, opt.explain())
		c.Reasons = slices.Concat(c.Refused, c.Reasons)
	}
	if len(c.Unmet) > 0 {
		c.Verdict, c.Decides, c.Reasons = OverallNotCompared, "", []string{"unlike machines: their figures are shown, and never judged"}
	}
	return c, nil
}

// duet says whether a file is one arm of a duet.
func (f *File) duet() bool { return f.Design.Mode == ModeDuet }

// SideOf names a file.
func SideOf(f *File) Side {
	return Side{Session: f.Session.ID, Started: f.Session.Started.UTC().Format("2006-01-02T15:04:05Z"), Class: f.Env.Class, Note: f.Session.Note, Subject: f.Subject}
}

func names(f *File) string {
	out := make([]string, len(f.Scenarios))
	for i, s := range f.Scenarios {
		out[i] = s.Name
	}
	if why := f.CutShort(); len(out) == 0 && why != "" {
		return "none: " + why
	}
	return strings.Join(out, ", ")
}

// files is what must agree of the whole files.
func files(old, new *File) (out []Mismatch) {
	if !understood(old.Schema) || !understood(new.Schema) {
		out = append(out, Mismatch{Field: "schema", Old: old.Schema, New: new.Schema})
	}
	if old.Hashes.Dataset != new.Hashes.Dataset {
		out = append(out, Mismatch{Field: "dataset", Old: old.Hashes.Dataset, New: new.Hashes.Dataset})
	}
	return out
}

// environment names the hard fields that differ. Both arms of a duet ran on one
// machine, whatever it was: only the limits of the system itself must agree.
func environment(old, new Env, duet bool) (out []Mismatch) {
	fields := map[string]bool{}
	for k := range old.Hard {
		fields[k] = true
	}
	for k := range new.Hard {
		fields[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if duet && !ofSystem(k) {
			continue
		}
		if o, n := text(old.Hard, k), text(new.Hard, k); o != n {
			out = append(out, Mismatch{Field: "env." + k, Old: o, New: n})
		}
	}
	if len(out) == 0 && old.Class != new.Class && !duet {
		out = append(out, Mismatch{Field: "env.class", Old: old.Class, New: new.Class})
	}
	return out
}

// Hard fields of the system under test, not of the machine.
const (
	limitsField = "sut_limits"
	limitPrefix = "limit " // followed by the name of a setting
)

// ofSystem says whether a hard field is one of them.
func ofSystem(field string) bool {
	return field == limitsField || strings.HasPrefix(field, limitPrefix)
}

func text(m map[string]any, k string) string {
	if v, ok := m[k]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// scenario is what must agree of one scenario.
func scenario(old, new *Scenario) (out []Mismatch) {
	if old.Config != new.Config {
		out = append(out, Mismatch{Scope: old.Name, Field: "scenario (sha256 of its file)", Old: short(old.Config), New: short(new.Config)})
	}
	if old.LoadModel != new.LoadModel {
		out = append(out, Mismatch{Scope: old.Name, Field: "load model (sha256 of users or arrivals, --pace, and phases)", Old: short(old.LoadModel), New: short(new.LoadModel)})
	}
	return out
}

// short is a sum as people tell two apart.
func short(sum string) string { return sum[:min(12, len(sum))] }
