package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"vitals/internal/exit"
	"vitals/server"
	"vitals/server/config"
	"vitals/server/identity"
)

// Admin is a new admin as the command line describes one.
type Admin struct {
	Email, First, Last string
	PasswordFile       string // "-" = standard input, "" = ask
}

// CreateAdmin adds an admin to the configured database, such as the first one.
func (c Command) CreateAdmin(ctx context.Context, o Admin) error {
	cfg, _, err := config.Load(c.Env)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	password, err := c.newPassword(o.PasswordFile)
	if err != nil {
		return exit.Errorf(exit.Usage, "%w", err)
	}
	admin := identity.NewAdmin{Email: o.Email, FirstName: o.First, LastName: o.Last, Password: password}
	id, err := server.CreateAdmin(ctx, cfg, c.Err, admin)
	switch {
	case err == nil:
		_, err = fmt.Fprintf(c.Out, "admin %s has user id %d\n", o.Email, id)
		return err
	case errors.Is(err, identity.ErrAdminRefused):
		return exit.Errorf(exit.Usage, "create admin %s: %w", o.Email, err)
	}
	return exit.Errorf(exit.NoSystem, "create admin %s: %w", o.Email, err)
}

// newPassword reads a password from a file, from standard input, or from the person
// at the terminal.
func (c Command) newPassword(file string) (string, error) {
	switch file {
	case "":
		return c.askPassword()
	case "-":
		return firstLine(c.In)
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
func (c Command) askPassword() (string, error) {
	in, ok := c.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("there is no terminal to ask for the password: use --password-file FILE, or - for standard input")
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "The same again: "} {
		fmt.Fprint(c.Err, prompt)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(c.Err)
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
