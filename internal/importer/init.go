package importer

import (
	"bufio"
	"cmp"
	"context"
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
	Record         string // or the URL of an API whose requests are recorded
	Listen         string // where the recorder listens, as 127.0.0.1:8700
	URL            string // where the API answers; "" = what the source says
	Limit          string // a sentence that promises the limit on sign-ins; "" = what the source says
	Dir            string // folder to write into
	Yes, Overwrite bool   // ask nothing; replace files that are there
}

// Init imports a source and writes its profile, scenario, targets and accounts file
// into a folder; on a terminal it asks on talk what it cannot know, and reads the
// answer from in. A recording lasts until Ctrl-C, SIGTERM, SIGHUP or the end of ctx, or
// Enter or Ctrl-D on a terminal. All errors are the user's to mend.
func Init(ctx context.Context, o Request, in io.Reader, out, talk io.Writer) error {
	switch {
	case o.From == "" && o.Record == "":
		return errors.New("nothing to start from: want --from with an OpenAPI, HAR or Postman file, or --record with the URL of a running API")
	case o.From != "" && o.Record != "":
		return errors.New("--from and --record are two sources: want one")
	}
	if o.URL != "" {
		if _, err := strict.ParseURL("--url", o.URL); err != nil {
			return err
		}
	}
	if o.Record != "" {
		if _, err := strict.ParseURL("--record", o.Record); err != nil {
			return err
		}
	}
	if o.Limit != "" {
		if err := checkSentence(o.Limit); err != nil { // and not when a recording is lost for it
			return err
		}
	}
	ask := asker(in, talk, o.Yes)
	if err := o.room(ask); err != nil { // before anything is recorded
		return err
	}
	made, ask, err := o.source(ctx, ask, talk)
	if err != nil {
		return err
	}
	f, err := made(o.options())
	if o.Record != "" && errors.Is(err, errNoSignIn) { // a recording is not lost for it
		unused := fmt.Sprintf("--limit was not used: nothing in the recording signs in with a password, so %q is a limit on nothing", o.Limit)
		o.Limit = ""
		if f, err = made(o.options()); err == nil {
			f.Said = append(f.Said, unused)
		}
	}
	if err != nil {
		return err
	}
	if err := o.write(f); err != nil {
		return err
	}
	if ask != nil { // whoever ends it here keeps what was written
		if f, err = o.asked(f, made, ask); err != nil {
			return err
		}
		if err := o.write(f); err != nil {
			return err
		}
	}
	return o.say(out, f)
}

func (o Request) write(f *Files) error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for name, text := range map[string]string{profileFile: f.Profile, scenarioFile: f.Scenario, targetsFile: f.Targets, accountsFile: f.Accounts} {
		if err := atomicfile.Write(filepath.Join(o.Dir, name), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// The files that Init writes.
const (
	profileFile  = "profile.yaml"
	scenarioFile = "scenario.yaml"
	targetsFile  = "targets.yaml"
	accountsFile = "accounts.csv"
)

// name is what messages call the source.
func (o Request) name() string {
	if o.Record != "" {
		return "a recording of " + o.Record
	}
	return o.From
}

// options are what was asked of the files; those of a recording are for the API that was recorded.
func (o Request) options() Options {
	return Options{File: o.name(), URL: cmp.Or(o.URL, o.Record), Limit: o.Limit}
}

// maker makes the files of a source.
type maker func(Options) (*Files, error)

// source reads or records what the files are made of. Whoever ends a recording with
// Ctrl-C is asked nothing: it gives no questioner.
func (o Request) source(ctx context.Context, ask question, talk io.Writer) (maker, question, error) {
	if o.Record == "" {
		text, err := readSource(o.From)
		return func(o Options) (*Files, error) { return Import(text, o) }, ask, err
	}
	var enter chan struct{}
	if ask != nil {
		enter = make(chan struct{})
		go func() {
			if _, err := ask(""); err == nil || errors.Is(err, io.EOF) { // Ctrl-D as well
				close(enter)
			}
		}()
	}
	base := ""
	if to, err := neturl.Parse(o.Record); err == nil {
		base = to.EscapedPath()
	}
	kept, entered, err := record(ctx, o, enter, talk)
	if !entered {
		ask = nil
	}
	return func(o Options) (*Files, error) {
		d, err := kept.outline(base, o)
		return d.made(o, err)
	}, ask, err
}

// room sees to it that no file is overwritten unasked.
func (o Request) room(ask question) error {
	var there []string
	for _, name := range []string{profileFile, scenarioFile, targetsFile, accountsFile} {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, filepath.Join(o.Dir, name))
		}
	}
	if len(there) == 0 || o.Overwrite {
		return nil
	}
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
	return nil
}

