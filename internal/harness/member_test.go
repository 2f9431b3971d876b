package harness

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/measure"
	"vitals/report"
)

// counting is a real server that remembers each request it answered.
type counting struct {
	mu   sync.Mutex
	seen map[string]int
	slow func(path string) time.Duration
	over chan struct{} // closed when the run has ended, however it did
}

func (c *counting) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/health" {
		c.mu.Lock()
		c.seen[r.URL.Path]++
		c.mu.Unlock()
		if c.slow != nil {
			time.Sleep(c.slow(r.URL.Path))
		}
	}
	_, _ = io.WriteString(w, `{"ok":true}`)
}

// count is how many distinct requests came.
func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

const sharedScenario = `name: shared
about: numbered requests
arrivals: {rate: 120/s, run_for: 3s}
journeys:
  - name: j
    tasks:
      - {name: number, get: "/n/{{seq}}", anonymous: true}
targets:
  - errors < 1%
  - p95 < 2s
`

// runMembers runs n members in this process, as n machines would, and gives their
// documents.
func runMembers(t *testing.T, url string, n int, change func(i int, o *Options)) []*report.Document {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "shared.yaml")
	accounts := filepath.Join(folder, "accounts.csv")
	for name, text := range map[string]string{file: sharedScenario, accounts: "email,password\na@x.example,secret-a-1\nb@x.example,secret-b-2\n", filepath.Join(folder, "t.yaml"): "targets:\n  - failed < 1%\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)
	docs := make([]*report.Document, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			o := Options{
				Scenarios: []string{file}, Pace: "full", Targets: filepath.Join(folder, "t.yaml"), URL: url, Accounts: accounts, Seed: 7, Replicas: 1,
				Member: fmt.Sprintf("%d/%d", i, n), StartAt: start, Out: filepath.Join(folder, fmt.Sprint("m", i)), Tool: "vitals test",
			}
			if change != nil {
				change(i, &o)
			}
			p, err := Read(o)
			if err != nil {
				t.Errorf("member %d: %v", i, err)
				return
			}
			if _, err := Run(t.Context(), t.Context(), p, Streams{Out: io.Discard, Err: io.Discard}); err != nil {
				t.Errorf("member %d: %v", i, err)
				return
			}
			if docs[i], err = report.Read(filepath.Join(o.Out, "document.json")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return docs
}

// The union of what the members send is the plan: every number once at the
// server, and the merged document counts just those, whatever the order.
func TestMembersAreOneRun(t *testing.T) {
	c := &counting{seen: map[string]int{}}
	s := httptest.NewServer(c)
	defer s.Close()
	docs := runMembers(t, s.URL, 3, nil)
	var texts []string
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}} {
		d, err := Merge([]*report.Document{docs[order[0]], docs[order[1]], docs[order[2]]}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := report.JSON(&text, d); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text.String())
		total := d.Runs[0].Result.Total(true, false).Counts
		if total.Planned != 360 || total.Sent != int64(len(c.seen)) || len(c.seen) != 360 {
			t.Errorf("got planned %d, sent %d, %d distinct at the server, want 360 of each", total.Planned, total.Sent, len(c.seen))
		}
		if len(d.Members) != 3 || d.Members[1].Planned != 120 || d.Partial {
			t.Errorf("got members %+v, partial %v", d.Members, d.Partial)
		}
	}
	for path, n := range c.seen {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if texts[0] != texts[1] {
		t.Error("another order of the members gave another document")
	}
	for _, d := range docs {
		if d.Verdict != report.NoData || d.Exit != exit.Pass || !strings.Contains(strings.Join(d.Reasons, " "), "vitals merge") {
			t.Errorf("a member's own document says %s, exit %d, %q", d.Verdict, d.Exit, d.Reasons)
		}
	}
	t.Run("what does not belong together", func(t *testing.T) { refused(t, docs) })
}

func refused(t *testing.T, docs []*report.Document) {
	again := *docs[1]
	info := *docs[1].Member
	info.Incarnation = "another"
	again.Member = &info
	other := *docs[1]
	plan := *docs[1].Member
	plan.Plan.Seed, plan.ID = 8, ""
	plan.ID = plan.Plan.ID()
	other.Member = &plan
	forged := *docs[1]
	edited := *docs[1].Member
	edited.Plan.Seed = 8
	forged.Member = &edited
	late := *docs[1]
	later := *docs[1].Member
	later.StartAt = later.StartAt.Add(8 * time.Second)
	late.Member = &later
	alone := func(d *report.Document) *report.Document {
		c, i := *d, *d.Member
		i.StartAt, c.Member = time.Time{}, &i
		return &c
	}
	none := *docs[1]
	none.Member = nil
	for want, ds := range map[string][]*report.Document{
		"no members":                           {},
		"members [2] of 3":                     {docs[0], docs[1]},
		"member 1 is there twice":              {docs[0], docs[1], docs[1], docs[2]},
		"member 1 ran twice":                   {docs[0], docs[1], &again, docs[2]},
		"seed is 8, not 7":                     {docs[0], &other, docs[2]},
		"was changed after":                    {docs[0], &forged, docs[2]},
		"is no member's":                       {docs[0], &none, docs[2]},
		"member 1 did not begin with member 0": {docs[0], &late, docs[2]},
		"member 0 began by itself":             {alone(docs[0]), alone(docs[1]), alone(docs[2])},
	} {
		if d, err := Merge(ds, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want %q", d, err, want)
		}
	}
	// A baseline of an earlier run is not taken for that of one that leaves none.
	out := t.TempDir()
	old := filepath.Join(out, "baseline.json")
	if err := os.WriteFile(old, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	partial, err := Merge([]*report.Document{docs[0], docs[2]}, 1)
	if err == nil {
		err = WriteMerged(out, partial)
	}
	if _, there := os.Stat(old); err != nil || there == nil {
		t.Errorf("got %v, and the old baseline there: %v", err, there == nil)
	}
	// One may be lost: the run is partial, and never a pass.
	d, err := Merge([]*report.Document{docs[0], docs[2]}, 1)
	if err != nil || !d.Partial || d.Verdict == report.Pass || d.Exit == exit.Pass {
		t.Errorf("one lost: got %v, %+v, want partial and no pass", err, d)
	}
}

// What only one member suffers is judged in the sum, and the member is named.
func TestAMemberThatDiffersIsNamed(t *testing.T) {
	ms := []fleet.Seen{{Index: 0, P50US: 900}, {Index: 1, P50US: 1100}, {Index: 2, P50US: 9000}, {Index: 3, P50US: 1000, Errors: 0.2}}
	outliers(ms)
	if ms[0].Differs+ms[1].Differs != "" || !strings.Contains(ms[2].Differs, "p50 9ms") || !strings.Contains(ms[3].Differs, "20.0% errors") {
		t.Errorf("got %+v", ms)
	}
}

// An intruder goes by its answers and not by a schedule: what it sends was not planned,
// and the equation of the schedule is not asked of it.
func TestEquationsLeaveIntrudersOut(t *testing.T) {
	r := &measure.Result{Phases: []measure.PhaseResult{{Steps: []measure.StepResult{
		{Step: measure.Step{Name: "list"}, Counts: measure.Counts{Planned: 9, Sent: 8, Dropped: 1, Served: 8}},
		{Step: measure.Step{Name: "guess", Intruder: true}, Counts: measure.Counts{Sent: 12, Refused: 12}},
	}}}}
	if broken := equations("member 0", r); len(broken) > 0 {
		t.Errorf("got %q", broken)
	}
	r.Phases[0].Steps[0].Counts.Sent = 7
	if broken := equations("member 0", r); len(broken) != 2 {
		t.Errorf("got %q, want both equations broken", broken)
	}
}

// Of two members nobody knows which is the odd one, also when a third was lost.
func TestTwoMembersAreNotCompared(t *testing.T) {
	ms := []fleet.Seen{{Index: 0, P50US: 900}, {Index: 1, P50US: 90000, Errors: 0.5}, {Index: 2}}
	outliers(ms)
	for _, m := range ms {
		if m.Differs != "" {
			t.Errorf("member %d differs: %s", m.Index, m.Differs)
		}
	}
}

// The merged document does not take a member's place.
func TestMergeOverwritesNoMember(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if _, err := MergeDirs([]string{dir}, t.TempDir(), -1); exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "--max-lost -1") {
		t.Errorf("got %v, want the bound refused", err)
	}
	for _, out := range []string{dir, dir + "/.", link} {
		if _, err := MergeDirs([]string{dir, t.TempDir()}, out, 0); exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "is a member's folder") {
			t.Errorf("--out %s: got %v, want it refused", out, err)
		}
	}
}

