package baseline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// result is a run whose latencies lie around a scale in ms; 2000 requests on
// each of two honest steps, 1 in 100 a 500, and an intruder.
func result(scenario string, seed uint64, scale float64) *measure.Result {
	steps := []measure.Step{{Journey: "patient", Name: "list"}, {Journey: "patient", Name: "create"}, {Journey: "intruder", Name: "guess", Intruder: true}}
	phases := []measure.Phase{{Name: "ramp", To: 10 * time.Second}, {Name: "hold", From: 10 * time.Second, To: 50 * time.Second, Judged: true}}
	rec := measure.NewRecorder(steps, phases, measure.Options{})
	r := rand.New(rand.NewPCG(seed, 2))
	sh := rec.Shard()
	for i := range 6000 {
		due := 10*time.Second + time.Duration(i)*40*time.Second/6000
		took := time.Duration(scale * (0.5 + r.ExpFloat64()) * float64(time.Millisecond))
		s := measure.Sample{Step: i % 3, Due: due, Sent: due, Done: due + took, Code: 200, Outcome: measure.Served, OK: true}
		if i%100 == 0 {
			s.Code, s.Outcome, s.OK, s.Class = 500, measure.Failed, false, measure.BadStatus
		}
		sh.Record(&s)
		rec.Add(s.Step, due, measure.Counts{Planned: 1})
	}
	sh.Close()
	f := rec.Finish()
	return &measure.Result{
		Schema: 1, Scenario: scenario, Pace: "quick", Model: "users", Seed: seed, Hash: "a1b2", Began: began.Add(time.Duration(seed) * time.Hour),
		Took: 51 * time.Second, Window: 40 * time.Second, Phases: f.Phases, Series: f.Series,
		Facts: []measure.Fact{{Name: "cpu", Value: 0.4}, {Name: "cpu.per_request", Value: 850}},
	}
}

func file(seed uint64, scale float64) *baseline.File {
	return baseline.From(baseline.About{
		Subject: baseline.Subject{GitRev: "3f2a9c1"},
		Env:     baseline.Env{Hard: map[string]any{"cpu_model": "EPYC", "vcpu": 2, "arch": "amd64"}},
	}, []*measure.Result{result("normal", seed, 100), result("normal", seed+1, 100*scale), result("peak", seed, 150)})
}

// edited is a file with its JSON changed by hand.
func edited(t *testing.T, f *baseline.File, change func(map[string]any)) (*baseline.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := baseline.Write(path, f); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	change(v)
	if text, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	return baseline.Decode(bytes.NewReader(text))
}

// refused checks that nothing was compared, and that both values are named.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	var not *baseline.NotComparable
	if !errors.As(err, &not) {
		t.Fatalf("got %v, want not comparable", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want it to name %q", err, w)
		}
	}
}

// corrupt is a file that is invalid, which is another thing than one of other conditions.
func corrupt(t *testing.T, err error, figure string) {
	t.Helper()
	var not *baseline.NotComparable
	if err == nil || errors.As(err, &not) || !strings.Contains(err.Error(), "the file is corrupt: its summary of "+figure) {
		t.Errorf("got %v, want a corrupt file, by its %s", err, figure)
	}
}

func TestFrom(t *testing.T) {
	f := file(1, 1)
	if len(f.Scenarios) != 2 || len(f.Scenarios[0].Runs) != 2 || f.Design.Planned != 2 {
		t.Fatalf("got %d scenarios, want normal with 2 runs and peak", len(f.Scenarios))
	}
	run := f.Scenarios[0].Runs[0]
	if run.Offered != 4000 || run.Sent != 4000 || run.Completed != 4000 || run.Achieved != 1 || !run.Valid {
		t.Errorf("got offered %d, sent %d, completed %d, achieved %g, valid %v", run.Offered, run.Sent, run.Completed, run.Achieved, run.Valid)
	}
	if len(run.Endpoints) != 2 {
		t.Fatalf("got %d endpoints, want the two honest ones", len(run.Endpoints))
	}
	for _, e := range run.Endpoints {
		if e.Errors.Total() != e.Errors.Server || e.N-e.Hist.N() != e.Errors.Server || e.P95 < e.P50 {
			t.Errorf("%s: got n %d, errors %+v, %d served, p50 %d, p95 %d", e.Name, e.N, e.Errors, e.Hist.N(), e.P50, e.P95)
		}
	}
	if s := f.Summary["normal p95"]; s.K != 2 || s.SdLn <= 0 {
		t.Errorf("got %+v, want a spread over 2 runs", s)
	}
}

