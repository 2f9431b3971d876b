package main

import (
	"context"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/scenarios"
)

func newRunCmd(s streams) *cobra.Command {
	o := harness.Options{}
	cmd := &cobra.Command{
		Use:   "run [SCENARIO…]",
		Short: "Put a system under load, judge it, and leave a document and a baseline",
		Long: `Run the named scenarios (or files) one after the other against one system, judge
each against the targets, and write OUT/document.json, OUT/baseline.json and
OUT/report.html, a page for any browser. In GitHub Actions what was not met is
also annotated, and the job's summary written.
Without a name: ` + strings.Join(scenarios.Names(), ", ") + `.

The system under test is the embedded reference API (the default, nothing to
install), the same API beside Postgres and Redis in containers, or a deployment
that is already there (--url). Load and intruders go to loopback and private
addresses only; any other host must be named with --i-own.

--fault breaks a part of the container stack in every scenario, AT from its start,
and mends it FOR later or with the run's end: redis, postgres, api, api-2… are
stopped (stop), frozen (pause) or killed (kill; without +FOR started again at
once). What is due meanwhile stands in the phase "fault", and what is due in the
time that recovery may take in "recovering"; both are judged only by targets that
say so (errors < 1% during fault). Two figures are for such a run:
  fault.recovery   from a fault's end until requests go as expected again;
                   judged by < 5s where no target says otherwise
  fault.leaked     guesses judged beyond what the API declares for the time
                   (RATE_LIMIT_REDIS_FAILURE), and locks that were forgotten;
                   judged by == 0

` + exit.Table,
		Example: `  vitals run --pace quick
  vitals run normal peak --stack containers --pace quick
  vitals run normal --stack containers --replicas 2 --fault redis:stop@60s+10s
  vitals run mine.yaml --url http://127.0.0.1:8000 --accounts accounts.csv --targets mine-targets.yaml
  vitals run mine.yaml --url http://127.0.0.1:8000 --accounts accounts.csv --once
  vitals run targets.txt --rate 50/s --for 10s --targets none`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := asGiven(&o, args); err != nil {
				return err
			}
			if o.Repeat == 0 { // which is the default only where no flag is
				return exit.Errorf(exit.Usage, "--repeat 0: want 1 or more")
			}
			if o.Once {
				return runOnce(cmd.Context(), s, o)
			}
			return runRun(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	systemFlags(f, &o)
	urlFlag(f, &o.URL)
	paceFlag(f, &o.Pace)
	apiImageFlag(f, &o.Images.API)
	loadFlags(f, &o.Rate, &o.For)
	f.StringVar(&o.Out, "out", "out", "folder for report.html, document.json, baseline.json and the API's log")
	f.StringVar(&o.Baseline, "baseline", "", "baseline.json, or its folder, to compare with as vitals compare does: worse fails the run")
	f.StringVar(&o.History, "history", "", "folder of vitals history: the noise between sessions is learned from it, and the page shows it")
	f.IntVar(&o.Retries, "retries", 1, "how often a scenario that is invalid by the machine or the generator is run again by itself: the last try counts, all are told; 0 = never")
	f.IntVar(&o.Repeat, "repeat", 1, "runs of every scenario, each with a fresh start of the stack: the replicates of a baseline")
	f.StringVar(&o.Pprof, "pprof", "", "with --url: its CPU profiler, asked for 5 s when a target is being lost, as in http://127.0.0.1:6060/debug/pprof/profile")
	certificateFlags(f, &o.CA, &o.Cert, &o.Key)
	f.IntVar(&o.Replicas, "replicas", 1, "with --stack containers: API processes side by side")
	f.Float64Var(&o.CPUs, "cpus", 0, "with --stack containers: processors that each API process may use, as in 0.5 (default: all)")
	f.StringArrayVar(&o.Faults, "fault", nil, "with --stack containers: PART:ACTION@AT+FOR, as in redis:stop@10s+5s; again for another")
	f.StringVar(&o.Live, "live", "", "show the run while it lasts as a page at this address, :PORT (this machine alone) or HOST:PORT")
	f.StringVar(&o.ServeMetrics, "serve-metrics", "", "show the run's own figures to a Prometheus at this address, :PORT (this machine alone) or HOST:PORT")
	f.StringVar(&o.TraceURL, "trace-url", "", "link the slowest and the failed requests to your tracing backend, as in https://traces.example/trace/{trace_id}")
	f.BoolVar(&o.OTLP, "otlp", false, "send the run's own metrics over OTLP/HTTP every 10 s, as the OTEL_EXPORTER_OTLP_* variables say")
	f.StringVar(&o.Member, "member", "", "with --url: send share I of N of the plan, as in 0/4, and leave it for vitals merge")
	f.StringVar(&o.StartAt, "start-at", "", "with --member: the instant (RFC 3339) at which all members begin")
	rendezvousFlag(f, &o.Rendezvous)
	f.StringVar(&o.RunID, "run-id", "", "with --rendezvous-file: name of the run there")
	f.BoolVar(&o.Once, "once", false, "send every task of every journey once, print every request and answer, and measure nothing")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "print everything at the end, not only what fits one screen")
	f.BoolVarP(&o.Quiet, "quiet", "q", false, "no progress while the run lasts")
	return cmd
}

// runOnce sends each task once, to see whether a scenario is right.
func runOnce(ctx context.Context, s streams, o harness.Options) error {
	p, err := harness.Read(o)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	ctx, _, stop := exit.Interruptible(ctx, s.Err)
	defer stop()
	return harness.Once(ctx, p, s.talk())
}

func runRun(ctx context.Context, s streams, o harness.Options) error {
	p, err := harness.Read(o)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	drain, kill, stop := exit.Interruptible(ctx, s.Err)
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // our garbage is little, and our memory stays level
	}
	d, err := harness.Run(drain, kill, p, s.talk())
	if err != nil {
		return err
	}
	return exit.Said(d.Exit)
}
