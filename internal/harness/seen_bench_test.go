package harness

import (
	"bufio"
	"fmt"
	"net/netip"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// perAddress is how many requests share a count, as an account's do in a run.
const perAddress = 90

func home(n uint64) netip.Addr { return stack.Benchmark(n / perAddress) }

func witness() (*limitMonitor, func(*wire.Seen)) {
	st := &stack.Stack{Kind: "embedded", Settings: []stack.Setting{{Name: "RATE_LIMIT_API_KEY", Value: "ip"}}}
	monitor, counts := newLimitMonitor(st, profile.Clinic()), &countHook{st: st, counts: observe.NewRequestCounts()}
	return monitor, func(x *wire.Seen) { monitor.see(x); counts.see(x) }
}

// BenchmarkSee is what the limit monitor and the request counts take of one answer.
func BenchmarkSee(b *testing.B) {
	monitor, see := witness()
	now := time.Now()
	x := wire.Seen{Step: "list medications", Method: "GET", Route: "/api/v1/medications", Status: 200, Limit: 100, Window: 3600, RetryAfter: -1,
		Counted: []byte("api"), ID: []byte("0190c3a2-7b1e-7c44-9d0e-1f2a3b4c5d6e")}
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		x.From, x.Remaining, x.Sent, x.Done = home(n), 100-int(n%perAddress)-1, now, now.Add(time.Millisecond)
		now = now.Add(2 * time.Millisecond)
		see(&x)
	}
	if h := monitor.report(true); h.Broken() > 0 {
		b.Fatalf("accused: %v", h.Violations[0])
	}
}

// BenchmarkWatched is what a request costs this process at a rate, with nobody
// watching and with limit monitor and request counts, the median round of each; the server is a
// process of its own.
func BenchmarkWatched(b *testing.B) {
	cmd := exec.Command(program(), "probe-generator", "null-server")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: strings.TrimSpace(line)}
	for _, rate := range []float64{1000, 10000} {
		l := scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{{Name: "hold", From: rate, To: rate, For: 2 * time.Second, Judged: true}}}
		sc := &scenarios.Scenario{Name: "watched", Load: l, Quick: l, Journeys: []scenarios.Journey{{Name: "j", Tasks: []scenarios.Task{{
			Name: "get", Steps: []scenarios.Step{{Name: "get", Path: "/api/v1/medications", Anonymous: true}}}}}}}
		b.Run(fmt.Sprintf("%.0f a second", rate), func(b *testing.B) {
			costs := map[string][]time.Duration{"unseen": nil, "seen": nil}
			for b.Loop() {
				for name := range costs { // in turns: the machine's moods are for both
					monitor, see := witness()
					opt := load.Options{Base: base, Source: home, Forward: true}
					if name == "seen" {
						opt.Seen = see
					}
					rec := measure.NewRecorder(load.Steps(sc), l.Phases(), measure.Options{})
					cpu := used()
					done, err := load.Run(b.Context(), sc, rec, opt)
					if err != nil {
						b.Fatal(err)
					}
					costs[name] = append(costs[name], (used()-cpu)/time.Duration(done.Counts.Sent))
					if n := monitor.report(true).Answers; name == "seen" && n != done.Counts.Sent {
						b.Fatalf("%d of %d were looked at", n, done.Counts.Sent)
					}
				}
			}
			for name, list := range costs {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Nanoseconds())/1e3, name+"-µs/request")
			}
		})
	}
}

func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
