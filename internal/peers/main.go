// Command peers compares the engine with other load generators on this machine:
// the same null server, the same sitting, rounds in turns, and of each tool the
// cheapest round, with the latencies of its most punctual one. It prints Markdown for docs/engine.md. Peers are built from the
// module proxy at pinned versions, or taken from PATH; one that cannot be had is
// skipped with a message.
//
//	go run ./internal/peers [-rounds 5] [-for 3s] [-only saturation,open,stall,think,tier] [-k6]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(args) > 0 && args[0] == "serve" {
		return report(stderr, serve(ctx, stdin, stdout))
	}
	if len(args) > 0 && args[0] == "drive" {
		return report(stderr, drive(ctx, args[1:], stdout))
	}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var opt options
	flags.IntVar(&opt.rounds, "rounds", 5, "rounds of every tool, in turns")
	flags.DurationVar(&opt.length, "for", 3*time.Second, "length of one round")
	flags.BoolVar(&opt.k6, "k6", false, "build k6 too: a few minutes and 1 GB of modules")
	only := flags.String("only", "saturation,open,stall,think,tier", "what to compare")
	if flags.Parse(args) != nil {
		return 2
	}
	bench, err := newBench(ctx, opt, stderr)
	if err != nil {
		return report(stderr, err)
	}
	defer bench.close()
	fmt.Fprintf(stdout, "%s, %d × %s, %s, server and generator %s; %d rounds of %s, the cheapest of each\n",
		kernel(), runtime.NumCPU(), cpu(), runtime.Version(), bench.placing(), opt.rounds, opt.length)
	for _, name := range strings.Split(*only, ",") {
		part, ok := parts[name]
		if !ok {
			return report(stderr, fmt.Errorf("no comparison %q", name))
		}
		if err := part(ctx, bench, stdout); err != nil {
			return report(stderr, fmt.Errorf("compare %s: %w", name, err))
		}
	}
	return 0
}

func report(w io.Writer, err error) int {
	if err != nil {
		fmt.Fprintln(w, "peers:", err)
		return 1
	}
	return 0
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return runtime.GOOS + " " + strings.TrimSpace(string(b))
}

func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.SplitSeq(string(b), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
