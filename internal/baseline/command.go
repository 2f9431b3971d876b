package baseline

import (
	"slices"
	"strings"
)

// What stands for a build that cannot be named.
const (
	unknownOld = "OLD"
	unknownNew = "NEW"
)

// Duet is a duet that would decide between two builds, as a command is made of it.
type Duet struct {
	Old, New  Subject
	Stack     string   // embedded, containers or url, on which they were measured; "" = not known
	Scenarios []string // as a command names them: a file is its path
	Flags     []string // that the runs were given as well, each word by itself
}

// Command is the duet as a shell takes it, with a word in capitals for a build or a
// deployment that cannot be named.
func (d Duet) Command() string {
	words := append([]string{"vitals", "duet"}, d.Scenarios...)
	old, new := d.builds()
	if d.Stack == "url" {
		words = append(words, "--base-url", old, "--cand-url", new)
	} else {
		words = append(words, "--base", old, "--cand", new)
	}
	if d.Stack == "containers" {
		words = append(words, "--stack", d.Stack)
	}
	words = append(words, d.Flags...)
	for i, w := range words {
		words[i] = Quoted(w)
	}
	return strings.Join(words, " ")
}

// builds are how the command names both sides. One deployment cannot be both: whichever
// build was there, another is there now.
func (d Duet) builds() (old, new string) {
	if d.Stack == "url" {
		if d.Old.Ref == "" || d.New.Ref == "" || d.Old.Ref == d.New.Ref {
			return unknownOld, unknownNew
		}
		return d.Old.Ref, d.New.Ref
	}
	return d.Old.ref(unknownOld), d.New.ref(unknownNew)
}

// Unnamed says what the command leaves to whoever pastes it; "" when it is whole.
func (d Duet) Unnamed() string {
	old, new := d.builds()
	switch {
	case old != unknownOld && new != unknownNew:
		return ""
	case d.Stack == "url":
		return "put the addresses of two deployments, of the old build and of the new, in the place of OLD and NEW: both were measured at one, or it is not known where"
	}
	return "put the builds in the place of OLD and NEW: no revision and no image is known of what was measured"
}

// ref is how a duet finds the build again.
func (s Subject) ref(unknown string) string {
	switch {
	case s.Ref != "":
		return s.Ref
	case s.Image != "":
		return s.Image
	case s.GitRev != "" && !s.Dirty:
		return s.GitRev[:min(12, len(s.GitRev))]
	}
	return unknown
}

// named is how a command names a scenario of the file; its name alone in files of
// before that was kept.
func (f *File) named(scenario string) (name string, known bool) {
	i := slices.IndexFunc(f.Scenarios, func(s Scenario) bool { return s.Name == scenario && s.Named != "" })
	if i < 0 {
		return scenario, false
	}
	return f.Scenarios[i].Named, true
}

// Quoted is one word for a POSIX shell.
func Quoted(w string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if w != "" && !strings.ContainsFunc(w, func(r rune) bool { return !safe(r) }) {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
