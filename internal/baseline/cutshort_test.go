package baseline_test

import (
	"path/filepath"
	"slices"
	"testing"

	"vitals/internal/baseline"
)

// A session that was cut short is compared by the runs that it has, and says so, also
// after its file was read again; one that is compared with itself says that.
func TestNotesOfCutShortAndItself(t *testing.T) {
	old, now := solo("a", 200), solo("b", 200)
	now.Design.Planned, now.Design.Ended = 3, "interrupted"
	now.Summarise()
	path := filepath.Join(t.TempDir(), "b.json")
	if err := baseline.Write(path, now); err != nil {
		t.Fatal(err)
	}
	now, err := baseline.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	const cut, same = "new file: the session was cut short (interrupted); runs that went to their end: normal 1 of 3", "both sides are one session: this compares it with itself"
	if c := compare(t, old, now, baseline.Options{}); !slices.Contains(c.Notes, cut) || slices.Contains(c.Notes, same) || c.Verdict == baseline.OverallNotCompared {
		t.Errorf("got %s, %q", c.Verdict, c.Notes)
	}
	if c := compare(t, old, old, baseline.Options{}); !slices.Contains(c.Notes, same) {
		t.Errorf("with itself: got %q", c.Notes)
	}
	a, b := duet(o5, o5)
	if c := compare(t, a, b, baseline.Options{}); slices.Contains(c.Notes, same) {
		t.Errorf("two arms of one duet: got %q", c.Notes)
	}
	if c := compare(t, a, a, baseline.Options{}); !slices.Contains(c.Notes, same) {
		t.Errorf("one arm with itself: got %q", c.Notes)
	}
}
