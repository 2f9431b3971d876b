package store

import (
	"context"

	"github.com/pressly/goose/v3"
)

// MigrateTo brings the schema to an earlier version of this program.
func (s *SQL) MigrateTo(ctx context.Context, version int64) error {
	return s.migrate(func(p *goose.Provider) error {
		_, err := p.UpTo(ctx, version)
		return err
	})
}
