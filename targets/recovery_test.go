package targets_test

import (
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

// after makes a result whose spike ends at 10 s, with one letter for each slice
// of 1 s from 8 s on: g inside target, s slow, e erring, - nothing sent.
func after(slices string) *measure.Result {
	r := &measure.Result{
		Scenario: "spike", Took: 8*time.Second + time.Duration(len(slices))*time.Second,
		Phases: []measure.PhaseResult{
			{Phase: measure.Phase{Name: "climb", From: 0, To: 5 * time.Second}},
			{Phase: measure.Phase{Name: "spike", From: 5 * time.Second, To: 10 * time.Second}},
			{Phase: measure.Phase{Name: "recovered", From: 10 * time.Second, To: 30 * time.Second, Judged: true}},
		},
	}
	r.Series.Every = time.Second
	for i, c := range slices {
		s := measure.Slice{At: 8*time.Second + time.Duration(i)*time.Second, Counts: measure.Counts{Sent: 100, Served: 100}, P95: 100 * time.Millisecond}
		switch c {
		case 's':
			s.P95 = 2 * time.Second
		case 'e':
			s.Counts.Served, s.Counts.Failed, s.Counts.Errors = 50, 50, 50
		case '-':
			s.Counts, s.P95 = measure.Counts{}, 0
		}
		r.Series.Slices = append(r.Series.Slices, s)
	}
	return r
}

func TestRecovery(t *testing.T) {
	others := []targets.Target{parse(t, "p95 < 300ms"), parse(t, "errors < 1%"), parse(t, "p95(list) < 1ms"), parse(t, "errors < 0.1% during climb")}
	for _, c := range []struct {
		slices, sentence string
		want             targets.Status
		got              string
	}{
		{"ssgggg", "recovery < 3s", targets.Pass, "0s"},
		{"sssggg", "recovery < 3s", targets.Pass, "1s"},
		{"gggggg", "recovery < 3s", targets.Pass, "0s"},
		{"ssssseegg", "recovery < 3s", targets.Fail, "5s"},
		{"sssgggsgg", "recovery < 5s", targets.Fail, "5s"},  // it must stay
		{"sss-ggg", "recovery < 3s", targets.Pass, "2s"},    // no data shows no recovery
		{"ssg---g", "recovery < 3s", targets.Pass, "0s"},    // nor does it end one
		{"ssssss", "recovery < 3s", targets.Fail, "4s"},     // not in 4 s, so not in 3
		{"ssssss", "recovery < 30s", targets.NoData, ""},    // nobody knows
		{"gg", "recovery < 30s", targets.NoData, ""},        // nothing after the spike
		{"gg----", "recovery < 30s", targets.NoData, ""},    // nothing sent after it
		{"ssssgggggs", "recovery < 3s", targets.Fail, "8s"}, // outside at the end
	} {
		s := parse(t, c.sentence)
		v := targets.Judge(append([]targets.Target{s}, others...), after(c.slices))[0]
		got := ""
		if v.Status != targets.NoData {
			got = v.Target.Unit().Format(v.Got)
		}
		if v.Status != c.want || got != c.got {
			t.Errorf("%s, %s: got %s, want %s, %s", c.slices, c.sentence, v, c.want, c.got)
		}
	}
}

func TestGoodput(t *testing.T) {
	r := &measure.Result{Took: 20 * time.Second, Phases: []measure.PhaseResult{
		{Phase: measure.Phase{Name: "ramp", To: 10 * time.Second, Judged: true}},
		{Phase: measure.Phase{Name: "hold", From: 10 * time.Second, To: 16 * time.Second, Judged: true}},
		{Phase: measure.Phase{Name: "tail", From: 16 * time.Second, To: 20 * time.Second}},
	}}
	r.Series.Every = time.Second
	// Rises to 100/s, collapses to 30/s; the tail is not judged.
	for i, served := range []int64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100, 100, 100, 40, 30, 20, 999, 999, 999, 999} {
		r.Series.Slices = append(r.Series.Slices, measure.Slice{At: time.Duration(i) * time.Second, Counts: measure.Counts{Sent: served, Served: served}})
	}
	v := targets.Judge([]targets.Target{parse(t, "goodput >= 70%")}, r)[0]
	// Last quarter of 16 slices: 100+40+30+20; best four: 400.
	if v.Status != targets.Fail || v.Got != 190./400 {
		t.Errorf("got %s, want FAIL with 47.5%%", v)
	}
	if want := "47.5/s served at the end, 100/s at best"; v.Note != want { // a share of what, nobody can tell from the figure
		t.Errorf("got note %q, want %q", v.Note, want)
	}
}

func TestKnee(t *testing.T) {
	r := &measure.Result{Scenario: "stress", Took: 10 * time.Second, Phases: []measure.PhaseResult{{Phase: measure.Phase{Name: "ramp", To: 10 * time.Second, Judged: true}}}}
	r.Series.Every = time.Second
	for i := range 10 { // 100/s more each second; slow from 700/s on
		p95 := 50 * time.Millisecond
		if i >= 6 {
			p95 = time.Second
		}
		n := int64(i+1) * 100
		r.Series.Slices = append(r.Series.Slices, measure.Slice{At: time.Duration(i) * time.Second, Counts: measure.Counts{Sent: n, Served: n}, P95: p95})
	}
	elsewhere := parse(t, "p95 < 300ms")
	elsewhere.Only = []string{"peak"}
	all := []targets.Target{parse(t, "knee >= 500"), elsewhere}
	if v := targets.Judge(all, r)[0]; v.Status != targets.Pass || v.Got != 600 || v.Note != "with p95 < 300ms" {
		t.Errorf("got %s, %q, want 600/s", v, v.Note)
	}
	r.Took = 5 * time.Second
	if v := targets.Judge(all, r)[0]; v.Got != 500 || v.Note != "never outside p95 < 300ms: the knee lies higher" {
		t.Errorf("got %s, %q", v, v.Note)
	}
	if v := targets.Judge(all[:1], r)[0]; v.Status != targets.NoData {
		t.Errorf("without a p95 target: got %s", v)
	}
}

