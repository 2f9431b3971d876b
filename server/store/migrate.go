package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"vitals/server/config"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to this program's version. Replicas that start
// together take turns on Postgres, by a session lock; SQLite has one process.
func (s *SQL) Migrate(ctx context.Context) error {
	return s.migrate(func(p *goose.Provider) error {
		done, err := p.Up(ctx)
		if err != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		for _, r := range done {
			s.log.InfoContext(ctx, "migrated", "version", r.Source.Version, "duration_ms", r.Duration.Milliseconds())
		}
		return nil
	})
}

// migrate runs do on connections of its own: DDL may take longer than any
// request's statement.
func (s *SQL) migrate(do func(*goose.Provider) error) (err error) {
	db := s.forMigration()
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := s.provider(db)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	return do(p)
}

func (s *SQL) provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log)}
	if s.engine == config.Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, db, files, opts...)
}
