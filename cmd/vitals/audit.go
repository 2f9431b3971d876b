package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/audit/checklist"
	"vitals/internal/exit"
	"vitals/internal/profile"
)

// newAuditCmd is `vitals audit`.
func newAuditCmd(s streams) *cobra.Command {
	o := checklist.Options{Tool: tool()}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Carry out the security checklist on the wire, line by line",
		Long: `Send the probes of the checklist to one API and say PASS, FAIL or SKIP(reason)
for each, with its transcript in OUT/audit.json.

Safe probes guess no credential, create nothing and stay under 5 requests a
second; they may be sent anywhere. Intrusive probes lock addresses, spend quotas
and make data: they need --i-own HOST, or a stack of our own. Control probes
start, configure and break an API: they need --stack.

Each probe says what it rests on: a promise of the profile, or a published standard.
A broken promise is a FAIL. What a standard asks and nobody promised is ADVICE, which
fails nothing by itself; --standard asks for a standard as if it were promised. What is
neither is not asked. --standard asvs-5.0 lists the standard's requirements as well, each
with its verdict and evidence, and how many nothing proves from outside.

A line that was skipped was not proved: without a FAIL the exit code is then 3,
unless --may-skip names it.

` + exit.Table,
		Example: `  vitals audit --url https://staging.example.org --profile vitals/profile.yaml
  vitals audit --url http://127.0.0.1:8000 --profile clinic --i-own 127.0.0.1 --class intrusive --accounts accounts.csv --only LK,CO
  vitals audit --stack embedded --short-clock
  vitals audit --discover --url http://127.0.0.1:8000 --i-own 127.0.0.1 --profile vitals/profile.yaml --accounts accounts.csv
  vitals audit --explain LK8`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Binary, err = program(); err != nil {
				return err
			}
			drain, _, stop := exit.Interruptible(cmd.Context(), s.Err)
			defer stop()
			return checklist.Run(drain, o, s.talk())
		},
	}
	f := cmd.Flags()
	urlFlag(f, &o.URL)
	f.StringVar(&o.Stack, "stack", "", "a stack of our own instead: embedded or containers")
	f.StringSliceVar(&o.Only, "only", nil, "families (LK) or probes (LK8) to run; default all")
	f.StringVar(&o.Class, "class", "", "run probes up to this class: safe, intrusive or control (default safe; control with --stack)")
	f.StringSliceVar(&o.Own, "i-own", nil, "host that is yours to probe intrusively")
	f.BoolVar(&o.AllowProduction, "allow-production", false, "probe a host intrusively whose /health says env: production")
	forwardFlag(f, &o.Forward)
	f.StringVar(&o.Profile, "profile", "", "what the API promises, its paths and fields: "+strings.Join(profile.Names(), ", ")+", or a file; with --url it must be named")
	accountsFlag(f, &o.Accounts)
	certificateFlags(f, &o.CA, &o.Cert, &o.Key)
	metricsFlag(f, &o.Metrics)
	f.StringVar(&o.Origin, "origin", "", "with --url: an origin that its CORS settings allow")
	f.BoolVar(&o.ShortClock, "short-clock", false, "with --stack: locks of seconds instead of 900 s; labelled so in every report")
	f.DurationVar(&o.Patience, "patience", 20*time.Minute, "longest single wait of a probe, as for a lock's end; probes that wait longer are skipped")
	f.StringSliceVar(&o.MaySkip, "may-skip", nil, "families or probes whose SKIP does not make the exit code 3")
	f.BoolVar(&o.Discover, "discover", false, "with --url and --i-own: find out the limit on signing in, and print it for the profile and the document")
	f.StringSliceVar(&o.Standard, "standard", nil, "hold the API to these standards as if it promised them: "+strings.Join(profile.Standards(), ", "))
	f.StringVar(&o.Bypass, "bypass", "", "file of more ways past a limit for LK17, LK20 and LK32 to try (docs/profiles.md)")
	f.StringVar(&o.Explain, "explain", "", "tell why a probe or family matters and how to mend what it finds, and leave")
	f.StringVar(&o.Out, "out", "out", "folder for audit.json and the API's log")
	imageFlags(f, &o.Images)
	return cmd
}
