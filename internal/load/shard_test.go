package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/scenarios"
)

// clinicMix is a scenario whose requests differ by task, feed and generators.
func clinicMix(l scenarios.Load) *scenarios.Scenario {
	step := func(name, path string) []scenarios.Step {
		return []scenarios.Step{{Name: name, Method: "POST", Path: path, Body: `{"n":{{int 1 1000}},"who":"{{name}}","how":"{{pick a|b|c}}"}`}}
	}
	feed := &scenarios.Feed{Order: "random", Column: []string{"name"}}
	for i := range 17 {
		feed.Rows = append(feed.Rows, map[string]string{"name": fmt.Sprintf("row %d", i)})
	}
	return &scenarios.Scenario{Name: "mix", Load: l, Quick: l, Journeys: []scenarios.Journey{
		{Name: "one", Weight: 3, Feed: feed, Tasks: []scenarios.Task{
			{Name: "a", Weight: 15, Steps: step("a", "/a/{{seq}}")}, {Name: "b", Weight: 5, Steps: step("b", "/b/{{seq}}")},
			{Name: "never", Weight: 50, Steps: step("never", "/never/{{saved_by_nobody}}")},
		}},
		{Name: "two", Weight: 1, Feed: feed, Tasks: []scenarios.Task{{Name: "c", Steps: step("c", "/c/{{seq}}")}}},
	}}
}

// never is a waiter that does not wait.
type never struct{}

func (never) until(context.Context, time.Duration) bool { return true }
func (never) close()                                    {}

// Striped over any number of processes, the plan is the same plan: the same
// requests at the same times, each exactly once.
func TestShardsAddUpToThePlan(t *testing.T) {
	curve := scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{
		{From: 0, To: 300, For: time.Second}, {From: 300, To: 300, For: time.Second}, {From: 300, To: 7, For: 500 * time.Millisecond},
	}}
	poisson := curve
	poisson.Poisson = true
	gridded := curve
	gridded.Grid = 3 * time.Millisecond
	for name, l := range map[string]scenarios.Load{"even": curve, "poisson": poisson, "grid": gridded} {
		t.Run(name, func(t *testing.T) {
			whole := stripe(t, l, 1)
			if uint64(len(whole)) != l.Arrivals(9).Total() || len(whole) < 500 {
				t.Fatalf("got %d requests, want %d", len(whole), l.Arrivals(9).Total())
			}
			for _, shards := range []int{2, 3, 7, 200} {
				if diff := cmp.Diff(whole, stripe(t, l, shards)); diff != "" {
					t.Errorf("%d shards (-whole +striped):\n%s", shards, diff)
				}
			}
		})
	}
}

// stripe plays the plan of every shard through the pacer and writes down what
// each request would be.
func stripe(t *testing.T, l scenarios.Load, shards int) (all []string) {
	t.Helper()
	sc := clinicMix(l)
	for shard := range shards {
		r, err := newRun(sc, record(sc), Options{Base: nowhereURL, Seed: 9, Shard: shard, Shards: shards})
		if err != nil {
			t.Fatal(err)
		}
		schedule := r.load.Arrivals(r.opt.Seed)
		p := &pacer{
			ctx: t.Context(), schedule: schedule, n: uint64(shard), stride: uint64(shards), began: time.Now(),
			wait: never{}, full: func(uint64) bool { return false }, ring: make([]arrival, ring),
		}
		v := r.newVisitor(0)
		for hits := uint64(0); ; hits++ {
			if _, stop := p.Pace(0, hits); stop {
				break
			}
			x := p.ring[hits%ring]
			j := r.plan.journey(scenarios.Hash(9, x.n, 0))
			v.forget()
			v.begin(j, scenarios.Hash(9, x.n, 2), x.n)
			s := &v.draw(j, scenarios.Hash(9, x.n, 1), true).steps[0]
			if s.index != r.plan.first(9, x.n) {
				t.Fatalf("arrival %d: got step %d drawn, want %d as counted", x.n, s.index, r.plan.first(9, x.n))
			}
			v.fill(s)
			all = append(all, fmt.Sprintf("%06d %s %s %s %s", x.n, x.due, v.call.Method, v.call.Path, v.call.Body))
		}
		v.close()
	}
	slices.Sort(all)
	return all
}

func TestShardsOfUsersAddUp(t *testing.T) {
	l := scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{{From: 0, To: 12, For: 200 * time.Millisecond}, {From: 12, To: 12, For: 300 * time.Millisecond}}}
	for _, shards := range []int{1, 3} {
		var mu sync.Mutex
		seen := map[string]int{}
		s := newNullServer(t, func(line string) {
			mu.Lock()
			defer mu.Unlock()
			seen[line]++
		})
		var wg sync.WaitGroup
		for shard := range shards {
			sc := ping(l, 50*time.Millisecond)
			wg.Go(func() {
				if _, err := Run(t.Context(), sc, record(sc), Options{Base: s.url(), Shard: shard, Shards: shards}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for v := range 12 { // the first turn of each user; later ones depend on answers
			if n := seen[fmt.Sprintf("GET /ping/%d HTTP/1.1\r\n", v)]; n != 1 {
				t.Errorf("%d shards: got the first turn of user %d %d times, want once", shards, v, n)
			}
		}
	}
}

// What the server saw is what the plan says: each arrival once, in weights that
// the plan gives, and as many in each tenth of the run.
func TestServerSeesThePlan(t *testing.T) {
	t.Parallel()
	l := scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{{From: 100, To: 900, For: time.Second}, {From: 900, To: 900, For: time.Second}}}
	var mu sync.Mutex
	seen := map[string]int{}
	var began time.Time
	tenths := make([]int, 40)
	s := newNullServer(t, func(line string) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		seen[line]++
		if i := int(now.Sub(began) / (100 * time.Millisecond)); i >= 0 && i < len(tenths) {
			tenths[i]++
		}
	})
	sc := ping(l, 0)
	o, err := Run(t.Context(), sc, record(sc), Options{Base: s.url(), During: []func(context.Context, time.Time) error{
		func(_ context.Context, at time.Time) error {
			mu.Lock()
			defer mu.Unlock()
			began = at
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	schedule := l.Arrivals(0)
	planned := make([]int, len(tenths))
	for n := range schedule.Total() {
		if got := seen[fmt.Sprintf("GET /ping/%d HTTP/1.1\r\n", n)]; got != 1 {
			t.Errorf("arrival %d: got it %d times, want once", n, got)
		}
		due, _ := schedule.Due(n)
		planned[due/(100*time.Millisecond)]++
	}
	if uint64(len(seen)) != schedule.Total() {
		t.Errorf("got %d different requests, want %d", len(seen), schedule.Total())
	}
	p99, _ := o.Health.Lag.Quantile(0.99)
	for i := range planned[1:] { // running sums: what is late by p99 may slip into the next tenth
		got, want := sum(tenths[:i+1]), sum(planned[:i+1])
		slip := int(math.Ceil(float64(p99+2*time.Millisecond)/float64(time.Second)*900)) + 20
		if got > want+1 || got < want-slip {
			t.Errorf("after %d ms: got %d arrivals, want %d less at most %d", 100*(i+1), got, want, slip)
		}
	}
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}
