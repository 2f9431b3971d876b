package history_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/internal/measure"
)

// few is a session of too few answers for a p95.
func few(i int) *baseline.File {
	f := night(i, 200)
	e := &f.Scenarios[0].Runs[0].Endpoints[0]
	e.Hist = measure.NewHistogram()
	for range 537 {
		e.Hist.Record(1000)
	}
	f.Summarise()
	return f
}

// shown is what people see of a folder.
func shown(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	if err := history.Show(&b, dir, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNightsThatSayNothingAreTold(t *testing.T) {
	dir, _ := nights(t, 4, 1000)
	file := func(f *baseline.File) string {
		path := filepath.Join(t.TempDir(), "baseline.json")
		if err := baseline.Write(path, f); err != nil {
			t.Fatal(err)
		}
		return path
	}
	half := night(6, 200)
	bad := half.Scenarios[0].Runs[0]
	bad.Valid, bad.Invalid = false, "generator: late"
	half.Scenarios[0].Runs = append(half.Scenarios[0].Runs, bad)
	none := night(7, 200)
	none.Scenarios[0].Runs[0].Valid, none.Scenarios[0].Runs[0].Invalid = false, "ended early: the server is gone"
	none.Summarise()
	var b bytes.Buffer
	err := history.AddFiles(&b, dir, []string{file(few(5)), file(half), file(none)})
	for _, want := range []string{
		"left out: normal: a p95 needs 1000 answers in a run, and at most 537 were served",
		"left out: 1 invalid run left out (generator: late)",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("added: want %q in\n%s", want, &b)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "session s7 has no valid run: 1 invalid run left out (ended early: the server is gone)") {
		t.Errorf("a session without a valid run: got %v", err)
	}
	if e, ok := errors.AsType[*exit.Error](err); !ok || e.Code != exit.NoAnswer {
		t.Errorf("got %#v, want exit code %d", err, exit.NoAnswer)
	}
	text := shown(t, dir)
	for _, want := range []string{
		"5 nights: two newest nights are held to those before them from 12 on, and vitals compare --history learns the noise from 10",
		": 1 of 6 nights have none, for no run of them had the 1000 answers that a p95 needs: session s5\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("shown: want %q in\n%s", want, text)
		}
	}
	if dir, _ := nights(t, 12, 1000); strings.Contains(shown(t, dir), "are held to") {
		t.Errorf("12 nights are called too few:\n%s", shown(t, dir))
	}
}

func TestShortHistoryIsToldByCompare(t *testing.T) {
	_, s := nights(t, 9, 1000)
	old, now := night(8, 200), night(77, 200)
	notes := func(s *history.Store) string {
		c, err := baseline.Compare(old, now, baseline.Options{Past: s.Past(old, now)})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(c.Notes, "\n")
	}
	if got := notes(s); !strings.HasPrefix(got, "p95, errors, rps normal: the history holds 9 sessions that have it, of this load and kind of machine, and 10 are needed: its noise is assumed") {
		t.Errorf("got %q", got)
	}
	if _, s := nights(t, 10, 1000); strings.Contains(notes(s), "needed") {
		t.Errorf("10 sessions: got %q", notes(s))
	}
}

func TestAcceptSaysWhatItChanges(t *testing.T) {
	dir, _ := nights(t, 48, 40)
	accept := func(session, reason string) string {
		var b bytes.Buffer
		if err := history.AcceptIn(&b, dir, session, reason, began); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := accept("s40", "encryption at rest")
	for _, want := range []string{
		"accepted: the level changed with session s40 (2026-10-11, revision 000000000040): encryption at rest\n",
		"p95 normal: later nights are held to the 8 from it on, no longer to the 40 before it\n",
		"8 nights since the accepted change: two newest nights are held to those before them from 12 on\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if got := accept("s40", "TLS"); !strings.Contains(got, "in place of the earlier one: encryption at rest") {
		t.Errorf("a second reason:\n%s", got)
	}
	if got := accept("s0", "the beginning"); !strings.Contains(got, "nothing lies before it, so nothing changes") {
		t.Errorf("the first session:\n%s", got)
	}
}

// Nights under two loads are two series, and their titles say which is which; an axis of
// shares begins at nothing and is not a whole percent high where nobody failed.
func TestSeriesOfTwoLoadsAreToldApart(t *testing.T) {
	dir, _ := nights(t, 3, 1000)
	other := night(7, 200)
	other.Scenarios[0].LoadModel = "another"
	file := filepath.Join(t.TempDir(), "baseline.json")
	other.Summarise()
	if err := baseline.Write(file, other); err != nil {
		t.Fatal(err)
	}
	if err := history.AddFiles(&bytes.Buffer{}, dir, []string{file}); err != nil {
		t.Fatal(err)
	}
	s, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	for _, series := range s.Shown(false) {
		if title := series.Metric + series.About(); titles[title] || !strings.Contains(title, ", load ") {
			t.Errorf("%q is told twice, or without its load", title)
		} else {
			titles[title] = true
		}
		if low, high := series.Range(series.Nights); series.Metric == "errors" && (low != 0 || high > 0.002) {
			t.Errorf("errors: an axis from %g to %g", low, high)
		}
	}
	if len(titles) != 4 {
		t.Errorf("got %v, want p95 and errors of two loads", titles)
	}
}
