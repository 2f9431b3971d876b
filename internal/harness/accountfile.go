package harness

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"vitals/internal/stack"
	"vitals/internal/strict"
)

// readAccountFile reads a CSV file with the columns email and password, in any
// order and beside any others. Every mistake is told, with its line: messages name
// rows and emails, never a password.
func readAccountFile(file string) ([]stack.Account, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	if e := strict.Text(text); e != nil {
		e.File = file
		return nil, e
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as spreadsheets write it
	if sign, col, head, found := strict.Separator(text); found {
		_, _, err := accountColumns(file, head)
		return nil, errors.Join(fmt.Errorf("%s:1:%d: want columns separated by commas, found %s between them", file, col, sign), err)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1 // told below, with all the others
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s:1: no header line; want one with the columns email and password", file)
	}
	for i := range head {
		head[i] = strings.TrimSpace(head[i])
	}
	email, password, err := accountColumns(file, head)
	if err != nil {
		return nil, err
	}
	var out []stack.Account
	var errs []error
	fail := func(line int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s:%d: %w", file, line, fmt.Errorf(format, args...)))
	}
	first := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok { // it quotes nothing of the row
			fail(e.Line, "%w", e.Err)
			break // where the next row begins is not known
		}
		line, _ := r.FieldPos(0)
		switch {
		case len(row) != len(head):
			fail(line, "found %s, the header names %d columns", count(len(row), "field"), len(head))
		case row[email] == "" || row[password] == "":
			fail(line, "an empty email or password")
		case first[row[email]] > 0:
			fail(line, "%s stands twice, first on line %d: it would be signed in twice and spend one limit for two", row[email], first[row[email]])
		default:
			first[row[email]] = line
			out = append(out, stack.Account{Email: row[email], Password: row[password]})
		}
	}
	if len(out) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no accounts below the header", file))
	}
	return out, errors.Join(errs...)
}

// accountColumns are the places of email and password in a header, which is quoted
// only where it resembles them: a file without a header begins with an account.
func accountColumns(file string, head []string) (email, password int, err error) {
	var errs []error
	place := func(want string) int {
		at := slices.Index(head, want)
		if at >= 0 {
			return at
		}
		hint := ""
		for _, h := range head {
			if _, near := strict.Nearest(h, []string{want}); near {
				hint = fmt.Sprintf("; did you mean %q by %q?", want, h)
			}
		}
		errs = append(errs, fmt.Errorf("%s:1: the header lacks a column %s (it has %d)%s", file, want, len(head), hint))
		return at
	}
	email, password = place("email"), place("password")
	return email, password, errors.Join(errs...)
}
