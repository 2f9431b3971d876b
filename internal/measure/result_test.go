package measure_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"vitals/internal/measure"
)

func finished(t *testing.T) *measure.Result {
	t.Helper()
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	spread(rec, samples(10, 3000), 3)
	rec.Gauge(time.Second, "cpu", 0.5)
	f := rec.Finish()
	return &measure.Result{
		Schema: 1, Scenario: "normal", Took: 61*time.Second + 5*time.Microsecond, Window: 40 * time.Second,
		Phases: f.Phases, Series: f.Series, Slowest: f.Slowest, Failures: f.Failures,
		Facts:  []measure.Fact{{Name: "lockout.admitted", Value: 5}},
		Health: measure.Health{Lag: fill(draw(11, 9)), GCPauseMax: 1500 * time.Microsecond, CapWait: time.Second},
	}
}

func TestResultJSON(t *testing.T) {
	want := finished(t)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got measure.Result
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	// Offsets are cut to whole microseconds on the way.
	cut := gocmp.Transformer("µs", func(d time.Duration) int64 { return d.Microseconds() })
	if diff := gocmp.Diff(&got, want, cut); diff != "" {
		t.Errorf("there and back (-got +want):\n%s", diff)
	}
	for _, field := range []string{
		`"took_us":61000005`, `"window_us":40000000`, `"every_us":1000000`, `"gc_pause_max_us":1500`, `"cap_wait_us":1000000`,
		`"from_us":10000000,"to_us":50000000,"judged":true`,
	} {
		if !strings.Contains(string(text), field) {
			t.Errorf("the document lacks %s", field)
		}
	}
}

func TestMicrosRefused(t *testing.T) {
	for _, text := range []string{`1.5`, `"1s"`, `1e3`, `9223372036854775807`, `true`} {
		var p measure.Phase
		if err := json.Unmarshal([]byte(`{"from_us":`+text+`}`), &p); err == nil {
			t.Errorf("%s: got %v, want an error", text, p.From)
		}
	}
}

func FuzzResultJSON(f *testing.F) {
	f.Add([]byte(`{"took_us":1,"phases":[{"name":"a","from_us":null,"steps":[{"response":null}]}],"series":{"slices":[{}]}}`))
	f.Add([]byte(`{"health":{"lag":"HISTFAAAA"},"slowest":[{"at_us":-5}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r measure.Result
		if json.Unmarshal(text, &r) != nil {
			return
		}
		r.Total(true, false)
		r.Steps(true)
		if _, err := json.Marshal(&r); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
	})
}

func TestTotal(t *testing.T) {
	r := finished(t)
	before := r.Phases[1].Steps[0].Response.Clone()
	all, honest, judged := r.Total(false, false), r.Total(true, false), r.Total(true, true)
	var intruders int64
	for _, p := range r.Phases {
		intruders += p.Steps[2].Counts.Sent
	}
	if got, want := all.Counts.Sent-honest.Counts.Sent, intruders; got != want {
		t.Errorf("honest leaves out %d, want the intruders' %d", got, want)
	}
	want := r.Phases[1].Steps[0].Response.N() + r.Phases[1].Steps[1].Response.N()
	if judged.Response.N() != want {
		t.Errorf("got %d judged responses, want %d", judged.Response.N(), want)
	}
	if !r.Phases[1].Steps[0].Response.Equal(before) {
		t.Error("a total changed the result")
	}
}

func TestStepAndFact(t *testing.T) {
	r := finished(t)
	create, ok := r.Step("create", true)
	if want := r.Phases[1].Steps[1]; !ok || create.Counts != want.Counts {
		t.Errorf("got %+v, want %+v", create.Counts, want.Counts)
	}
	if _, ok := r.Step("delete", false); ok {
		t.Error("got a step that is not there")
	}
	if f, ok := r.Fact("lockout.admitted"); !ok || f.Value != 5 {
		t.Errorf("got %+v, want 5", f)
	}
	if _, ok := r.Fact("cpu"); ok {
		t.Error("got a fact that was not measured")
	}
}

func TestResultRefusesNaN(t *testing.T) {
	r := measure.Result{Facts: []measure.Fact{{Name: "cpu", Value: math.NaN()}}}
	if _, err := json.Marshal(&r); err == nil {
		t.Error("got a document with NaN, want an error")
	}
}
