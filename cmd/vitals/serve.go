package main

import (
	"os"

	"github.com/spf13/cobra"

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
		RunE: func(cmd *cobra.Command, _ []string) error { return s.service().Serve(cmd.Context(), readyFile) },
	}
	cmd.Flags().StringVar(&readyFile, "ready-file", "", "write {addr,admin,pid} here, as JSON, once both listeners are open")
	admin := &cobra.Command{Use: "admin", Short: "Manage admins of the served API", Args: cobra.NoArgs}
	admin.AddCommand(newAdminCreateCmd(s))
	cmd.AddCommand(newServeConfigCmd(s), admin, newServeSeedCmd(s),
		&cobra.Command{
			Use: "check", Short: "Ask the API on this machine for /live; exit 0 if it answers", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return s.service().Check(cmd.Context()) },
		},
		&cobra.Command{
			Use: "sentry-test", Short: "Send one test event to SENTRY_DSN (asks for SENTRY_SEND_TEST=1)", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return s.service().SentryTest(cmd.Context()) },
		})
	return cmd
}

// service is the reference API, as this process's environment configures it.
func (s streams) service() process.Command {
	return process.Command{Env: process.Environment(os.Environ()), In: s.In, Out: s.Out, Err: s.Err, Version: version}
}

func newServeConfigCmd(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "config", Short: "Check the environment and print what is in force, secrets redacted", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return s.service().PrintConfig(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// newServeSeedCmd fills a database for load tests.
func newServeSeedCmd(s streams) *cobra.Command {
	var accounts int
	cmd := &cobra.Command{
		Use:   "seed",
		Short: "Fill the configured database with accounts and records to test with",
		Long: `Make patients patient-000001@clinic.test and on in one clinic, each with
medications, reminders and a log, and two clinicians and an admin. All sign in
with the password in ` + process.SeedPassword + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.service().Seed(cmd.Context(), accounts) },
	}
	cmd.Flags().IntVar(&accounts, "accounts", 100, "how many patients")
	return cmd
}

// newAdminCreateCmd makes the first admin, who can make all others.
func newAdminCreateCmd(s streams) *cobra.Command {
	var o process.Admin
	cmd := &cobra.Command{
		Use:   "create EMAIL",
		Short: "Add an admin to the configured database, such as the first one",
		Long: `Add an admin, with whom all other users can be made over the API, to the database
that the environment configures; its schema is brought up to date first. The
password is asked for twice, or read from the first line of --password-file; it
is never an argument, which every user of the machine could read. Where
TWO_FACTOR_REQUIRED_ROLES names admin, as it does by default, the account acts
once it has enrolled a second factor.

  vitals serve admin create ada@clinic.example
  vitals serve admin create ada@clinic.example --password-file /run/secrets/admin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Email = args[0]
			return s.service().CreateAdmin(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.PasswordFile, "password-file", "", "read the password from the first line of this file; - is standard input")
	cmd.Flags().StringVar(&o.First, "first-name", "Clinic", "first name")
	cmd.Flags().StringVar(&o.Last, "last-name", "Admin", "last name")
	return cmd
}
