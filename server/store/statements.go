package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// statementsMax is how many statements a connection keeps: more than the API has,
// and the end of it should somebody build SQL from input.
const statementsMax = 256

// remembered are SQLite connections that parse each statement once. Parsing a
// query costs more than answering it from a page in memory; Postgres' driver
// remembers by itself.
type remembered struct{ driver.Connector }

func (r remembered) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := c.(connection)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no connection as database/sql wants them", c), c.Close())
	}
	return &remembering{connection: whole, known: map[string]*statement{}}, nil
}

// connection is what the driver's connections are beside a driver.Conn.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// prepared is a statement of the driver.
type prepared interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// remembering is one connection with its statements. database/sql lets one
// goroutine at a time use it.
type remembering struct {
	connection
	known map[string]*statement
	clock uint64 // of uses
}

type statement struct {
	prepared
	used uint64
	busy bool // its rows are being read
}

// ExecContext implements driver.ExecerContext.
func (c *remembering) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.connection.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *remembering) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.connection.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &reading{rows, s}, nil
}

// Close implements driver.Conn.
func (c *remembering) Close() error {
	var errs []error
	for _, s := range c.known {
		errs = append(errs, s.Close())
	}
	c.known = nil
	return errors.Join(append(errs, c.connection.Close())...)
}

// statement is the known statement for a text, made if need be; nil while its rows
// are being read, for it can answer one query at a time.
func (c *remembering) statement(ctx context.Context, query string) (*statement, error) {
	c.clock++
	if s, ok := c.known[query]; ok {
		if s.busy {
			return nil, nil
		}
		s.used = c.clock
		return s, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p, ok := made.(prepared)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no statement as database/sql wants them", made), made.Close())
	}
	if len(c.known) >= statementsMax {
		if err := c.forget(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	s := &statement{prepared: p, used: c.clock}
	c.known[query] = s
	return s, nil
}

// forget drops the statement that was unused for longest.
func (c *remembering) forget() error {
	oldest := ""
	for query, s := range c.known {
		if !s.busy && (oldest == "" || s.used < c.known[oldest].used) {
			oldest = query
		}
	}
	s, ok := c.known[oldest]
	if !ok {
		return nil
	}
	delete(c.known, oldest)
	return s.Close()
}

// reading are rows whose end frees their statement.
type reading struct {
	driver.Rows
	of *statement
}

// Close implements driver.Rows.
func (r *reading) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
