package harness

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"vitals/internal/stack"
)

// ReadAccounts reads a CSV file with the columns email and password, in any
// order and beside any others. Messages name rows, never a password.
func ReadAccounts(file string) ([]stack.Account, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s:1: no header line; want one with the columns email and password", file)
	}
	email, password := slices.Index(head, "email"), slices.Index(head, "password")
	if email < 0 || password < 0 {
		return nil, fmt.Errorf("%s:1: the header lacks a column email or password (it has %d others)", file, len(head))
	}
	var out []stack.Account
	var errs []error
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// The library's message quotes nothing of the row, only its place.
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if row[email] == "" || row[password] == "" {
			errs = append(errs, fmt.Errorf("%s:%d: an empty email or password", file, line))
			continue
		}
		out = append(out, stack.Account{Email: row[email], Password: row[password]})
	}
	if len(out) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no accounts below the header", file))
	}
	return out, errors.Join(errs...)
}
