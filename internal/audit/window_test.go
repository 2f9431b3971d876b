package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// A limit without a window counts until the lock, or a success: that one of somebody else
// ends the count breaks no promise, and breaks the one of a limit with a window.
func TestASuccessEndsACountWithoutAWindow(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{0, 6 * time.Second} {
		g := audittest.New("success clears the whole address").Serve(t)
		l := g.Profile.Limits["login"]
		l.Window = window
		g.Profile.Limits["login"] = l
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK14"), g, audit.Options{Patience: time.Minute})
		f := rep.Findings[0]
		switch {
		case window > 0 && f.Status != audit.Fail:
			t.Errorf("with a window: got %v %q, want a failure", f.Status, f.Reason)
		case window == 0 && (f.Status == audit.Fail || len(rep.Violations) > 0 || !strings.Contains(f.Reason, "has no window")):
			t.Errorf("without a window: got %v %q and %v, want it not asked, with the reason", f.Status, f.Reason, rep.Violations)
		}
	}
}

// A window that is open again long before its promised end is found; one that is not,
// is not accused, whether it slides or follows another.
func TestAWindowThatEndsEarly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		window time.Duration // promised, of one that is 6 s, or a lock of 4 s
		fixed  bool
		found  bool
	}{{6 * time.Second, false, false}, {6 * time.Second, true, false}, {12 * time.Second, false, true}, {30 * time.Second, true, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			g := audittest.New("").Serve(t)
			l := g.Profile.Limits["login"]
			l.Window, l.Fixed, l.Lock = c.window, c.fixed, 0
			g.Profile.Limits["login"] = l
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK16"), g, audit.Options{Patience: time.Minute})
			if f := rep.Findings[0]; strings.Contains(f.Reason, "the window is shorter than") != c.found || (f.Status == audit.Fail) != c.found {
				t.Errorf("got %v %q", f.Status, f.Reason)
			}
		})
	}
}
