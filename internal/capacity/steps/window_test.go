package steps

import (
	"math"
	"strings"
	"testing"
	"time"

	"vitals/internal/capacity"
	"vitals/internal/exit"
	"vitals/internal/harness"
)

// TestLowRatesTakeLonger: a window that is made longer is told, and none is made more
// than ten times as long.
func TestLowRatesTakeLonger(t *testing.T) {
	for _, c := range []struct {
		rate   float64
		window time.Duration
		why    string
	}{
		{100, 30 * time.Second, ""},
		{10, 30 * time.Second, ""},
		{1.5625, 192 * time.Second, "measures for 3m12s, not 30s: a p95 needs 300 arrivals"},
	} {
		got, why := stretched(30*time.Second, c.rate)
		if got != c.window || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%g/s: got %s %q, want %s %q", c.rate, got, why, c.window, c.why)
		}
	}
	if got := leastRate(30 * time.Second); got != 1 {
		t.Errorf("got %g/s as the lowest rate, want 1: 300 arrivals in 10 times 30 s", got)
	}
}

// TestSearchRefusesWhatIsNoNumber: before anything is started.
func TestSearchRefusesWhatIsNoNumber(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"--measure 0s": func(o *Options) { o.Measure = 0 }, "--warmup -1s": func(o *Options) { o.Warmup = -time.Second },
		"--start NaN": func(o *Options) { o.Search.Start = math.NaN() }, "--precision NaN": func(o *Options) { o.Search.Precision = math.NaN() },
	} {
		o := Options{Run: harness.Options{Scenarios: []string{"nosuch"}, Out: t.TempDir()}, Measure: time.Second, Format: "text",
			Search: capacity.Options{Start: 10, Precision: 0.05, Confirm: 1}}
		change(&o)
		err := Search(t.Context(), t.Context(), o, harness.Streams{})
		if exit.Code(err) != exit.Usage || strings.Contains(err.Error(), "nosuch") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
