// Package checklist carries out the security checklist as one command: it checks
// what was asked for, starts or finds the API, sends the probes, and keeps and
// judges what they found.
package checklist

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitals/internal/audit"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
	"vitals/internal/stack/audited"
	"vitals/internal/stack/containers"
	"vitals/report"
)

// Options are what a user asks for.
type Options struct {
	URL, Stack      string        // a deployment that is already there, or embedded or containers
	Only            []string      // families or probes; nil = all
	Class           string        // safe, intrusive or control; "" = safe, and control with Stack
	Own             []string      // hosts that are the user's to probe intrusively
	AllowProduction bool          // probe one whose /health says production intrusively
	Forward         bool          // this machine is a trusted proxy of URL
	Profile         string        // built-in name or file
	Accounts        string        // CSV file; with URL
	CA, Cert, Key   string        // PEM files: authorities to trust beside the system's, the client's certificate and its key; with URL
	Metrics         string        // URL of its Prometheus page; with URL
	Origin          string        // that its CORS settings allow; with URL
	ShortClock      bool          // locks of seconds; with Stack
	Patience        time.Duration // longest single wait of a probe
	MaySkip         []string      // families or probes whose Skip is no exit.NoAnswer
	Bypass          string        // file of ways past a limit to try beside the built-in ones
	Standard        []string      // standards to hold the API to as if it promised them
	Discover        bool          // find out the limit on signing in instead; with URL and Own
	Explain         string        // a probe or family to tell about instead
	Out             string        // folder for audit.json and the API's log
	Images          containers.Images

	Binary string // this program, which is also the API
	Tool   string // "vitals VERSION", as documents carry it
}

// Run audits, prints what was found, and writes Out/audit.json and Out/report.html.
// Its error carries the exit code.
func Run(ctx context.Context, o Options, s harness.Streams) error {
	if o.Explain != "" {
		words, err := audit.Explain(o.Explain)
		if err != nil {
			return exit.Errorf(exit.Usage, "--explain: %w", err)
		}
		_, err = fmt.Fprint(s.Out, words)
		return err
	}
	p, err := read(o)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	release, err := stack.Output(o.Out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	var target *audit.Target
	var owner audit.Owner
	if p.url != nil {
		target, err = found(ctx, o, p)
	} else {
		sys := audited.System{Binary: o.Binary, Profile: p.profile, ShortClock: o.ShortClock, LogFile: filepath.Join(o.Out, "api.log"), Talk: s.Err}
		if o.Stack == "containers" {
			sys.Containers = &o.Images
		}
		var end func(context.Context) error
		if target, owner, end, err = audited.Start(ctx, sys); err == nil {
			defer func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if err := end(ctx); err != nil {
					fmt.Fprintln(s.Err, "vitals: clean up:", err)
				}
			}()
		}
		err = exit.With(exit.NoSystem, err)
	}
	if err != nil {
		return err
	}
	if p.url != nil {
		if words := audit.Absent(ctx, target); words != "" && ctx.Err() == nil {
			return exit.Errorf(exit.NoSystem, "what answers at %s is not the API of profile %s, or it is down: %s. Nothing else was asked; is the URL right, with the part of the path that comes before all others?", p.url.Redacted(), p.profile.Name, words)
		}
	}
	if o.Discover {
		return discovers(ctx, o, p, target, s)
	}
	rep := audit.Run(ctx, p.probes, target, audit.Options{
		Owner: owner, Patience: o.Patience, Standard: o.Standard, Bypass: p.bypass, Progress: talk(s.Err), Siege: siege(o.Tool), First: stack.FirstAddress(time.Now()),
	})
	if err := report.WriteAudit(o.Out, &rep); err != nil {
		return exit.With(exit.NoAnswer, err)
	}
	if err := audit.Print(s.Out, rep, report.StyleOf(s.Out, os.Getenv).Width); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nTranscripts: %s, and for a browser %s\n", filepath.Join(o.Out, "audit.json"), filepath.Join(o.Out, "report.html"))
	why, ends := verdict(ctx, rep, o.MaySkip)
	if untried, _ := audit.Untried(target, p.class, o.Only, o.Standard); p.url != nil && len(untried) > 0 { // the words of only were read before
		fmt.Fprintf(s.Out, "Not tried of what is promised, because it guesses passwords or makes data: %s (--class intrusive --i-own %s tries it)\n", strings.Join(untried, " "), p.url.Hostname())
		if ends == nil && o.Class == "" {
			why, ends = "nothing failed, and what the profile promises was not all tried (--class safe takes it as it is)", exit.Said(exit.NoAnswer)
		}
	}
	fmt.Fprintf(s.Out, "Exit %d: %s\n", exit.Code(ends), why)
	return ends
}

// verdict gives the report its exit code, and the reason for that code in words.
func verdict(ctx context.Context, rep audit.Report, maySkip []string) (why string, ends error) {
	unproved := slices.ContainsFunc(rep.Findings, func(f audit.Finding) bool {
		family := strings.TrimRight(f.ID, "0123456789")
		may := slices.ContainsFunc(maySkip, func(w string) bool { return strings.EqualFold(w, f.ID) || strings.EqualFold(w, family) })
		return f.Status == audit.Skip && !may
	})
	switch {
	case ctx.Err() != nil:
		return "interrupted; what had not run yet is not proved", exit.Said(exit.Interrupted)
	case rep.Counts.Fail > 0 || len(rep.Violations) > 0:
		return "what is marked FAIL does not hold", exit.Said(exit.Fail)
	case rep.Stopped != "":
		return "the API stopped answering; what had not run yet is not proved", exit.Said(exit.NoSystem)
	case unproved:
		return "nothing failed, and what was skipped is not proved (--may-skip takes it as it is)", exit.Said(exit.NoAnswer)
	case rep.Counts.Pass+rep.Counts.Advice == 0:
		return "no probe had anything to check", exit.Said(exit.NoAnswer)
	}
	return "pass", nil
}

// talk tells of progress, a line for each probe and each long wait.
func talk(w io.Writer) func(audit.Progress) {
	return func(p audit.Progress) {
		switch {
		case p.Finding != nil && (p.Finding.Status == audit.NotAsked || p.Finding.NotRun): // told together at the end
		case p.Finding != nil:
			fmt.Fprintf(w, "[%d/%d] %s %s, %v\n", p.Done, p.Of, p.Finding.Status, p.Probe.ID, p.Finding.Took)
		case p.Wait > 0:
			fmt.Fprintf(w, "%s waits %v: %s\n", p.Probe.ID, p.Wait.Round(time.Second), p.Words)
		}
	}
}
