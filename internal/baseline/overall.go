package baseline

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Overall is the verdict of a whole comparison.
type Overall string

// The verdicts, the one that decides first: one gating row that is worse makes
// the whole worse, one that cannot be compared leaves no answer.
const (
	OverallWorse        Overall = "worse"
	OverallNotCompared  Overall = "not_comparable"
	OverallInvalid      Overall = "invalid"      // too many runs measured something else
	OverallConfirm      Overall = "confirm"      // a change beyond the tolerance that a duet must confirm
	OverallInconclusive Overall = "inconclusive" // a gating row is undecided
	OverallPass         Overall = "pass"
)

// conclude sets the verdict and its reasons from the gating rows.
func (c *Comparison) conclude(new *File, opt Options) {
	by, open := map[Overall][]string{}, map[Overall][]string{}
	gating := 0
	for _, r := range c.Rows {
		if !r.Gating {
			continue
		}
		gating++
		w := r.weighs()
		by[w] = append(by[w], r.Line())
		if !slices.Contains(open[w], r.Scenario) {
			open[w] = append(open[w], r.Scenario)
		}
	}
	c.Verdict = OverallPass
	for _, o := range []Overall{OverallWorse, OverallNotCompared, OverallConfirm, OverallInconclusive} {
		if len(by[o]) > 0 {
			c.Verdict, c.Reasons = o, by[o]
			break
		}
	}
	if gating == 0 {
		c.Verdict = OverallNotCompared
		c.Reasons = []string{"nothing that gates is in both files; --gate SCENARIO names what does"}
	}
	for _, r := range c.Rows {
		if c.Verdict == OverallWorse && r.Endpoint != "" && r.Change == Worse {
			c.Reasons = append(c.Reasons, r.Line())
		}
	}
	if c.Verdict == OverallConfirm || c.Verdict == OverallInconclusive && c.Looks == nil && gating > 0 {
		d := Duet{Old: c.Old.Subject, New: c.New.Subject, Stack: text(new.Env.Hard, "stack"), Flags: new.Session.Flags}
		told := true // where the scenarios were read, which files of before do not say
		for _, name := range open[c.Verdict] {
			named, known := new.named(name)
			d.Scenarios, told = append(d.Scenarios, named), told && known
		}
		if opt.Explain != nil { // which gate was asked for
			d.Flags = append(slices.Clone(d.Flags), "--gate", strings.Join(open[c.Verdict], ","))
		}
		for _, metric := range slices.Sorted(maps.Keys(opt.Tolerance)) {
			d.Flags = append(slices.Clone(d.Flags), "--tolerance", fmt.Sprintf("%s=%g%%", metric, 100*opt.Tolerance[metric]))
		}
		c.Decides = d.Command()
		if unnamed := d.Unnamed(); unnamed != "" {
			if !told {
				unnamed += "; and its file in the place of a scenario that is not built in"
			}
			c.Notes = append(c.Notes, unnamed)
		}
	}
}

// weighs is what a gating row makes of the whole.
func (r Row) weighs() Overall {
	switch {
	case r.Change == Worse:
		return OverallWorse
	case r.Change == NotCompared, r.Change == Insufficient:
		return OverallNotCompared
	case r.Confirm:
		return OverallConfirm
	case !r.Change.passes():
		return OverallInconclusive
	}
	return OverallPass
}

// staleAfter is the age past which an old file is warned about.
const staleAfter = 30 * 24 * time.Hour

// between says how far apart the two files are in time and in commits.
func between(old, new *File, opt Options) (notes []string) {
	if !opt.Now.IsZero() && !old.Session.Started.IsZero() {
		age := opt.Now.Sub(old.Session.Started)
		note := fmt.Sprintf("the old file is %s old", days(age))
		if age > staleAfter {
			note = "WARNING: " + note + ", more than 30 days: machines and data change meanwhile, record a new one"
		}
		notes = append(notes, note)
	}
	if opt.Commits != nil && old.Subject.GitRev != "" && new.Subject.GitRev != "" {
		if n, ok := opt.Commits(old.Subject.GitRev, new.Subject.GitRev); ok {
			notes = append(notes, fmt.Sprintf("%d commits from the old build to the new", n))
		}
	}
	if old.Subject.Dirty || new.Subject.Dirty {
		notes = append(notes, "built from a tree with changes that no revision holds")
	}
	if unlike := profiledUnlike(old, new); unlike != "" {
		notes = append(notes, unlike)
	}
	if itself(old, new) {
		notes = append(notes, "both sides are one session: this compares it with itself")
	}
	if k := new.CutShort(); k != "" {
		notes = append(notes, "new file: "+k)
	}
	if k := old.CutShort(); k != "" {
		notes = append(notes, "old file: "+k)
	}
	if k := new.InvalidRuns(); k != "" {
		notes = append(notes, "new file: "+k)
	}
	if k := old.InvalidRuns(); k != "" {
		notes = append(notes, "old file: "+k)
	}
	return notes
}

// mostReasons are told of the runs that were left out.
const mostReasons = 3

// InvalidRuns names the runs that were left out, and why; "" of none.
func (f *File) InvalidRuns() string {
	var why []string
	n := 0
	for _, s := range f.Scenarios {
		for _, r := range s.Runs {
			if !r.Valid {
				n++
				if !slices.Contains(why, r.Invalid) {
					why = append(why, r.Invalid)
				}
			}
		}
	}
	if n == 0 {
		return ""
	}
	if more := len(why) - mostReasons; more > 0 {
		why = append(why[:mostReasons], fmt.Sprintf("and %d more reasons, in the file", more))
	}
	return fmt.Sprintf("%s left out (%s)", map[bool]string{true: "1 invalid run", false: fmt.Sprintf("%d invalid runs", n)}[n == 1], strings.Join(why, "; "))
}

// CutShort says that a session did not go to its end, and what of it is in the file; ""
// of one that did. A duet says it of itself: see Gate.
func (f *File) CutShort() string {
	if f.Design.Ended == "" {
		return ""
	}
	words := []string{}
	for _, s := range f.Scenarios {
		words = append(words, fmt.Sprintf("%s %d of %d", s.Name, len(s.Runs), f.Design.Planned))
	}
	if len(words) == 0 {
		words = []string{"none"}
	}
	return "the session was cut short (" + f.Design.Ended + "); runs that went to their end: " + strings.Join(words, ", ")
}

// itself reports whether both files are one: the same session, and of a duet the same arm.
func itself(old, new *File) bool {
	return old.Session.ID == new.Session.ID && (!old.duet() || old.arm() == new.arm())
}

func (f *File) arm() string {
	for _, s := range f.Scenarios {
		for _, r := range s.Runs {
			return r.Arm
		}
	}
	return ""
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// CommitsIn counts commits in the git repository of a folder.
func CommitsIn(ctx context.Context, dir string) func(old, new string) (int, bool) {
	return func(old, new string) (int, bool) {
		cmd := exec.CommandContext(ctx, "git", "rev-list", "--count", "--end-of-options", old+".."+new)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			return 0, false
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(out)))
		return n, err == nil
	}
}
