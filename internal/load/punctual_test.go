package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vitals/scenarios"
)

// BenchmarkPunctuality compares when requests arrived, by the server's clock,
// with when the plan wanted them: an independent look at the schedule lag. The
// way to the server is in it.
func BenchmarkPunctuality(b *testing.B) {
	for _, rate := range []float64{1000, 5000, 10000} {
		b.Run(fmt.Sprintf("%.0f per s", rate), func(b *testing.B) {
			l := constant(scenarios.Arrivals, rate, time.Second)
			l.Grid = grid(rate)
			var mu sync.Mutex
			var began time.Time
			var late []time.Duration
			s := newNullServer(b, nil)
			schedule := l.Arrivals(0)
			s.answered = func(n uint64) {
				now := time.Now()
				due, _ := schedule.Due(n)
				mu.Lock()
				defer mu.Unlock()
				late = append(late, now.Sub(began)-due)
			}
			for b.Loop() {
				sc := ping(l, 0)
				if _, err := Run(b.Context(), sc, record(sc), Options{Base: s.url(), During: []func(context.Context, time.Time) error{
					func(_ context.Context, at time.Time) error {
						mu.Lock()
						defer mu.Unlock()
						began = at
						return nil
					},
				}}); err != nil {
					b.Fatal(err)
				}
			}
			// The first few came before the moment they count from was known here.
			late = slices.DeleteFunc(late, func(d time.Duration) bool { return d > time.Hour })
			slices.Sort(late)
			for _, q := range []int{50, 99} {
				b.ReportMetric(float64(late[len(late)*q/100])/1e3, fmt.Sprintf("p%d-µs-late", q))
			}
		})
	}
}
