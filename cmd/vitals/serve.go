package main

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

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"vitals/internal/exit"
	"vitals/server"
	"vitals/server/config"
	"vitals/server/process"
)

// newServeCmd is `vitals serve` and what belongs to the served API.
func newServeCmd(s streams) *cobra.Command {
	var readyFile string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the reference clinic API, configured by the environment",
		Long: `Serve the reference clinic API until SIGTERM or SIGINT, then drain and leave.
A second signal ends it at once. Configuration comes from the environment;
"vitals serve config" shows what is in force. Exit code 78: the configuration
breaks a rule.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServe(cmd.Context(), s, environment(os.Environ()), readyFile)
		},
	}
	cmd.Flags().StringVar(&readyFile, "ready-file", "", "write {addr,admin,pid} here, as JSON, once both listeners are open")
	cmd.AddCommand(newServeConfigCmd(s), newServeAdminCmd(s), newServeSeedCmd(s), newServeCheckCmd(s), newServeSentryTestCmd(s))
	return cmd
}

// runServe serves until the process is told to stop.
func runServe(ctx context.Context, s streams, env map[string]string, readyFile string) error {
	cfg, warnings, err := config.Load(env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	tuneCollector(env, config.ThisMachine(), cfg.Workers.Count)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal finds the default action: the end
	err = process.Run(ctx, cfg, process.Options{
		Log: s.Out, NoColor: !colourful(s.Out, env), Warnings: warnings,
		Version: version, ReadyFile: readyFile,
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

// newServeConfigCmd prints the configuration in force.
func newServeConfigCmd(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the environment and print what is in force, secrets redacted",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return runServeConfig(s, environment(os.Environ()), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runServeConfig(s streams, env map[string]string, asJSON bool) error {
	cfg, warnings, err := config.Load(env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	for _, w := range warnings {
		fmt.Fprintln(s.Err, "warning:", w)
	}
	d := server.Describe(cfg)
	if !asJSON {
		return config.WriteText(s.Out, d.Variables)
	}
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// newServeCheckCmd is a container's health check: an image from scratch has no
// curl.
func newServeCheckCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Ask the API on this machine for /live; exit 0 if it answers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServeCheck(cmd.Context(), environment(os.Environ()))
		},
	}
}

func runServeCheck(ctx context.Context, env map[string]string) error {
	cfg, _, err := config.Load(env)
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

// seedPassword is the variable that newServeSeedCmd takes the accounts' password
// from: a flag would show in ps.
const seedPassword = "VITALS_SEED_PASSWORD"

// newServeSeedCmd fills a database for load tests.
func newServeSeedCmd(s streams) *cobra.Command {
	var accounts int
	cmd := &cobra.Command{
		Use:   "seed",
		Short: "Fill the configured database with accounts and records to test with",
		Long: `Make patients patient-000001@clinic.test and on in one clinic, each with
medications, reminders and a log, and two clinicians and an admin. All sign in
with the password in ` + seedPassword + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServeSeed(cmd.Context(), s, environment(os.Environ()), accounts)
		},
	}
	cmd.Flags().IntVar(&accounts, "accounts", 100, "how many patients")
	return cmd
}

func runServeSeed(ctx context.Context, s streams, env map[string]string, accounts int) error {
	password := env[seedPassword]
	if password == "" {
		return exit.Errorf(exit.Usage, "set %s to the password of the seeded accounts", seedPassword)
	}
	if accounts < 1 {
		return exit.Errorf(exit.Usage, "--accounts must be 1 or more")
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	made, err := server.Seed(ctx, cfg, accounts, password)
	if err != nil {
		return exit.Errorf(exit.NoSystem, "seed: %w", err)
	}
	_, err = fmt.Fprintf(s.Out, "%d accounts in the database, %d of them patients\n", len(made), accounts)
	return err
}

// newServeSentryTestCmd replaces the guide's "raise a test error (only do this
// once!)".
func newServeSentryTestCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "sentry-test",
		Short: "Send one test event to SENTRY_DSN (asks for SENTRY_SEND_TEST=1)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServeSentryTest(cmd.Context(), s, environment(os.Environ()))
		},
	}
}

func runServeSentryTest(ctx context.Context, s streams, env map[string]string) error {
	if env["SENTRY_SEND_TEST"] != "1" {
		return errors.New("set SENTRY_SEND_TEST=1 to send a test event")
	}
	delete(env, "SENTRY_SEND_TEST") // ours, not the API's
	cfg, _, err := config.Load(env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := process.SendTestEvent(ctx, cfg, version); err != nil {
		return exit.Errorf(exit.NoSystem, "send test event: %w", err)
	}
	_, err = fmt.Fprintln(s.Out, "sent one test event")
	return err
}

// environment takes os.Environ's lines apart.
func environment(lines []string) map[string]string {
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
