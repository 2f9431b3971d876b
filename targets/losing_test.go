package targets_test

import (
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

func TestLosing(t *testing.T) {
	ts := []targets.Target{parse(t, "p95 < 300ms"), parse(t, "p95 < 300ms"), parse(t, "errors < 1%"), parse(t, "cpu < 70%"), parse(t, "lockout.admitted == 5")}
	slow := measure.Slice{Counts: measure.Counts{Sent: 100, Served: 100}, P95: 400 * time.Millisecond}
	fine := measure.Slice{Counts: measure.Counts{Sent: 100, Served: 100}, P95: 4 * time.Millisecond}
	for name, c := range map[string]struct {
		last []measure.Slice
		want int
	}{
		"three slow":   {[]measure.Slice{fine, slow, slow, slow}, 1},
		"one slow":     {[]measure.Slice{fine, fine, slow}, 0},
		"too few":      {[]measure.Slice{slow, slow}, 0},
		"no data":      {[]measure.Slice{{}, {}, {}}, 0},
		"one has none": {[]measure.Slice{slow, {}, slow}, 0},
	} {
		got := targets.Losing(ts, "peak", measure.Snapshot{Every: time.Second, Last: c.last})
		if len(got) != c.want {
			t.Errorf("%s: got %v, want %d", name, got, c.want)
		}
		if c.want == 1 && time.Duration(got[0].Got) != 400*time.Millisecond {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
