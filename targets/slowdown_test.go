package targets_test

import (
	"testing"
	"time"

	"vitals/targets"
)

func TestSlowdown(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		without, with time.Duration
		ratio         float64
		felt          bool
	}{
		{2 * ms, 4 * ms, 1, false},       // twice as long, and nobody feels it
		{4 * ms, 2 * ms, 0.5, false},     // faster is told as it is
		{20 * ms, 50 * ms, 1, false},     // exactly the floor
		{20 * ms, 60 * ms, 3, true},      // past it the ratio counts
		{500 * ms, 540 * ms, 1.08, true}, // of a slow system a tenth is more than the floor
		{0, 40 * ms, 40e6, true},
	} {
		if ratio, felt := targets.Slowdown(c.without, c.with); ratio != c.ratio || felt != c.felt {
			t.Errorf("%s, then %s: got %g, %t, want %g, %t", c.without, c.with, ratio, felt, c.ratio, c.felt)
		}
	}
}
