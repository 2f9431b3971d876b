package measure_test

import (
	"encoding/json"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"vitals/internal/measure"
)

// member is the result of one share of samples.
func member(all []measure.Sample) *measure.Result {
	rec := measure.NewRecorder(steps, phases, measure.Options{Mergeable: true})
	spread(rec, all, 1)
	f := rec.Finish()
	return &measure.Result{
		Scenario: "mix", Hash: "abc", Began: time.Unix(1_700_000_000, 0).UTC(), Took: time.Minute, Client: "raw",
		Phases: f.Phases, Series: f.Series, Slowest: f.Slowest, Failures: f.Failures,
	}
}

// Striped over any number of members and merged in any order, the result is the
// one of a single machine, byte for byte.
func TestMergeIsTheOneMachine(t *testing.T) {
	all := samples(3, 6000)
	for i := range all {
		all[i].Done += time.Duration(i) * time.Microsecond // no two alike, so that the slowest are the same ones
	}
	want := member(all)
	for _, n := range []int{1, 2, 7, 40} {
		shares := make([][]measure.Sample, n)
		for i, s := range all {
			shares[i%n] = append(shares[i%n], s)
		}
		var members []*measure.Result
		for _, s := range shares {
			members = append(members, member(s))
		}
		var first []byte
		for range 3 {
			got, err := measure.Merge(members)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want.Phases, got.Phases); diff != "" {
				t.Errorf("%d members, phases (-one +merged):\n%s", n, diff)
			}
			if diff := gocmp.Diff(want.Series, got.Series); diff != "" {
				t.Errorf("%d members, series (-one +merged):\n%s", n, diff)
			}
			if diff := gocmp.Diff(want.Slowest, got.Slowest); diff != "" {
				t.Errorf("%d members, slowest (-one +merged):\n%s", n, diff)
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = text
			}
			if string(first) != string(text) {
				t.Errorf("%d members: another order gave another document", n)
			}
			rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		}
	}
}

