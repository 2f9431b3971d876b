package intruders_test

import (
	"testing"
	"testing/synctest"
)

// What did not go as it should says what was expected, and not only what came.
func TestWhatWasExpectedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, samples := assaultIn(t, newDoor("replay"), read(t, "", "limit: 5, window: 300s"), reuse)
		seen := 0
		for _, s := range samples {
			if s.OK {
				continue
			}
			if seen++; s.Detail == nil || s.Detail.Why != "want a dead token refused, 401, got 200" {
				t.Errorf("status %d: got %+v, want what was expected", s.Code, s.Detail)
			}
		}
		if seen == 0 {
			t.Error("no dead token was served by a door that serves them")
		}
	})
}