func TestFromInvalidRuns(t *testing.T) {
	late, cut := result("normal", 1, 100), result("normal", 2, 100)
	late.Health.Invalid = []string{"schedule missed"}
	cut.Partial = true
	f := baseline.From(baseline.About{}, []*measure.Result{late, cut})
	for i, want := range []string{"schedule missed", "interrupted"} {
		if r := f.Scenarios[0].Runs[i]; r.Valid || r.Invalid != want {
			t.Errorf("got valid %v, %q, want %q", r.Valid, r.Invalid, want)
		}
	}
	if len(f.Summary) != 0 {
		t.Errorf("got a summary of invalid runs: %v", f.Summary)
	}
}

func TestFileThereAndBack(t *testing.T) {
	want := file(1, 1.2)
	for _, name := range []string{"baseline.json", "baseline.json.gz"} {
		path := filepath.Join(t.TempDir(), name)
		if err := baseline.Write(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := baseline.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		// Hard fields come back as JSON has them; what they say is the same.
		got.Env.Hard = want.Env.Hard
		if diff := cmp.Diff(got, want, cmpopts.IgnoreUnexported(baseline.File{})); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
		text, _ := os.ReadFile(path)
		if zipped := text[0] == 0x1f; zipped != strings.HasSuffix(name, ".gz") {
			t.Errorf("%s: got gzip %v", name, zipped)
		}
	}
}

func TestFileRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "a list": "[]", "not JSON": "vitals", "no schema": "{}", "another": `{"schema":"vitals.document/1"}`, "broken gzip": "\x1f\x8bxx",
	} {
		if _, err := baseline.Decode(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if _, err := baseline.Read(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
}

func TestC1_LoadModel(t *testing.T) {
	old, slow := file(1, 1), result("normal", 1, 100)
	slow.Pace = "full"
	_, err := baseline.Compare(old, baseline.From(baseline.About{Env: old.Env}, []*measure.Result{slow}), baseline.Options{})
	refused(t, err, "normal: load model (sha256 of users or arrivals, --pace, and phases) differs", old.Scenarios[0].LoadModel[:12])
}

func TestC1_ScenarioHash(t *testing.T) {
	old, other := file(1, 1), result("normal", 1, 100)
	other.Hash = "c3d4"
	_, err := baseline.Compare(old, baseline.From(baseline.About{Env: old.Env}, []*measure.Result{other}), baseline.Options{})
	refused(t, err, "normal: scenario (sha256 of its file) differs: a1b2 against c3d4")
}

func TestC2_Machine(t *testing.T) {
	old, now := file(1, 1), file(1, 1)
	now.Env.Hard = map[string]any{"cpu_model": "Xeon", "vcpu": 2.0, "arch": "amd64"}
	now.Env.Class = baseline.Class(now.Env.Hard)
	_, err := baseline.Compare(old, now, baseline.Options{})
	refused(t, err, "env.cpu_model differs: EPYC against Xeon")
	if strings.Contains(err.Error(), "vcpu") {
		t.Errorf("got %q, which names a field that agrees", err)
	}
	c, err := baseline.Compare(old, now, baseline.Options{AllowEnvMismatch: true})
	if err != nil || len(c.Unmet) != 1 {
		t.Errorf("allowed: got %v, %v, want the numbers and the one field", c, err)
	}
}

func TestC3_Schema(t *testing.T) {
	_, err := edited(t, file(1, 1), func(v map[string]any) { v["schema"] = "vitals.baseline/2.0" })
	refused(t, err, "vitals.baseline/1", "vitals.baseline/2.0")

	later, err := edited(t, file(1, 1), func(v map[string]any) {
		v["schema"] = "vitals.baseline/1.9"
		v["weather"] = "rain"
		v["scenarios"].([]any)[0].(map[string]any)["runs"].([]any)[1].(map[string]any)["mood"] = json.Number("0.10")
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := baseline.Compare(file(1, 1), later, baseline.Options{}); err != nil {
		t.Errorf("a later minor form: %v", err)
	}
	path := filepath.Join(t.TempDir(), "again.json")
	if err := baseline.Write(path, later); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	for _, kept := range []string{`"weather":"rain"`, `"mood":0.10`, `"schema":"vitals.baseline/1.9"`} {
		if !bytes.Contains(text, []byte(kept)) {
			t.Errorf("written again, the file lacks %s", kept)
		}
	}
}

func TestC4_EndpointMissing(t *testing.T) {
	old, now := file(1, 1), file(1, 1)
	run := &now.Scenarios[1].Runs[0]
	run.Endpoints = run.Endpoints[:1]
	c, err := baseline.Compare(old, now, baseline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var seen, compared bool
	for _, r := range c.Rows {
		if r.Scenario == "peak" && r.Endpoint == "create" {
			seen = r.Change == baseline.NotCompared && strings.Contains(r.Note, "only the old file")
		}
		if r.Scenario == "peak" && r.Endpoint == "list" {
			compared = r.Change == baseline.NoChange
		}
	}
	if !seen || !compared {
		t.Errorf("got endpoint refused %v, the other compared %v", seen, compared)
	}
}

func TestC6_EditedSummary(t *testing.T) {
	_, err := edited(t, file(1, 1), func(v map[string]any) {
		v["summary"].(map[string]any)["normal p95"].(map[string]any)["mean_ln"] = json.Number("4.5")
	})
	corrupt(t, err, "normal p95")
	_, err = edited(t, file(1, 1), func(v map[string]any) { delete(v["summary"].(map[string]any), "peak p95") })
	corrupt(t, err, "peak p95")
	_, err = edited(t, file(1, 1), func(v map[string]any) { v["scenarios"] = v["scenarios"].([]any)[:1] }) // no run of peak is left
	corrupt(t, err, "peak ")
	if _, err = edited(t, file(1, 1), func(v map[string]any) { v["summary"].(map[string]any)["normal p42"] = map[string]any{"k": 1} }); err != nil {
		t.Errorf("a metric of a newer program: got %v, want it read", err)
	}
}

func TestC7_FileWithItself(t *testing.T) {
	f := file(1, 1.3)
	c, err := baseline.Compare(f, f, baseline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		// p99 of 4000 requests is not enough for a verdict, nor ever was.
		if r.Metric != "p99" && (r.Change != baseline.NoChange || r.Delta != 0) {
			t.Errorf("%s %s: got %s %g, want no change", r.Scenario, r.Metric, r.Change, r.Delta)
		}
	}
}

func TestWholeIsTheMergeOfItsEndpoints(t *testing.T) {
	r := result("normal", 1, 100)
	f := baseline.From(baseline.About{}, []*measure.Result{r})
	c, err := baseline.Compare(f, f, baseline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := r.Total(true, true).Response.Quantile(0.95)
	for _, row := range c.Rows {
		if row.Metric == "p95" && row.Endpoint == "" && row.Old != float64(want.Microseconds()) {
			t.Errorf("got %g µs, want %v", row.Old, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.json")
	if err := baseline.Write(path, file(1, 1)); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:200])
	f.Add([]byte(`{"schema":"vitals.baseline/1.3","scenarios":[{"name":"a","runs":[{"valid":true,"endpoints":[{"hist":null}],"x":[1]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := baseline.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		_, _ = baseline.Compare(got, got, baseline.Options{})
		if err := baseline.Write(filepath.Join(t.TempDir(), "again.json"), got); err != nil {
			t.Fatal(err)
		}
	})
}

// A session that was cut short in its first run has no scenario, and says why.
func TestASessionWithoutARunSaysThatItWasCutShort(t *testing.T) {
	cut := file(1, 1)
	cut.Scenarios, cut.Design.Ended = nil, "interrupted"
	cut.Summarise()
	_, err := baseline.Compare(file(1, 1), cut, baseline.Options{})
	if err == nil || !strings.Contains(err.Error(), "none: the session was cut short (interrupted)") {
		t.Errorf("got %v, want it told that the session was cut short", err)
	}
}
