package measure_test

import (
	"fmt"
	"time"

	"vitals/internal/measure"
)

// Each goroutine records into a shard of its own. The response time counts from
// when a request was due, the service time from when it was sent.
func ExampleRecorder() {
	rec := measure.NewRecorder(
		[]measure.Step{{Journey: "buyer", Name: "list goods"}},
		[]measure.Phase{{Name: "hold", To: time.Second, Judged: true}}, measure.Options{})
	shard := rec.Shard()
	for i := range 100 {
		due := time.Duration(i) * 10 * time.Millisecond
		shard.Record(&measure.Sample{
			Due: due, Sent: due + time.Millisecond, Done: due + 5*time.Millisecond, Code: 200,
			Outcome: measure.Served, OK: true, Planned: true,
		})
	}
	shard.Close()
	step := rec.Finish().Phases[0].Steps[0]
	response, _ := step.Response.Quantile(0.95)
	service, _ := step.Service.Quantile(0.95)
	fmt.Println(step.Counts.Served, "served:", response.Round(time.Millisecond), "response,", service.Round(time.Millisecond), "service")
	// Output: 100 served: 5ms response, 4ms service
}

// Histograms of one geometry merge exactly.
func ExampleHistogram_Merge() {
	a, b := measure.NewHistogram(), measure.NewHistogram()
	for i := range 100 {
		a.Record(time.Duration(i+1) * time.Millisecond)
		b.Record(time.Duration(i+101) * time.Millisecond)
	}
	a.Merge(b)
	p95, _ := a.Quantile(0.95)
	fmt.Println(a.N(), p95.Round(time.Millisecond))
	// Output: 200 190ms
}
