package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"

	"modernc.org/sqlite"

	"vitals/server/config"
)

// Pragmas of every connection. synchronous(1), NORMAL, is safe against
// corruption under WAL; a power cut may lose the last commits, which an
// embedded demonstration can afford and production, being Postgres, never meets.
const sqlitePragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(1)&_pragma=foreign_keys(1)&_txlock=immediate"

// openSQLite opens readers and one writer. SQLite has one writer anyway: queueing
// for it here, in order and with the pool's timeout, is fair where SQLITE_BUSY
// and its polling are a lottery; readers are not in that queue, for WAL lets
// them pass.
func (s *SQL) openSQLite(cfg *config.Config, m *metrics) error {
	path := cfg.Database.Path
	// Patients' data: not for the other users of this machine. SQLite gives its
	// side files the mode of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	writes := "file:" + path + sqlitePragmas
	writer, err := sqlite.NewConnector(writes)
	reader, rerr := sqlite.NewConnector(writes + "&_pragma=query_only(1)")
	if err := errors.Join(err, rerr); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.ready = sql.OpenDB(reader)
	s.ready.SetMaxOpenConns(1)
	s.forMigration = func() *sql.DB { return sql.OpenDB(writer) }
	s.read = newPool(remembered{reader}, cfg.Pool, m)
	one := cfg.Pool
	one.Size, one.MaxOverflow = 1, 0
	s.write = newPool(remembered{writer}, one, m)
	return nil
}
