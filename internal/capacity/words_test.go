package capacity_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vitals/internal/capacity"
)

// TestLawStandsBackBehindWhatWasMeasured: the curve is called extrapolated, and left out
// where it does not fit the steps.
func TestLawStandsBackBehindWhatWasMeasured(t *testing.T) {
	steps := func(means ...int) (out []capacity.Step) {
		for i, ms := range means {
			rate := float64(int(100) << i)
			out = append(out, capacity.Step{Rate: rate, Meets: true, Goodput: rate, Mean: time.Duration(ms) * time.Millisecond, Requests: 1000})
		}
		return out
	}
	text := func(o *capacity.Outcome) string {
		var b bytes.Buffer
		if err := o.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	fits := &capacity.Outcome{Low: 800, High: 1600, Steps: steps(10, 11, 14, 20, 40)}
	fits.USL = capacity.Fit(fits.Steps)
	if got := text(fits); !strings.Contains(got, "extrapolated, not measured, and whatever the targets: the scalability law through 5 steps") {
		t.Errorf("a curve that fits:\n%s", got)
	}
	below := *fits
	below.USL = &capacity.USL{Lambda: fits.USL.Lambda, Sigma: fits.USL.Sigma, Kappa: fits.USL.Kappa, Peak: 700, Between: [2]float64{650, 750}, Points: 5}
	if got := text(&below); !strings.Contains(got, "the scalability law is left out: its limit, 700 requests/s, is below the 1600 that were measured") {
		t.Errorf("a limit below what was measured:\n%s", got)
	}
	far := *fits // the same curve, of which only the beginning was measured
	far.Steps = far.Steps[:3]
	if got := text(&far); !strings.Contains(got, "left out: its limit, ") || !strings.Contains(got, " requests/s, is more than twice the 400 that were measured") {
		t.Errorf("a limit far beyond what was measured:\n%s", got)
	}
	poor := *fits
	poor.USL = &capacity.USL{Lambda: 10, Sigma: 0.01, Peak: 1000, Between: [2]float64{900, 3000}, Points: 5}
	if got := text(&poor); !strings.Contains(got, "left out: it misses the measured response times by ") || strings.Contains(got, "extrapolated") {
		t.Errorf("a curve far from the steps:\n%s", got)
	}
}
