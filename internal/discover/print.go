package discover

import (
	"fmt"
	"io"
	"strings"
	"time"

	"vitals/internal/profile"
)

// Lines are the profile's lines for what was found, to paste under limits. What
// could not be told is a comment above.
func (f *Found) Lines() string {
	var b strings.Builder
	for _, u := range f.Unknown {
		fmt.Fprintf(&b, "  # cannot tell %s\n", u)
	}
	l := f.Limit
	fields := []string{fmt.Sprintf("limit: %d", l.Limit)}
	if l.Window > 0 || l.Lock == 0 {
		fields = append(fields, "window: "+l.Window.String())
	}
	if f.Kind == FixedWindow {
		fields = append(fields, "fixed: true")
	}
	if l.Lock > 0 {
		fields = append(fields, "lock: "+l.Lock.String())
	}
	if l.Counts != "" {
		fields = append(fields, "counts: "+l.Counts)
	}
	if l.By != "" {
		fields = append(fields, "by: "+l.By)
	}
	if len(l.Statuses) > 0 {
		fields = append(fields, "statuses: "+strings.ReplaceAll(fmt.Sprint(l.Statuses), " ", ", "))
	}
	fields = append(fields, "headers: "+l.Headers)
	off := ""
	if l.Window+l.Lock == 0 {
		off = "# " // no limit can be written without a time
	}
	fmt.Fprintf(&b, "  %slogin: {%s}\n", off, strings.Join(fields, ", "))
	return b.String()
}

// Sentence is what a document would say of it.
func (f *Found) Sentence() string {
	l := f.Limit
	what := map[string]string{profile.Failures: "failed sign-ins", profile.Requests: "sign-ins, right ones as well,", "": "sign-ins (failed ones at least)"}[l.Counts]
	by := map[string]string{
		profile.ByAddress: "from one client address", profile.ByAccount: "for one account", profile.ByPair: "from one client address for one account",
		profile.ByBoth: "from one client address, or for one account,", "": "",
	}[l.By]
	var b strings.Builder
	fmt.Fprintf(&b, "After %d %s %s", l.Limit, what, by)
	if l.Window > 0 {
		fmt.Fprintf(&b, " within %s", words(l.Window))
	}
	status := l.Status()
	if l.Lock > 0 {
		fmt.Fprintf(&b, ", further ones are refused with %d for %s", status, words(l.Lock))
	} else {
		fmt.Fprintf(&b, ", further ones are refused with %d until the window has room again", status)
	}
	if f.Kind != "" && l.Lock == 0 {
		fmt.Fprintf(&b, " (%s)", f.Kind)
	}
	if f.Retry {
		b.WriteString("; Retry-After tells how long to wait")
	}
	return strings.Join(strings.Fields(b.String()), " ") + "."
}

func words(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return plural(int(d/time.Minute), "minute")
	case d%time.Second == 0:
		return plural(int(d/time.Second), "second")
	}
	return d.String()
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// Write prints what was found: the lines for a profile, and the sentence for a
// document.
func (f *Found) Write(w io.Writer) error {
	var b strings.Builder
	if !f.Limited {
		fmt.Fprintf(&b, "No limit on signing in was met. %s.\n", strings.Join(f.Notes, ". "))
	} else {
		fmt.Fprintf(&b, "For the profile:\n\nlimits:\n%s", f.Lines())
		if f.Limit.Window+f.Limit.Lock > 0 {
			fmt.Fprintf(&b, "\nFor the document:\n\n  %s\n", f.Sentence())
		}
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "\n  note: %s", n)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d requests, %v\n", f.Requests, f.Took.Round(time.Second))
	_, err := io.WriteString(w, b.String())
	return err
}