func TestTripped(t *testing.T) {
	// One letter a slice: s slow (2 s), g good (100 ms), - nothing served.
	live := func(slices string) (s measure.Snapshot) {
		s.Every = time.Second
		for i, sl := range after(slices).Series.Slices {
			sl.At = time.Duration(i) * time.Second
			sl.StepP95 = map[string]int64{"list": sl.P95.Microseconds()}
			sl.Gauges = map[string]float64{"cpu": 0.9}
			s.Last = append(s.Last, sl)
		}
		return s
	}
	for _, c := range []struct {
		sentence, slices string
		want             bool
		note             string
	}{
		{"p95 > 1s for 3s", "gsss", true, "p95 > 1s for 3s: from 1s to 4s, 2s at the worst"},
		{"p95 > 1s for 3s", "sssg", true, "p95 > 1s for 3s: from 0s to 3s, 2s at the worst"}, // the newest lacks what is not answered yet
		{"p95 > 1s for 3s", "sssgggggggggg", true, "p95 > 1s for 3s: from 0s to 3s, 2s at the worst"},
		{"p95 > 1s for 3s", "sssggggggggggg", false, ""}, // that long nothing is waited for
		{"p95 > 1s for 3s", "ssgs", false, ""},
		{"p95 > 1s for 3s", "ss", false, ""},
		{"p95 > 1s for 3s", "", false, ""},
		{"p95 > 1s for 4s", "s--s", true, "p95 > 1s for 4s: from 0s to 4s, 2s at the worst"},
		{"p95 > 1s for 4s", "s---", false, ""},
		{"p95 > 1s for 4s", "----", false, ""},
		{"p95 > 1s for 2500ms", "gsss", true, "p95 > 1s for 2500ms: from 1s to 4s, 2s at the worst"},
		{"p95 > 1s", "ggs", true, "p95 > 1s: from 2s to 3s, 2s at the worst"},
		{"p95(list) > 1s for 2s", "gss", true, "p95(list) > 1s for 2s: from 1s to 3s, 2s at the worst"},
		{"p95(other) > 1s for 2s", "gss", false, ""},
		{"errors >= 50% for 2s", "gee", true, "errors >= 50% for 2s: from 1s to 3s, 50% at the worst"},
		{"failed > 50% for 2s", "gee", false, ""},
		{"rps < 90 for 2s", "gee", true, "rps < 90 for 2s: from 1s to 3s, 50/s at the worst"},
		{"cpu > 80% for 2s", "ggg", true, "cpu > 80% for 2s: from 1s to 3s, 90% at the worst"},
		{"lockout.leaked > 0 for 2s", "ggg", false, ""},
	} {
		got, note := targets.Tripped(parse(t, c.sentence), live(c.slices))
		if got != c.want || note != c.note {
			t.Errorf("%s on %s: got %t, %q, want %t, %q", c.sentence, c.slices, got, note, c.want, c.note)
		}
	}
}

// Where all users wait for a server that hangs, nothing more is due: the seconds in which
// they waited are no lack of data. One user who waits says nothing of those who think.
func TestTrippedWhileUsersWait(t *testing.T) {
	s := func(at, until int, served, failed int64) measure.Slice {
		return measure.Slice{
			At: time.Duration(at) * time.Second, Until: time.Duration(until)*time.Second + 50*time.Millisecond, Max: 5 * time.Millisecond,
			Counts: measure.Counts{Planned: served + failed, Sent: served + failed, Served: served, Failed: failed, Errors: failed},
		}
	}
	for name, c := range map[string]struct {
		last []measure.Slice
		want bool
	}{
		"all users wait":               {[]measure.Slice{s(0, 1, 50, 0), s(1, 2, 50, 0), s(2, 3, 50, 0), s(3, 7, 2, 5)}, true},
		"and again":                    {[]measure.Slice{s(2, 3, 50, 0), s(3, 7, 2, 5), {At: 4 * time.Second}, {At: 5 * time.Second}, {At: 6 * time.Second}, s(7, 11, 0, 5)}, true},
		"they do not wait long enough": {[]measure.Slice{s(2, 3, 50, 0), s(3, 4, 2, 5)}, false},
		"one of them waits":            {[]measure.Slice{s(2, 3, 50, 0), s(3, 7, 0, 1)}, false},
		"silence is no wait":           {[]measure.Slice{s(2, 3, 50, 0), s(3, 4, 2, 5), {At: 4 * time.Second}, {At: 5 * time.Second}, {At: 6 * time.Second}}, false},
	} {
		got, note := targets.Tripped(parse(t, "errors > 50% for 3s"), measure.Snapshot{Every: time.Second, Last: c.last})
		if got != c.want {
			t.Errorf("%s: got %t %q", name, got, note)
		}
	}
}
