package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// flat is a load that every case is put under, with more lines of its arrivals.
const flat = `name: flat
arrivals:
  %s
  stages:
    - {name: warm-up, from: %[2]d/s, to: %[2]d/s, for: 1s, judged: false}
    - {name: hold, from: %[2]d/s, to: %[2]d/s, for: 5s, judged: true}
journeys:
  - name: caller
    steps: [{name: call, get: /call, anonymous: true}]
`

// burners share one processor with the generator and leave it a sliver: each is as
// important as it is.
const burners = 24

// Who measures itself says so, and names what it lacked; who measures a slow system
// accuses the system. Each case is run by the program itself, STARVED times.
func TestStarvedGenerator(t *testing.T) {
	t.Parallel()
	rounds, _ := strconv.Atoi(os.Getenv("STARVED"))
	if rounds == 0 {
		t.Skip("STARVED is not set: this starves a machine that must have nothing else to do (make starved); the causes are tested one by one in internal/load")
	}
	quick := func() http.HandlerFunc {
		return sleeps(func(time.Duration) time.Duration { return 5 * time.Millisecond })
	}
	for name, c := range map[string]struct {
		rate   int
		more   string // lines of arrivals
		before []string
		server func() http.HandlerFunc
		cause  string // of an invalid run; "" = the system is accused
		says   string
	}{
		"a sliver of a core": {rate: 1500, before: []string{"taskset", "-c", "0", "nice", "-n", "19"}, server: quick, cause: measure.CauseCPU},
		"2 workers, 2 connections": {rate: 200, more: "workers: 2", cause: measure.CauseWorkers, server: func() http.HandlerFunc {
			return sleeps(func(time.Duration) time.Duration { return 20 * time.Millisecond })
		}},
		"fewer workers than answers under way": {rate: 1500, cause: measure.CauseWorkers, server: func() http.HandlerFunc {
			return sleeps(func(time.Duration) time.Duration { return 400 * time.Millisecond })
		}},
		"a few descriptors": {rate: 500, before: []string{"sh", "-c", `ulimit -n 40; exec "$@"`, "sh"}, cause: measure.CausePorts, server: func() http.HandlerFunc {
			return sleeps(func(time.Duration) time.Duration { return 200 * time.Millisecond })
		}},
		"a system that slows down": {rate: 200, says: "p95 < 300ms", server: func() http.HandlerFunc {
			return sleeps(func(at time.Duration) time.Duration {
				if at > 2*time.Second {
					return 2500 * time.Millisecond
				}
				return 5 * time.Millisecond
			})
		}},
		"a slow system": {rate: 100, says: "p95 < 300ms", server: func() http.HandlerFunc {
			return sleeps(func(time.Duration) time.Duration { return 600 * time.Millisecond })
		}},
		"a system that is full from the beginning": {rate: 1500, says: "p95 < 300ms", server: func() http.HandlerFunc {
			slots := make(chan struct{}, 8)
			return func(w http.ResponseWriter, _ *http.Request) {
				slots <- struct{}{}
				time.Sleep(20 * time.Millisecond) // the server's work
				<-slots
				_, _ = io.WriteString(w, "{}")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.before) > 0 {
				if _, err := exec.LookPath(c.before[0]); err != nil {
					t.Skipf("there is no %s to starve the generator with", c.before[0])
				}
			}
			sc := file(t, "flat.yaml", fmt.Sprintf(flat, c.more, c.rate))
			wanted := file(t, "wanted.yaml", "targets:\n  - p95 < 300ms\n  - errors < 1%\n")
			right := 0
			for n := range rounds {
				s := httptest.NewServer(c.server())
				ctx, done := context.WithCancel(t.Context())
				if c.cause == measure.CauseCPU {
					burn(ctx, t, c.before)
				}
				witness := watchTimers(ctx)
				out := t.TempDir()
				d, code, text := played(t, append(slices.Clone(c.before), program(), "run", sc, "--url", s.URL, "--targets", wanted, "--retries", "0", "--out", out), out)
				late := witness()
				done()
				s.Close()
				reasons := strings.Join(d.Reasons, "\n")
				t.Logf("round %d: exit %d, %s: %s", n+1, code, d.Verdict, reasons)
				ours := strings.Join(d.Runs[0].Result.Health.Invalid, "\n")
				for _, v := range d.Runs[0].Verdicts {
					if v.Target.Metric == "p95" && v.Status != targets.NoData && d.Verdict == report.Invalid {
						t.Errorf("round %d: a verdict on a latency that is partly our own: %s", n+1, v)
					}
				}
				switch {
				case c.cause != "" && code == exit.NoAnswer && d.Verdict == report.Invalid && strings.Contains(reasons, c.cause) &&
					(rounds == 1 || c.cause != measure.CauseCPU || !strings.Contains(reasons, measure.CauseWorkers)): // more workers would not help
					right++
				case c.cause == "" && code == exit.Fail && strings.Contains(reasons, c.says) && !strings.Contains(ours, "generator:"):
					right++
				case c.cause == "" && strings.Contains(reasons, measure.CauseCPU) && late > 10*time.Millisecond:
					t.Logf("round %d: this machine kept the test waiting as well, for %s", n+1, late)
					right++
				default:
					t.Errorf("round %d: exit %d, %s, want %q\n%s", n+1, code, d.Verdict, c.cause+c.says, text)
				}
			}
			t.Logf("%s: %d of %d", name, right, rounds)
		})
	}
}

// sleeps is a server that takes as long for an answer as it is told, by the time since
// the first request of the load: what is asked before, as by /health, is answered at once.
func sleeps(long func(at time.Duration) time.Duration) http.HandlerFunc {
	var first atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/call" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		now := time.Now()
		first.CompareAndSwap(0, now.UnixNano())
		time.Sleep(long(now.Sub(time.Unix(0, first.Load())))) // the server's work
		_, _ = io.WriteString(w, "{}")
	}
}

// burn keeps the processor busy that before pins to, until ctx ends.
func burn(ctx context.Context, t *testing.T, before []string) {
	t.Helper()
	for range burners {
		args := append(slices.Clone(before), "sh", "-c", "while :; do :; done")
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = cmd.Wait() }() // it is killed
	}
}

// watchTimers tells how late this process itself is, as a witness: the 99th percentile
// of what its own waits were too long.
func watchTimers(ctx context.Context) (p99 func() time.Duration) {
	ctx, stop := context.WithCancel(ctx)
	var late []time.Duration
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			began := time.Now()
			time.Sleep(time.Millisecond) // what is measured
			late = append(late, time.Since(began)-time.Millisecond)
		}
	}()
	return func() time.Duration {
		stop()
		<-over
		slices.Sort(late)
		return late[len(late)*99/100]
	}
}

// played runs the program and reads its document.
func played(t *testing.T, args []string, out string) (d *report.Document, code int, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	_ = cmd.Run() // its exit code is looked at
	b, err := os.ReadFile(filepath.Join(out, "document.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d, cmd.ProcessState.ExitCode(), said.String()
}
