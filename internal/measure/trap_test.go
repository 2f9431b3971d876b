package measure_test

import (
	"testing"
	"time"

	"vitals/internal/measure"
)

// A system that refuses more must not look faster: refused requests are quick,
// and have a histogram of their own.
func TestRefusedAndServedShareNoHistogram(t *testing.T) {
	rec := measure.NewRecorder([]measure.Step{{Journey: "j", Name: "s"}},
		[]measure.Phase{{Name: "hold", To: time.Minute, Judged: true}}, measure.Options{})
	shard := rec.Shard()
	for i := range 1000 {
		due := time.Duration(i) * time.Millisecond
		s := measure.Sample{Due: due, Sent: due, Done: due + time.Millisecond, Code: 429, Outcome: measure.Refused, Class: measure.BadStatus}
		if i%10 == 0 {
			s.Done, s.Code, s.Outcome, s.Class, s.OK = due+200*time.Millisecond, 200, measure.Served, measure.None, true
		}
		shard.Record(&s)
	}
	shard.Close()
	r := measure.Result{Phases: rec.Finish().Phases}
	total := r.Total(true, true)
	p95, _ := total.Response.Quantile(0.95)
	if total.Response.N() != 100 || p95 < 199*time.Millisecond {
		t.Errorf("served: got n %d, p95 %v, want 100 and 200ms", total.Response.N(), p95)
	}
	if total.Refusal.N() != 900 || total.Counts.Errors != 900 {
		t.Errorf("refused: got n %d and %d errors, want 900 of each", total.Refusal.N(), total.Counts.Errors)
	}
}

// The sign-in storm of a ramp is no steady state: what is due on the ramp stands
// in a phase of its own, which is not judged.
func TestRampAndPlateauAreApart(t *testing.T) {
	rec := measure.NewRecorder([]measure.Step{{Journey: "j", Name: "s"}}, []measure.Phase{
		{Name: "ramp", To: time.Second}, {Name: "hold", From: time.Second, To: 2 * time.Second, Judged: true},
	}, measure.Options{})
	shard := rec.Shard()
	for i := range 200 {
		due := time.Duration(i) * 10 * time.Millisecond
		took := 10 * time.Millisecond
		if due < time.Second {
			took = 900 * time.Millisecond
		}
		shard.Record(&measure.Sample{Due: due, Sent: due, Done: due + took, Code: 200, Outcome: measure.Served, OK: true})
	}
	shard.Close()
	r := measure.Result{Phases: rec.Finish().Phases}
	judged, all := r.Total(true, true), r.Total(true, false)
	if most, _ := judged.Response.Max(); most > 11*time.Millisecond {
		t.Errorf("plateau: got max %v, want 10ms: the ramp is in it", most)
	}
	if most, _ := all.Response.Max(); most < 890*time.Millisecond || all.Response.N() != 200 {
		t.Errorf("whole: got max %v of %d, want the ramp kept and shown", most, all.Response.N())
	}
}