// A member that comes after the start sends nothing.
func TestALateMemberSendsNothing(t *testing.T) {
	c := &counting{seen: map[string]int{}}
	s := httptest.NewServer(c)
	defer s.Close()
	p, err := Read(Options{
		Scenarios: []string{"smoke"}, Pace: "quick", Targets: "production", URL: s.URL, Accounts: accounts(t, 9), Replicas: 1,
		Member: "0/2", StartAt: "2020-01-01T00:00:00Z", Out: t.TempDir(),
	})
	if err == nil {
		_, err = Run(t.Context(), t.Context(), p, Streams{Out: io.Discard, Err: io.Discard})
	}
	if e, ok := err.(*exit.Error); !ok || e.Code != fleet.ExitFenced || len(c.seen) > 0 {
		t.Errorf("got %v and %d requests, want exit %d and none", err, len(c.seen), fleet.ExitFenced)
	}
	for want, o := range map[string]Options{
		`member "2/2"`:          {Member: "2/2", URL: s.URL},
		"name it with --url":    {Member: "0/2"},
		"are for members":       {StartAt: "2026-01-01T00:00:00Z"},
		"want a time":           {Member: "0/2", URL: s.URL, StartAt: "noon"},
		"the same --start-at":   {Member: "0/2", URL: s.URL},
		"and --once exclude":    {Member: "0/2", URL: s.URL, StartAt: "2026-01-01T00:00:00Z", Once: true},
		"who leads the members": {Member: "0/2", URL: s.URL, StartAt: "2026-01-01T00:00:00Z", Rendezvous: "file"},
	} {
		o.Scenarios, o.Pace, o.Targets, o.Out, o.Replicas = []string{"smoke"}, "quick", "production", t.TempDir(), 1
		if _, err := Read(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
