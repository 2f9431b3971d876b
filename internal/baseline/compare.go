package baseline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// Error names each field with both values.
func (e *NotComparable) Error() string {
	parts := make([]string, len(*e))
	for i, m := range *e {
		scope := m.Scope
		if scope != "" {
			scope += ": "
		}
		parts[i] = fmt.Sprintf("%s%s differs: %s against %s", scope, m.Field, orNone(m.Old), orNone(m.New))
	}
	if len(parts) == 1 {
		return "not comparable: " + parts[0]
	}
	return "not comparable:\n  " + strings.Join(parts, "\n  ")
}

func orNone(s string) string { return cmp.Or(s, "(none)") }

// Comparison is two files side by side.
type Comparison struct {
	Old   Side       `json:"old"`
	New   Side       `json:"new"`
	Rows  []Row      `json:"rows"`
	Notes []string   `json:"notes,omitempty"`
	Unmet []Mismatch `json:"unmet,omitempty"` // environment fields that were allowed to differ
}

// Side names one file.
type Side struct {
	Session string  `json:"session"`
	Started string  `json:"started"` // RFC 3339
	Class   string  `json:"env_class"`
	Subject Subject `json:"subject"`
}

// Options of a comparison.
type Options struct {
	AllowEnvMismatch bool // show numbers from unlike machines; they can never be judged
}

// Compare sets the scenarios that both files hold side by side. What does not
// compare is an error of type *NotComparable.
func Compare(old, new *File, opt Options) (*Comparison, error) {
	c := &Comparison{Old: side(old), New: side(new)}
	bad := NotComparable(files(old, new))
	env := environment(old.Env, new.Env)
	if opt.AllowEnvMismatch {
		c.Unmet, env = env, nil
	}
	bad = append(bad, env...)
	common := 0
	for i := range old.Scenarios {
		o := &old.Scenarios[i]
		j := slices.IndexFunc(new.Scenarios, func(s Scenario) bool { return s.Name == o.Name })
		if j < 0 {
			c.Notes = append(c.Notes, "only the old file has scenario "+o.Name)
			continue
		}
		common++
		n := &new.Scenarios[j]
		if m := scenario(o, n); len(m) > 0 {
			bad = append(bad, m...)
			continue
		}
		c.Rows = append(c.Rows, rows(o, n, old.Session.ID == new.Session.ID)...)
	}
	for _, n := range new.Scenarios {
		if !slices.ContainsFunc(old.Scenarios, func(s Scenario) bool { return s.Name == n.Name }) {
			c.Notes = append(c.Notes, "only the new file has scenario "+n.Name)
		}
	}
	if common == 0 {
		bad = append(bad, Mismatch{Field: "scenarios", Old: names(old), New: names(new)})
	}
	if len(bad) > 0 {
		return nil, &bad
	}
	return c, nil
}

func side(f *File) Side {
	return Side{Session: f.Session.ID, Started: f.Session.Started.UTC().Format("2006-01-02T15:04:05Z"), Class: f.Env.Class, Subject: f.Subject}
}

func names(f *File) string {
	out := make([]string, len(f.Scenarios))
	for i, s := range f.Scenarios {
		out[i] = s.Name
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

// environment names the hard fields that differ.
func environment(old, new Env) (out []Mismatch) {
	fields := map[string]bool{}
	for k := range old.Hard {
		fields[k] = true
	}
	for k := range new.Hard {
		fields[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if o, n := text(old.Hard, k), text(new.Hard, k); o != n {
			out = append(out, Mismatch{Field: "env." + k, Old: o, New: n})
		}
	}
	if len(out) == 0 && old.Class != new.Class {
		out = append(out, Mismatch{Field: "env.class", Old: old.Class, New: new.Class})
	}
	return out
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
		out = append(out, Mismatch{Scope: old.Name, Field: "scenario", Old: old.Config, New: new.Config})
	}
	if old.LoadModel != new.LoadModel {
		out = append(out, Mismatch{Scope: old.Name, Field: "load model", Old: old.LoadModel, New: new.LoadModel})
	}
	return out
}
