package harness

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/stack"
	"vitals/report"
)

// MergeDirs reads the members' documents from the folders and merges them, in any
// order, into OUT/document.json, OUT/report.html and, when the run counts,
// OUT/baseline.json.
func MergeDirs(dirs []string, out string, maxLost int) (*report.Document, error) {
	if maxLost < 0 {
		return nil, exit.Errorf(exit.Usage, "--max-lost %d: want 0 or more", maxLost)
	}
	for _, dir := range dirs {
		if a, b := absolute(dir), absolute(out); a == b {
			return nil, exit.Errorf(exit.Usage, "--out %s is a member's folder, whose document would be overwritten: name another", out)
		}
	}
	d, err := mergeDirs(dirs, maxLost)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	d.Command = append([]string{"vitals", "merge"}, slices.Sorted(slices.Values(dirs))...) // in any order
	if maxLost > 0 {
		d.Command = append(d.Command, "--max-lost", strconv.Itoa(maxLost))
	}
	return d, WriteMerged(out, d)
}

// absolute is a folder's one name, where links lead to it.
func absolute(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return dir
}

// mergeDirs has one document at a time in memory: it reads each twice, first for the
// order and for all that is wrong.
func mergeDirs(dirs []string, maxLost int) (*report.Document, error) {
	file := func(i int) string { return filepath.Join(dirs[i], "document.json") }
	heads := make([]*fleet.Info, len(dirs))
	var errs []error
	for i := range dirs {
		d, err := report.Read(file(i))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		heads[i] = d.Member
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return mergeAll(heads, maxLost, func(i int) (*report.Document, error) { return report.Read(file(i)) })
}

// WriteMerged leaves a merged document and its page in the folder, and its baseline
// when nothing of the run is missing.
func WriteMerged(out string, d *report.Document) error {
	release, err := stack.Output(out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }()
	return writeMerged(out, d)
}

func writeMerged(out string, d *report.Document) error {
	return exit.With(exit.NoAnswer, leave(out, d, !d.Partial))
}

// Merge makes the one document of a run from its members', and judges it by the
// targets of their common plan. Documents that are not the shares of one run are
// an error that says what does not fit. Up to maxLost members may be missing: the
// run is then partial, which can fail but never pass.
func Merge(docs []*report.Document, maxLost int) (*report.Document, error) {
	heads := make([]*fleet.Info, len(docs))
	for i, d := range docs {
		heads[i] = d.Member
	}
	return mergeAll(heads, maxLost, func(i int) (*report.Document, error) { return docs[i], nil })
}

// mergeAll merges the documents with these heads, which read gives.
func mergeAll(heads []*fleet.Info, maxLost int, read func(i int) (*report.Document, error)) (*report.Document, error) {
	order, err := sortMembers(heads, maxLost)
	if err != nil {
		return nil, err
	}
	var sum merger
	for _, i := range order {
		d, err := read(i)
		if err == nil {
			err = sum.add(d)
		}
		if err != nil {
			return nil, err
		}
	}
	return sum.document(maxLost, runEnd{})
}

// sortMembers gives the order of documents by their indexes, and says all that keeps
// them from being one run.
func sortMembers(heads []*fleet.Info, maxLost int) (order []int, err error) {
	if len(heads) == 0 {
		return nil, errors.New("merge: no members")
	}
	var errs []error
	var first *fleet.Info
	there := map[int]string{}
	byIndex := map[int]int{}
	for n, m := range heads {
		if m == nil {
			errs = append(errs, fmt.Errorf("document %d is no member's: it was not made with --member", n+1))
			continue
		}
		first = cmp.Or(first, m)
		errs = append(errs, belongs(first, m, there))
		there[m.Index], byIndex[m.Index] = m.Incarnation, n
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var missing []int
	for i := range first.Plan.Members {
		if n, ok := byIndex[i]; ok {
			order = append(order, n)
		} else {
			missing = append(missing, i)
		}
	}
	if len(missing) > maxLost {
		return nil, tooFew(missing, first.Plan.Members, maxLost)
	}
	return order, nil
}

func tooFew(missing []int, members, maxLost int) error {
	return fmt.Errorf("members %v of %d are missing: sum of shares != the plan (--max-lost %d)", missing, members, maxLost)
}

// belongs is an error when a member is not of the first's run, or is one of those that
// are there, by index and incarnation.
func belongs(first, m *fleet.Info, there map[int]string) error {
	earlier, again := there[m.Index]
	switch {
	case m.ID != m.Plan.ID():
		return fmt.Errorf("member %d: its plan was changed after the run (digest %.12s, its text gives %.12s)", m.Index, m.ID, m.Plan.ID())
	case m.ID != first.ID:
		return fmt.Errorf("member %d has another plan (%.12s) than the first document (%.12s): %s", m.Index, m.ID, first.ID, planDiff(first.Plan, m.Plan))
	case again && earlier == m.Incarnation:
		return fmt.Errorf("member %d is there twice", m.Index)
	case again:
		return fmt.Errorf("member %d ran twice (%.8s and %.8s): its share was sent twice", m.Index, earlier, m.Incarnation)
	case m.StartAt.IsZero() && m.Plan.Members > 1:
		return fmt.Errorf("member %d began by itself, without --start-at: the sum of shares that were not sent together is no load that ever was", m.Index)
	case m.StartAt.Sub(first.StartAt).Abs() > startSpread: // the sum of shares that were sent one after the other is no load that ever was
		return fmt.Errorf("member %d did not begin with member %d: %s, not %s", m.Index, first.Index, began(m), began(first))
	}
	return nil
}

// startSpread is how far apart members may say that they began: each tells the common
// instant by its own clock, which may be off by 50 ms.
const startSpread = 100 * time.Millisecond

// began is the instant that a member was told to begin at.
func began(m *fleet.Info) string {
	if m.StartAt.IsZero() {
		return "by itself, without --start-at"
	}
	return m.StartAt.UTC().Format(time.RFC3339Nano)
}

// planDiff names what differs.
func planDiff(a, b fleet.Plan) string {
	for _, f := range []struct{ name, a, b string }{
		{"version", a.Version, b.Version}, {"histograms", a.Geometry, b.Geometry}, {"pace", a.Pace, b.Pace}, {"url", a.URL, b.URL},
		{"profile", a.Profile, b.Profile}, {"seed", fmt.Sprint(a.Seed), fmt.Sprint(b.Seed)}, {"members", fmt.Sprint(a.Members), fmt.Sprint(b.Members)},
		{"scenario", fmt.Sprint(a.Scenarios), fmt.Sprint(b.Scenarios)},
	} {
		if f.a != f.b {
			return fmt.Sprintf("%s is %s, not %s", f.name, f.b, f.a)
		}
	}
	return "targets differ"
}
