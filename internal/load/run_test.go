package load

import (
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

func constant(model scenarios.Model, level float64, d time.Duration) scenarios.Load {
	return scenarios.Load{Model: model, Stages: []scenarios.Stage{{Name: "hold", From: level, To: level, For: d, Judged: true}}}
}

func ping(l scenarios.Load, think time.Duration) *scenarios.Scenario {
	return &scenarios.Scenario{
		Name: "ping", Load: l, Quick: l,
		Journeys: []scenarios.Journey{{
			Name: "ping", Think: scenarios.Range{From: think, To: think},
			Tasks: []scenarios.Task{{Name: "ping", Steps: []scenarios.Step{{Name: "ping", Method: "GET", Path: "/ping/{{seq}}"}}}},
		}},
	}
}

func record(sc *scenarios.Scenario) *measure.Recorder {
	return measure.NewRecorder(Steps(sc), sc.Load.Phases(), measure.Options{})
}

func TestBothModelsEndToEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		load scenarios.Load
		want int64
	}{
		{"arrivals", constant(scenarios.Arrivals, 500, time.Second), 500},
		{"users", constant(scenarios.Users, 10, time.Second), 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newNullServer(t, nil)
			sc := ping(tt.load, 100*time.Millisecond)
			rec := record(sc)
			o, err := Run(t.Context(), sc, rec, Options{Base: s.url(), Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			f := rec.Finish()
			got := f.Phases[0].Steps[0].Counts
			if got.Planned != got.Sent || got.Sent != got.Served || o.Counts.Sent != s.served.Load() {
				t.Errorf("got %+v and %+v, want all planned served; the server saw %d", got, o.Counts, s.served.Load())
			}
			if d := got.Sent - tt.want; d < -10 || d > 10 || tt.load.Model == scenarios.Arrivals && d != 0 {
				t.Errorf("got %d requests, want %d", got.Sent, tt.want)
			}
			t.Logf("%+v %s", o, o.Client)
		})
	}
}
