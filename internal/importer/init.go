package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"vitals/internal/atomicfile"
	"vitals/internal/strict"
)

// maxSource bounds what is read of a specification or a capture.
const maxSource = 256 << 20

// Request is what a user asks of Init.
type Request struct {
	From           string // OpenAPI, Swagger, HAR or Postman file
	URL            string // where the API answers; "" = what the file says
	Dir            string // folder to write into
	Yes, Overwrite bool   // ask nothing; replace files that are there
}

// Init imports a source and writes its profile, scenario, targets and accounts file
// into a folder; on a terminal it asks on talk what it cannot know, and reads the
// answer from in. All errors are the user's to mend.
func Init(o Request, in io.Reader, out, talk io.Writer) error {
	if o.From == "" {
		return errors.New("nothing to start from: want --from with an OpenAPI, HAR or Postman file")
	}
	if o.URL != "" {
		if _, err := strict.ParseURL("--url", o.URL); err != nil {
			return err
		}
	}
	source, err := readSource(o.From)
	if err != nil {
		return err
	}
	made, err := Import(source, Options{File: o.From, URL: o.URL})
	if err != nil {
		return err
	}
	ask := asker(in, talk, o.Yes)
	if made.URL == "" && ask != nil {
		answer, err := ask("Where does the API answer? (URL, or nothing to decide later) ")
		if err != nil {
			return err
		}
		if answer != "" {
			if _, err := strict.ParseURL("the answer", answer); err != nil {
				return err
			}
			o.URL = answer
			if made, err = Import(source, Options{File: o.From, URL: o.URL}); err != nil {
				return err
			}
		}
	}
	files := []struct{ name, text string }{
		{"profile.yaml", made.Profile}, {"scenario.yaml", made.Scenario}, {"targets.yaml", made.Targets}, {"accounts.csv", made.Accounts},
	}
	var there []string
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(o.Dir, f.name)); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, filepath.Join(o.Dir, f.name))
		}
	}
	if len(there) > 0 && !o.Overwrite {
		if ask == nil {
			return fmt.Errorf("%s would be overwritten: name another folder with --dir, or replace with --overwrite", strings.Join(there, ", "))
		}
		answer, err := ask(fmt.Sprintf("Overwrite %s? [y/N] ", strings.Join(there, ", ")))
		if err != nil {
			return err
		}
		if a := strings.ToLower(answer); a != "y" && a != "yes" {
			return errors.New("nothing was written")
		}
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, f := range files {
		if err := atomicfile.Write(filepath.Join(o.Dir, f.name), func(w io.Writer) error {
			_, err := io.WriteString(w, f.text)
			return err
		}); err != nil {
			return err
		}
	}
	return o.say(out, made)
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
func asker(in io.Reader, talk io.Writer, yes bool) func(question string) (string, error) {
	f, ok := in.(*os.File)
	if yes || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	lines := bufio.NewReader(f)
	return func(question string) (string, error) {
		if _, err := io.WriteString(talk, question); err != nil {
			return "", fmt.Errorf("ask: %w", err)
		}
		line, err := lines.ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("no answer: %w", err)
		}
		return strings.TrimSpace(line), nil
	}
}

// say tells what was written, what was left out, and what to do next.
func (o Request) say(w io.Writer, made *Files) error {
	var b strings.Builder
	in := func(name string) string { return filepath.Join(o.Dir, name) }
	fmt.Fprintf(&b, "Read %s (%s). Wrote %s, %s, %s, %s.\n", o.From, made.Kind, in("profile.yaml"), in("scenario.yaml"), in("targets.yaml"), in("accounts.csv"))
	for _, said := range made.Said {
		fmt.Fprintf(&b, "  %s\n", said)
	}
	if made.Decide > 0 {
		fmt.Fprintf(&b, "%d guesses are marked \"# decide:\": grep -n decide: %s/*.yaml\n", made.Decide, filepath.Clean(o.Dir))
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
	fmt.Fprintf(&b, "  vitals run %s --url %s --profile %s%s --targets %s\n", in("scenario.yaml"), url, in("profile.yaml"), accounts, in("targets.yaml"))
	host := "HOST"
	if u, err := neturl.Parse(made.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	fmt.Fprintf(&b, "  vitals audit --url %s --profile %s%s --class intrusive --i-own %s\n", url, in("profile.yaml"), accounts, host)
	_, err := io.WriteString(w, b.String())
	return err
}
