package identity

import (
	"context"
	"database/sql"
	"fmt"

	"vitals/server/store"
)

// write runs one statement in a transaction and counts its rows; the error is a
// *web.Problem.
func (s *Service) write(ctx context.Context, attempt, query string, args ...any) (n int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) (err error) {
		n, err = affected(q.ExecContext(ctx, query, args...))
		return wrap(attempt, err)
	})
	return n, problem(err)
}

// affected is how many rows a statement changed.
func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func wrap(attempt string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", attempt, err)
}
