package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"vitals/internal/exit"
	"vitals/server"
	"vitals/server/config"
)

// Command is the service as a person or a supervisor starts it: vitals serve and
// what belongs to it. Its errors carry exit codes: Config for a configuration that
// breaks a rule, Usage for what the caller got wrong, NoSystem for the rest.
type Command struct {
	Env      map[string]string // the API's variables, as Environment reads them
	In       io.Reader
	Out, Err io.Writer
	Version  string // shown by /health and build_info; "" = "dev"
}

// Serve serves until ctx ends or the process is told to stop; a second signal ends
// it at once. readyFile is Options.ReadyFile.
func (c Command) Serve(ctx context.Context, readyFile string) error {
	cfg, warnings, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	tuneCollector(c.Env, config.ThisMachine(), cfg.Workers.Count)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal finds the default action: the end
	err = Run(ctx, cfg, Options{
		Log: c.Out, NoColor: !colourful(c.Out, c.Env), Warnings: warnings,
		Version: c.Version, ReadyFile: readyFile,
	})
	if broken, ok := errors.AsType[config.Errors](err); ok {
		return exit.With(exit.Config, broken) // a rule that only the running database could break
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return exit.Errorf(exit.NoSystem, "serve: %w; stop what listens there, or choose another PORT (for /metrics another ADMIN_ADDR)", err)
	case err != nil:
		return exit.Errorf(exit.NoSystem, "serve: %w", err)
	}
	return nil
}

// PrintConfig checks the variables and prints what is in force, secrets redacted.
func (c Command) PrintConfig(asJSON bool) error {
	cfg, warnings, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	for _, w := range warnings {
		fmt.Fprintln(c.Err, "warning:", w)
	}
	d := server.Describe(cfg)
	if !asJSON {
		return config.WriteText(c.Out, d.Variables)
	}
	enc := json.NewEncoder(c.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// Check asks the API on this machine for /live: a container's health check, where an
// image from scratch has no curl.
func (c Command) Check(ctx context.Context) error {
	cfg, _, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	host := cfg.Core.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Core.Port)) + "/live"
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("check %s: %w", url, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return exit.Errorf(exit.NoSystem, "check: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("check %s: %w", url, err)
	}
	if res.StatusCode != http.StatusOK {
		return exit.Errorf(exit.NoSystem, "check %s: %s", url, res.Status)
	}
	return nil
}

// SeedPassword is the variable that Seed takes the accounts' password from: a flag
// would show in ps.
const SeedPassword = "VITALS_SEED_PASSWORD"

// Seed fills the configured database with accounts and records to test with.
func (c Command) Seed(ctx context.Context, accounts int) error {
	password := c.Env[SeedPassword]
	if password == "" {
		return exit.Errorf(exit.Usage, "set %s to the password of the seeded accounts", SeedPassword)
	}
	if accounts < 1 {
		return exit.Errorf(exit.Usage, "--accounts must be 1 or more")
	}
	cfg, _, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	made, err := server.Seed(ctx, cfg, accounts, password)
	if err != nil {
		return exit.Errorf(exit.NoSystem, "seed: %w", err)
	}
	_, err = fmt.Fprintf(c.Out, "%d accounts in the database, %d of them patients\n", len(made), accounts)
	return err
}

// SentryTest sends one test event to SENTRY_DSN, once SENTRY_SEND_TEST=1 asks for it.
func (c Command) SentryTest(ctx context.Context) error {
	if c.Env["SENTRY_SEND_TEST"] != "1" {
		return errors.New("set SENTRY_SEND_TEST=1 to send a test event")
	}
	delete(c.Env, "SENTRY_SEND_TEST") // ours, not the API's
	cfg, _, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := SendTestEvent(ctx, cfg, c.Version); err != nil {
		return exit.Errorf(exit.NoSystem, "send test event: %w", err)
	}
	_, err = fmt.Fprintln(c.Out, "sent one test event")
	return err
}

// Environment takes os.Environ's lines apart.
func Environment(lines []string) map[string]string {
	env := make(map[string]string, len(lines))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

// colourful reports whether w is a terminal whose user wants colour (NO_COLOR).
func colourful(w io.Writer, env map[string]string) bool {
	f, ok := w.(*os.File)
	return ok && env["NO_COLOR"] == "" && term.IsTerminal(int(f.Fd()))
}
