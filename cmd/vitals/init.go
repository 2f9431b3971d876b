package main

import (
	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/importer"
)

// newInitCmd is `vitals init`.
func newInitCmd(s streams) *cobra.Command {
	o := importer.Request{}
	cmd := &cobra.Command{
		Use:   "init --from FILE | --record URL",
		Short: "Write a first profile, scenario and targets from an OpenAPI file, a HAR capture, a Postman collection or a recording",
		Long: `Read what you have of your API: an OpenAPI 3.0 or 3.1 or Swagger 2.0 file, a HAR
capture of a browser, or a Postman 2.1 collection. Without any, --record listens, passes
what you send there on to your API, and reads that. Write profile.yaml,
scenario.yaml, targets.yaml and accounts.csv (its header only) into a folder, with
"# decide:" where something had to be guessed. Secrets of a capture or a collection
are not copied. Nothing is overwritten without asking.

` + exit.Table,
		Example: `  vitals init --from openapi.yaml
  vitals init --from capture.har --url https://staging.example.org --dir staging/
  vitals init --from collection.postman.json --yes
  vitals init --record http://127.0.0.1:8000 --limit "5 failed attempts per minute per IP"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return exit.With(exit.Usage, importer.Init(cmd.Context(), o, s.In, s.Out, s.Err))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "OpenAPI, Swagger, HAR or Postman file, JSON or YAML")
	f.StringVar(&o.Record, "record", "", "URL of a running API whose requests are recorded until Ctrl-C")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8700", "address where --record listens")
	f.StringVar(&o.Limit, "limit", "", "sentence in which your documents promise the limit on sign-ins")
	f.StringVar(&o.URL, "url", "", "where the API answers, with its base path if it has one (default: what the file says)")
	f.StringVar(&o.Dir, "dir", "vitals", "folder to write into")
	f.BoolVar(&o.Yes, "yes", false, "ask nothing")
	f.BoolVar(&o.Overwrite, "overwrite", false, "replace files that are there")
	return cmd
}
