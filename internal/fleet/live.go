package fleet

import (
	"fmt"
	"time"
)

// Pulse is what a member says of itself each second while it sends.
type Pulse struct {
	AtUS     int64   `json:"at_us"` // since the start: all that ended before is told
	Sent     int64   `json:"sent"`  // so far
	Errors   int64   `json:"errors"`
	Inflight int64   `json:"inflight"`
	Away     int64   `json:"away"`       // tasks of users without a session, so far
	Rate     float64 `json:"rate"`       // requests per second, over the last closed slice
	P50US    int64   `json:"p50_us"`     // of its own served responses, over the last closed slice; 0 = none
	P95US    int64   `json:"p95_us"`     // the same
	LagP99US int64   `json:"lag_p99_us"` // of its own lateness so far
	Over     bool    `json:"over"`       // it sends no more: this is its last
}

// Standing is a member while the run goes on, as the controller sees it.
type Standing struct {
	Index    int
	Host     string
	Pulse    Pulse
	Told     bool          // Pulse was heard
	OffsetUS int64         // of the common clock from the member's
	BoundUS  int64         // how wrong that may be
	Silent   time.Duration // since the last pulse
	State    string        // ready, running, finished or lost
	Differs  string        // from the others, in words
}

// factor is how far outside the range of the others a member is named.
const factor = 3

// Unlike says how a member differs from the others: its median or its share of
// errors (0 to 1) lies outside three times their range. "" when it does not, or when
// there are fewer than three to tell by: of two nobody knows which is the odd one. A
// median of 0 is not known; a member without median and errors is not there.
func Unlike(i int, p50US []int64, errors []float64) string {
	there := 0
	for j := range p50US {
		if p50US[j] > 0 || errors[j] > 0 {
			there++
		}
	}
	if there < 3 {
		return ""
	}
	var low, high int64
	var most float64
	for j := range p50US {
		if j == i {
			continue
		}
		if low == 0 || p50US[j] > 0 && p50US[j] < low {
			low = p50US[j]
		}
		high, most = max(high, p50US[j]), max(most, errors[j])
	}
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	switch p50, bad := p50US[i], errors[i]; {
	case p50 > 0 && high > 0 && (p50 > factor*high || p50*factor < low):
		return fmt.Sprintf("p50 %s, the others' %s to %s", us(p50), us(low), us(high))
	case bad > 0.01 && bad > factor*most:
		return fmt.Sprintf("%.1f%% errors, the others' at most %.1f%%", 100*bad, 100*most)
	}
	return ""
}