// A p99 of members that saw different tiers is the p99 of all requests; the mean
// of the members' own would be 1001 ms.
func TestMergedQuantileIsNoAverage(t *testing.T) {
	tier := func(took time.Duration) *measure.Result {
		var all []measure.Sample
		for i := range 1000 {
			due := 10*time.Second + time.Duration(i)*time.Millisecond
			all = append(all, measure.Sample{Planned: true, Due: due, Sent: due, Done: due + took*time.Duration(i+1)/1000, Code: 200, Outcome: measure.Served, OK: true})
		}
		return member(all)
	}
	got, err := measure.Merge([]*measure.Result{tier(2 * ms), tier(2 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	total := got.Total(true, true)
	p99, _ := total.Response.Quantile(0.99)
	if n := total.Response.N(); n != 2000 || p99 < 1960*ms || p99 > 1982*ms {
		t.Errorf("got p99 %s of n %d, want 1.96 to 1.98 s of 2000", p99, n)
	}
}

// What is no share of one plan is refused with the field that differs.
func TestMergeRefuses(t *testing.T) {
	all := samples(1, 100)
	for want, change := range map[string]func(r *measure.Result){
		"scenario digest is other": func(r *measure.Result) { r.Hash = "other" },
		"seed is 7":                func(r *measure.Result) { r.Seed = 7 },
		`phase "hold"`:             func(r *measure.Result) { r.Phases[1].To += time.Second },
		"other steps":              func(r *measure.Result) { r.Phases[0].Steps = r.Phases[0].Steps[1:] },
		"whole number":             func(r *measure.Result) { r.Series.Every = 1500 * ms },
		"served = ":                func(r *measure.Result) { r.Series.Slices[3].Counts.Served++ },
		"decode histogram":         func(r *measure.Result) { r.Series.Slices[3].Served["list"] = "HISTnot" },
	} {
		bad := member(all)
		change(bad)
		if _, err := measure.Merge([]*measure.Result{member(all), bad}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "member ") {
			t.Errorf("got %v, want %q and the member", err, want)
		}
	}
	if _, err := measure.Merge(nil); err == nil {
		t.Error("no results were merged")
	}
}

// Counts of the lockout add up; the most guesses judged of one address is the
// largest of any member; what is neither is left out, and that is said.
func TestMergeFactsAndHealth(t *testing.T) {
	a, b := member(samples(1, 50)), member(samples(2, 50))
	a.Facts = []measure.Fact{{Name: "lockout.admitted", Value: 5, N: 2}, {Name: "lockout.leaked", Value: 1, N: 4}, {Name: "siege.p95_ratio", Value: 1.2, N: 9}}
	b.Facts = []measure.Fact{{Name: "lockout.admitted", Value: 6, N: 3}, {Name: "lockout.leaked", Value: 2, N: 5}}
	a.Notes, b.Notes = []string{"one"}, []string{"one", "two"}
	b.Health = measure.Health{CPU: 0.9, Invalid: []string{"late"}}
	got, err := measure.Merge([]*measure.Result{a, b})
	if err != nil {
		t.Fatal(err)
	}
	want := []measure.Fact{
		{Name: "lockout.admitted", Value: 6, N: 5, Note: "the worst of 2 members"},
		{Name: "lockout.leaked", Value: 3, N: 9, Note: "the sum of 2 members"},
	}
	if diff := gocmp.Diff(want, got.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if len(got.Notes) != 3 || !strings.Contains(got.Notes[2], "siege.p95_ratio") {
		t.Errorf("got notes %q, want one, two, and what was left out", got.Notes)
	}
	if !slices.Equal(got.Health.Invalid, []string{"member 1: late"}) || got.Health.CPU != 0.9 {
		t.Errorf("got health %+v, want member 1 named", got.Health)
	}
}

// What is added up one after the other is not kept: the sum of twenty-five members takes
// hardly more memory than that of five, and far less than the members themselves.
func TestSumMemory(t *testing.T) {
	live := func() int64 {
		runtime.GC()
		runtime.GC() // what the first one's finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	one := func(i int) *measure.Result { return member(samples(uint64(i%5), 1000)) }
	var sum measure.Sum
	var sent int64
	add := func(from, to int) {
		for i := from; i < to; i++ {
			r := one(i)
			sent += r.Total(false, false).Counts.Sent
			if err := sum.Add(i, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(0, 5)
	few := live()
	add(5, 25)
	grown := live() - few
	kept := make([]*measure.Result, 20)
	before := live()
	for i := range kept {
		kept[i] = one(i)
	}
	all := live() - before
	runtime.KeepAlive(kept)
	if res, err := sum.Result(); err != nil || res.Total(false, false).Counts.Sent != sent {
		t.Fatalf("got %v, %v, want %d sent", res, err, sent)
	}
	t.Logf("20 more members: %d kB in the sum, %d kB by themselves", grown>>10, all>>10)
	if grown > all/8 {
		t.Errorf("20 more members took %d bytes in the sum, and %d by themselves: they are kept", grown, all)
	}
}

// Members whose slices are of different widths are folded to the widest, in whatever
// order they come.
func TestSumOfUnlikeWidths(t *testing.T) {
	narrow, wide := member(samples(1, 500)), member(samples(2, 500))
	double, err := measure.Merge([]*measure.Result{wide})
	if err != nil {
		t.Fatal(err)
	}
	double.Series = folded(double.Series)
	var texts []string
	for _, order := range [][]*measure.Result{{narrow, double, narrow}, {double, narrow, narrow}, {narrow, narrow, double}} {
		got, err := measure.Merge(order)
		if err != nil {
			t.Fatal(err)
		}
		if got.Series.Every != 2*narrow.Series.Every {
			t.Errorf("slices of %s, want %s", got.Series.Every, 2*narrow.Series.Every)
		}
		text, err := json.Marshal(got.Series)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Error("another order gave other slices")
	}
}

// folded keeps every second slice, as one that is twice as wide.
func folded(s measure.Series) measure.Series {
	out := measure.Series{Every: 2 * s.Every}
	for i := 0; i < len(s.Slices); i += 2 {
		out.Slices = append(out.Slices, s.Slices[i])
	}
	return out
}
