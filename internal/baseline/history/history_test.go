package history_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/measure"
)

var began = time.Date(2026, 9, 1, 3, 0, 0, 0, time.UTC)

// night is a session of one run whose p95 is the given ms.
func night(i int, ms float64) *baseline.File {
	h := measure.NewHistogram()
	for range 1200 {
		h.Record(time.Duration(ms * float64(time.Millisecond)))
	}
	f := baseline.From(baseline.About{
		Subject: baseline.Subject{GitRev: fmt.Sprintf("%012d", i)}, Env: baseline.Env{Hard: map[string]any{"vcpu": 2}},
		Session: baseline.Session{ID: fmt.Sprintf("s%d", i), Started: began.AddDate(0, 0, i)},
	}, nil)
	p95, _ := h.Quantile(0.95)
	f.Scenarios = []baseline.Scenario{{Name: "normal", Model: "users", Config: "c", LoadModel: "l", Runs: []baseline.Run{{
		Valid: true, Window: 40e6, Offered: 1200, Sent: 1200, Achieved: 1,
		Endpoints: []baseline.Endpoint{{Name: "list", N: 1200, Hist: h, P95: p95.Microseconds()}},
	}}}}
	f.Summarise()
	return f
}

// nights are a store of n sessions around 200 ms, 15 % slower from a night on.
func nights(t *testing.T, n, slower int) (string, *history.Store) {
	t.Helper()
	dir := t.TempDir()
	s, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		ms := 200 * math.Exp(0.03*math.Sin(float64(i*i)))
		if i >= slower {
			ms *= 1.15
		}
		if _, err := s.Add(night(i, ms)); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = history.Open(dir); err != nil {
		t.Fatal(err)
	}
	return dir, s
}

func series(t *testing.T, s *history.Store, metric string) *history.Series {
	t.Helper()
	all := s.Series()
	for i := range all {
		if all[i].Metric == metric {
			return &all[i]
		}
	}
	t.Fatalf("no series %s", metric)
	return nil
}

func TestChangeIsFoundAndAccepted(t *testing.T) {
	dir, s := nights(t, 48, 40)
	p95 := series(t, s, "p95")
	found := p95.Findings()
	if len(found) != 1 || found[0].At != 40 || !found[0].Worse || !found[0].Fresh() || math.Abs(found[0].Step-0.15) > 0.04 {
		t.Fatalf("got %+v, want night 40", found)
	}
	if got, want := found[0].Confirm(), "vitals duet normal --base 000000000039 --cand 000000000047"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if plot := p95.Plot(80); !strings.Contains(plot, "^") || strings.Count(plot, "*") != 48 || !strings.Contains(plot, " ms │") {
		t.Errorf("got plot\n%s", plot)
	}
	if err := s.Accept("s40", "encryption at rest", began); err != nil {
		t.Fatal(err)
	}
	s, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	found = series(t, s, "p95").Findings()
	if len(found) != 1 || !found[0].Accepted || found[0].Fresh() || !strings.HasSuffix(found[0].Words(), ": encryption at rest") {
		t.Errorf("accepted: got %+v", found)
	}
}

// Nights without a single error lie on the floor of their plot.
func TestPlotOfNoErrors(t *testing.T) {
	s := history.Series{Metric: "errors", Nights: make([]history.Night, 12)}
	lines := strings.Split(s.Plot(80), "\n")
	if floor := lines[7]; strings.Count(floor, "*") != 12 || strings.Contains(strings.Join(lines[:7], ""), "*") {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

func TestFlatHistoryFindsNothing(t *testing.T) {
	_, s := nights(t, 60, 1000)
	for _, series := range s.Series() {
		if f := series.Findings(); len(f) > 0 {
			t.Errorf("%s: got %+v", series.Metric, f)
		}
	}
}

func TestTwoNightsSuspect(t *testing.T) {
	_, s := nights(t, 42, 40)
	found := series(t, s, "p95").Findings()
	if len(found) != 1 || !found[0].Suspect || !found[0].Fresh() || found[0].At != 40 {
		t.Errorf("got %+v, want a suspicion of night 40", found)
	}
}

func TestPastOfAComparison(t *testing.T) {
	_, s := nights(t, 20, 1000)
	old, now := night(19, 200), night(77, 232)
	c, err := baseline.Compare(old, now, baseline.Options{Past: s.Past(old, now)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		if r.Metric == "p95" && r.Endpoint == "" && (r.Method != baseline.BySessions || r.Change != baseline.Worse) {
			t.Errorf("got %s", r.Line())
		}
	}
	if p := s.Past(old, now)("normal", "p95"); len(p.Segments) != 1 || len(p.Segments[0]) != 20 || len(p.Old) != 1 {
		t.Errorf("got %d segments, %d old", len(p.Segments), len(p.Old))
	}
}

func TestRefusals(t *testing.T) {
	dir, s := nights(t, 2, 1000)
	if _, err := s.Add(night(1, 200)); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a session twice: got %v", err)
	}
	bad := night(9, 200)
	bad.Scenarios[0].Runs[0].Valid = false
	if _, err := s.Add(bad); err == nil || !strings.Contains(err.Error(), "no valid run") {
		t.Errorf("no valid run: got %v", err)
	}
	if err := s.Accept("s1", "", began); err == nil {
		t.Error("no reason: got no error")
	}
	if err := s.Accept("s99", "why", began); err == nil {
		t.Error("no such session: got no error")
	}
	path := filepath.Join(dir, "history.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "{\"half\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Open(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("history.jsonl:%d:", strings.Count(string(text), "\n")+1)) {
		t.Errorf("a broken line: got %v", err)
	}
	if _, err := history.Open(filepath.Join(dir, "none")); err == nil {
		t.Error("no folder: got no error")
	}
}