// asked makes the files again with what the source did not say. A sentence that is not
// understood is asked for again: a recording is not lost for it.
func (o Request) asked(f *Files, made maker, ask question) (*Files, error) {
	if f.URL == "" {
		answer, err := ask("Where does the API answer? (URL, or nothing to decide later) ")
		if err != nil {
			return nil, err
		}
		if answer != "" {
			if _, err := strict.ParseURL("the answer", answer); err != nil {
				return nil, err
			}
			o.URL = answer
		}
	}
	for words := "Which limit on sign-ins do your documents promise? (a sentence as \"" + exampleLimit + "\", or nothing) "; f.SignsIn && !f.Limited; {
		answer, err := ask(words)
		if err != nil {
			return nil, err
		}
		if o.Limit = answer; answer == "" {
			break
		}
		again, err := made(o.options())
		if err == nil {
			return again, nil
		}
		words = fmt.Sprintf("%v\nOnce more, or nothing: ", err)
	}
	return made(o.options())
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

// question asks a person, and gives the answer without the spaces around it.
type question func(words string) (string, error)

// asker asks on a terminal; nil where there is none, or nothing is to be asked.
func asker(in io.Reader, talk io.Writer, yes bool) question {
	f, ok := in.(*os.File)
	if yes || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	lines := bufio.NewReader(f)
	return func(words string) (string, error) {
		if _, err := io.WriteString(talk, words); err != nil {
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
	fmt.Fprintf(&b, "Read %s (%s). Wrote %s, %s, %s, %s.\n", o.name(), made.Kind, in(profileFile), in(scenarioFile), in(targetsFile), in(accountsFile))
	for _, said := range made.Said {
		fmt.Fprintf(&b, "  %s\n", said)
	}
	if made.Decide > 0 {
		guesses := "guesses are"
		if made.Decide == 1 {
			guesses = "guess is"
		}
		fmt.Fprintf(&b, "%d %s marked \"# decide:\": grep -n decide: %s/*.yaml\n", made.Decide, guesses, filepath.Clean(o.Dir))
	}
	url := made.URL
	if url == "" {
		url = "URL"
	}
	accounts := ""
	b.WriteString("\nNext:\n")
	if made.SignsIn {
		accounts = " --accounts " + in(accountsFile)
		fmt.Fprintf(&b, "  put test accounts into %s, a line each: someone@example.com,their password\n", in(accountsFile))
	}
	fmt.Fprintf(&b, "  vitals validate %s --profile %s --targets %s\n", in(scenarioFile), in(profileFile), in(targetsFile))
	fmt.Fprintf(&b, "  vitals run %s --url %s --profile %s%s --targets %s\n", in(scenarioFile), url, in(profileFile), accounts, in(targetsFile))
	host := "HOST"
	if u, err := neturl.Parse(made.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	fmt.Fprintf(&b, "  vitals audit --url %s --profile %s%s --class intrusive --i-own %s\n", url, in(profileFile), accounts, host)
	_, err := io.WriteString(w, b.String())
	return err
}
