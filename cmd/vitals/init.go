package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"vitals/internal/atomicfile"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/importer"
)

// maxSource bounds what is read of a specification or a capture.
const maxSource = 256 << 20

// initOptions are the flags of `vitals init`.
type initOptions struct {
	from, url, dir string
	yes, overwrite bool
}

// newInitCmd is `vitals init`.
func newInitCmd(s streams) *cobra.Command {
	o := initOptions{}
	cmd := &cobra.Command{
		Use:   "init --from FILE",
		Short: "Write a first profile, scenario and targets from an OpenAPI file, a HAR capture or a Postman collection",
		Long: `Read what you have of your API: an OpenAPI 3.0 or 3.1 or Swagger 2.0 file, a HAR
capture of a browser, or a Postman 2.1 collection. Write profile.yaml,
scenario.yaml, targets.yaml and accounts.csv (its header only) into a folder, with
"# decide:" where something had to be guessed. Secrets of a capture or a collection
are not copied. Nothing is overwritten without asking.

` + exit.Table,
		Example: `  vitals init --from openapi.yaml
  vitals init --from capture.har --url https://staging.example.org --dir staging/
  vitals init --from collection.postman.json --yes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runInit(s, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "OpenAPI, Swagger, HAR or Postman file, JSON or YAML")
	f.StringVar(&o.url, "url", "", "where the API answers (default: what the file says)")
	f.StringVar(&o.dir, "dir", "vitals", "folder to write into")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	f.BoolVar(&o.overwrite, "overwrite", false, "replace files that are there")
	return cmd
}

func runInit(s streams, o initOptions) error {
	if o.from == "" {
		return exit.Errorf(exit.Usage, "nothing to start from: want --from with an OpenAPI, HAR or Postman file")
	}
	if o.url != "" {
		if _, err := harness.ParseURL("--url", o.url); err != nil {
			return exit.With(exit.Usage, err)
		}
	}
	source, err := readSource(o.from)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	made, err := importer.Import(source, importer.Options{File: o.from, URL: o.url})
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	ask := asker(s, o.yes)
	if made.URL == "" && ask != nil {
		answer, err := ask("Where does the API answer? (URL, or nothing to decide later) ")
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		if answer != "" {
			if _, err := harness.ParseURL("the answer", answer); err != nil {
				return exit.With(exit.Usage, err)
			}
			o.url = answer
			if made, err = importer.Import(source, importer.Options{File: o.from, URL: o.url}); err != nil {
				return exit.With(exit.Usage, err)
			}
		}
	}
	files := []struct{ name, text string }{
		{"profile.yaml", made.Profile}, {"scenario.yaml", made.Scenario}, {"targets.yaml", made.Targets}, {"accounts.csv", made.Accounts},
	}
	var there []string
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(o.dir, f.name)); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, filepath.Join(o.dir, f.name))
		}
	}
	if len(there) > 0 && !o.overwrite {
		if ask == nil {
			return exit.Errorf(exit.Usage, "%s would be overwritten: name another folder with --dir, or replace with --overwrite", strings.Join(there, ", "))
		}
		answer, err := ask(fmt.Sprintf("Overwrite %s? [y/N] ", strings.Join(there, ", ")))
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		if a := strings.ToLower(answer); a != "y" && a != "yes" {
			return exit.Errorf(exit.Usage, "nothing was written")
		}
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return exit.Errorf(exit.Usage, "make the folder: %w", err)
	}
	for _, f := range files {
		if err := atomicfile.Write(filepath.Join(o.dir, f.name), func(w io.Writer) error {
			_, err := io.WriteString(w, f.text)
			return err
		}); err != nil {
			return exit.With(exit.Usage, err)
		}
	}
	return sayInit(s.Out, o, made)
}

// readSource reads a file, and says when it is larger than anybody reads.
func readSource(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if len(text) > maxSource {
		return nil, fmt.Errorf("--from: %s is larger than %d MiB", file, maxSource>>20)
	}
	return text, nil
}

// asker asks on a terminal; nil where there is none, or nothing is to be asked.
func asker(s streams, yes bool) func(question string) (string, error) {
	f, ok := s.In.(*os.File)
	if yes || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	lines := bufio.NewReader(f)
	return func(question string) (string, error) {
		if _, err := io.WriteString(s.Err, question); err != nil {
			return "", fmt.Errorf("ask: %w", err)
		}
		line, err := lines.ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("no answer: %w", err)
		}
		return strings.TrimSpace(line), nil
	}
}

// sayInit says what was written, what was left out, and what to do next.
func sayInit(w io.Writer, o initOptions, made *importer.Files) error {
	var b strings.Builder
	in := func(name string) string { return filepath.Join(o.dir, name) }
	fmt.Fprintf(&b, "Read %s (%s). Wrote %s, %s, %s, %s.\n", o.from, made.Kind, in("profile.yaml"), in("scenario.yaml"), in("targets.yaml"), in("accounts.csv"))
	for _, said := range made.Said {
		fmt.Fprintf(&b, "  %s\n", said)
	}
	if made.Decide > 0 {
		fmt.Fprintf(&b, "%d guesses are marked \"# decide:\": grep -n decide: %s/*.yaml\n", made.Decide, filepath.Clean(o.dir))
	}
	url := made.URL
	if url == "" {
		url = "URL"
	}
	accounts := ""
	b.WriteString("\nNext:\n")
	if made.SignsIn {
		accounts = " --accounts " + in("accounts.csv")
		fmt.Fprintf(&b, "  put test accounts into %s, a line each: someone@example.com,their password\n", in("accounts.csv"))
	}
	fmt.Fprintf(&b, "  vitals validate %s --profile %s --targets %s\n", in("scenario.yaml"), in("profile.yaml"), in("targets.yaml"))
	fmt.Fprintf(&b, "  vitals run %s --url %s%s --targets %s\n", in("scenario.yaml"), url, accounts, in("targets.yaml"))
	fmt.Fprintf(&b, "  vitals audit --url %s --profile %s%s\n", url, in("profile.yaml"), accounts)
	_, err := io.WriteString(w, b.String())
	return err
}
