package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"vitals/internal/exit"
	"vitals/server"
	"vitals/server/config"
	"vitals/server/identity"
)

// newServeAdminCmd is `vitals serve admin`.
func newServeAdminCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Manage admins of the served API", Args: cobra.NoArgs}
	cmd.AddCommand(newAdminCreateCmd(s))
	return cmd
}

// adminOptions is a new admin as the command line describes one.
type adminOptions struct {
	email, first, last string
	passwordFile       string // "-" = standard input, "" = ask
}

// newAdminCreateCmd makes the first admin, who can make all others.
func newAdminCreateCmd(s streams) *cobra.Command {
	var o adminOptions
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
			o.email = args[0]
			return runAdminCreate(cmd.Context(), s, environment(os.Environ()), o)
		},
	}
	cmd.Flags().StringVar(&o.passwordFile, "password-file", "", "read the password from the first line of this file; - is standard input")
	cmd.Flags().StringVar(&o.first, "first-name", "Clinic", "first name")
	cmd.Flags().StringVar(&o.last, "last-name", "Admin", "last name")
	return cmd
}

func runAdminCreate(ctx context.Context, s streams, env map[string]string, o adminOptions) error {
	cfg, _, err := config.Load(env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	password, err := newPassword(s, o.passwordFile)
	if err != nil {
		return exit.Errorf(exit.Usage, "%w", err)
	}
	admin := identity.NewAdmin{Email: o.email, FirstName: o.first, LastName: o.last, Password: password}
	id, err := server.CreateAdmin(ctx, cfg, s.Err, admin)
	switch {
	case err == nil:
		_, err = fmt.Fprintf(s.Out, "admin %s has user id %d\n", o.email, id)
		return err
	case errors.Is(err, identity.ErrAdminRefused):
		return exit.Errorf(exit.Usage, "create admin %s: %w", o.email, err)
	}
	return exit.Errorf(exit.NoSystem, "create admin %s: %w", o.email, err)
}

// newPassword reads a password from a file, from standard input, or from the person
// at the terminal.
func newPassword(s streams, file string) (string, error) {
	switch file {
	case "":
		return askPassword(s)
	case "-":
		return firstLine(s.In)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	defer f.Close()
	return firstLine(f)
}

// longestPassword is above what any policy takes, in bytes.
const longestPassword = 4096

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, longestPassword)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("read the password: the first line is empty")
	}
	return line, nil
}

// askPassword asks twice, without an echo.
func askPassword(s streams) (string, error) {
	in, ok := s.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("there is no terminal to ask for the password: use --password-file FILE, or - for standard input")
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "The same again: "} {
		fmt.Fprint(s.Err, prompt)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(s.Err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return typed[0], nil
}
