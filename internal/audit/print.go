package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// maxPrinted is how many violations a person is shown; the document has all.
const maxPrinted = 5

// Print writes a report for a person: a line for each finding, by family, with
// the reason below what failed or was skipped, and the counts. columns is the width of
// a terminal; 0 = there is none, and lines are as long as they are.
func Print(w io.Writer, rep Report, columns int) error {
	var b strings.Builder
	title, narrow := 72, columns > 0 && columns < 120
	if narrow { // without the place of the promise, and no longer than a line
		title = max(16, columns-27)
	}
	fmt.Fprintf(&b, "Audit of %s (profile %s)\n", rep.Target, rep.Profile)
	if rep.ShortClock {
		b.WriteString("SHORT CLOCK: locks and windows were shortened to seconds; the published 900 s were not verified.\n")
	}
	if rep.Partial {
		b.WriteString("INTERRUPTED: what had not run yet is skipped.\n")
	}
	if rep.Stopped != "" {
		fmt.Fprintf(&b, "STOPPED: the API takes no connections any more since %s; what had not run yet is skipped.\n", rep.Stopped)
	}
	family, unasked := "", 0
	for _, f := range rep.Findings {
		if f.Status == NotAsked {
			unasked++
		}
		if f.Status == NotAsked || f.NotRun {
			continue
		}
		if name := Family(f.ID); name != family {
			family = name
			fmt.Fprintf(&b, "\n%s%s\n", strings.ToUpper(name[:1]), name[1:])
		}
		rests := "  " + f.rests()
		if narrow {
			rests = ""
		}
		fmt.Fprintf(&b, "  %-6s %-5s %-*s %8s%s\n", f.Status, f.ID, title, short(f.Title, title), brief(time.Duration(f.Took)), rests)
		if f.Status != Pass {
			if f.Follows != "" {
				fmt.Fprintf(&b, "              follows from %s:\n", f.Follows)
			}
			if f.Status != Skip && f.Basis != nil {
				fmt.Fprintf(&b, "              (%v)\n", f.Basis)
			}
			for line := range strings.SplitSeq(f.Reason, "\n") {
				fmt.Fprintf(&b, "              %s\n", line)
			}
		}
	}
	if ids, why := rep.Unrun(); len(ids) > 0 {
		fmt.Fprintf(&b, "\nSKIP, %s: %d of the probes\n", why, len(ids))
		for line := range slices.Chunk(ids, 10) {
			fmt.Fprintf(&b, "  %s\n", strings.Join(line, " "))
		}
	}
	if unasked > 0 {
		fmt.Fprintf(&b, "\nNot asked: %d of the probes, for nothing was promised; which, and why, is in audit.json\n", unasked)
	}
	for _, f := range rep.Findings { // of a few that were named, who named them wants to know
		if f.Status == NotAsked && len(rep.Findings) <= maxPrinted {
			fmt.Fprintf(&b, "  %-5s %s\n", f.ID, f.Reason)
		}
	}
	fmt.Fprintf(&b, "\nRate-limit invariants, %d answers: ", rep.Events)
	switch {
	case rep.Events == 0:
		b.WriteString("nothing was sent that they are about: requests that a window or a lock counts\n")
	case len(rep.Violations) == 0:
		b.WriteString("0 violations\n")
	default:
		fmt.Fprintf(&b, "%d violations%s\n", len(rep.Violations), seeFirst(rep.Findings))
		for i, v := range rep.Violations {
			if i == maxPrinted {
				fmt.Fprintf(&b, "  … and %d more in the document\n", len(rep.Violations)-i)
				break
			}
			fmt.Fprintf(&b, "  FAIL  %s\n", strings.ReplaceAll(v.String(), "\n", "\n      "))
		}
	}
	for _, p := range rep.Standards {
		p.write(&b)
	}
	c := rep.Counts
	fmt.Fprintf(&b, "\n%d PASS, %d FAIL, ", c.Pass, c.Fail)
	if c.Advice > 0 {
		fmt.Fprintf(&b, "%d ADVICE (not promised, so no failure), ", c.Advice)
	}
	fmt.Fprintf(&b, "%d SKIP", c.Skip)
	if c.Skip > 0 {
		b.WriteString(" (skipped is not proved)")
	}
	if n := len(rep.Violations); n > 0 {
		what := "which fail as well"
		if !slices.ContainsFunc(rep.Violations, func(v limitcheck.Violation) bool { return v.Follows == "" }) {
			what = "which follow from those"
		}
		fmt.Fprintf(&b, ", and %d violations of rate-limit invariants, %s (vitals audit --explain %s)", n, what, rep.Violations[0].Rule)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// seeFirst names the probes that tell what a limit does instead of what it promises;
// the invariants show it only in the answers that came.
func seeFirst(findings []Finding) string {
	var ids []string
	for _, f := range findings {
		for cause, first := range firstCauses {
			if cause != open && f.Status == Fail && slices.Contains(first, f.ID) {
				ids = append(ids, f.ID)
			}
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " (see " + strings.Join(ids, ", ") + " first)"
}

// rests is where what the finding is held to stands: a line of the user's own document
// or profile, a line of the guide, or the standard's requirement.
func (f Finding) rests() string {
	switch b := f.Basis; {
	case b == nil:
		return ""
	case b.Promise != "":
		return b.Place.String()
	case b.Standard == profile.ASVS && len(f.ASVS) > 1:
		return fmt.Sprintf("%s and %d more", f.ASVS[0], len(f.ASVS)-1)
	case b.Standard == profile.ASVS && len(f.ASVS) == 1:
		return f.ASVS[0]
	}
	return f.Guide
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
