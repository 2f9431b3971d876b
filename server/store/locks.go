package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// LockRow is one lock in force: which policy shut out which key, until when.
// Its fields are those of limit.Lock, so one converts to the other.
type LockRow struct {
	Policy string
	Key    string
	Until  time.Time
}

// Locks keeps the limiter's locks where no restart of Redis can lose them.
type Locks struct{ DB DB }

// Save inserts the lock, or replaces the one of the same policy and key; an
// Until that is past lifts it. Locks that have ended are dropped on the way.
func (l Locks) Save(ctx context.Context, row LockRow) error {
	err := l.DB.Write(ctx, func(ctx context.Context, q Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO limit_locks (policy, lock_key, until_ms) VALUES ($1, $2, $3)
			ON CONFLICT (policy, lock_key) DO UPDATE SET until_ms = excluded.until_ms`, row.Policy, row.Key, row.Until.UnixMilli())
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `DELETE FROM limit_locks WHERE until_ms <= $1`, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("save lock: %w", err)
	}
	return nil
}

// Live lists the locks still in force, those that end first first.
func (l Locks) Live(ctx context.Context) ([]LockRow, error) {
	var rows []LockRow
	err := l.DB.Read(ctx, func(ctx context.Context, q Querier) (err error) {
		found, err := q.QueryContext(ctx, `SELECT policy, lock_key, until_ms FROM limit_locks WHERE until_ms > $1 ORDER BY until_ms, policy, lock_key`, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, found.Close()) }()
		for found.Next() {
			var row LockRow
			var until int64
			if err := found.Scan(&row.Policy, &row.Key, &until); err != nil {
				return err
			}
			row.Until = time.UnixMilli(until).UTC()
			rows = append(rows, row)
		}
		return found.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list locks: %w", err)
	}
	return rows, nil
}
