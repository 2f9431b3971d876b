package stack

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"vitals/internal/observe"
)

// Behind reads a Postgres and a Redis of ours, over one connection to each that stays
// open: they are asked every second, and must not feel it.
type Behind struct {
	db *sql.DB
	kv *redis.Client
}

// NewBehind is for one database of a Postgres, and a Redis. Nothing is sent yet.
func NewBehind(p Postgres, database string, r Redis) (*Behind, error) {
	db, err := sql.Open("pgx", p.URL(database))
	if err != nil {
		return nil, fmt.Errorf("watch Postgres: %w", err)
	}
	db.SetMaxOpenConns(1)
	kv := redis.NewClient(&redis.Options{Addr: r.At, MaxRetries: -1, DialTimeout: time.Second, PoolSize: 1, MaxActiveConns: 1})
	return &Behind{db, kv}, nil
}

// Close lets both go.
func (b *Behind) Close(context.Context) error {
	_ = b.kv.Close() // an error would change nothing: nothing is written
	return b.db.Close()
}

// The session that asks is not counted.
const postgresFigures = `SELECT
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'),
  xact_commit, xact_rollback, blks_hit, blks_read
FROM pg_stat_database WHERE datname = current_database()`

// Read is what both say now, under observe's names.
func (b *Behind) Read(ctx context.Context) (observe.Metrics, error) {
	names := []string{
		observe.PostgresConnections, observe.PostgresLockWaits, observe.PostgresCommits, observe.PostgresRollbacks,
		observe.PostgresHits, observe.PostgresReads,
	}
	values, to := make([]float64, len(names)), make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	if err := b.db.QueryRowContext(ctx, postgresFigures).Scan(to...); err != nil {
		return nil, fmt.Errorf("read Postgres' statistics: %w", err)
	}
	out := observe.Metrics{}
	for i, name := range names {
		out[name] = values[i]
	}
	info, err := b.kv.Info(ctx, "clients", "memory", "stats").Result()
	if err != nil {
		return nil, fmt.Errorf("read Redis INFO: %w", err)
	}
	redisFigures(info, out)
	return out, nil
}

// redisFigures reads the lines of INFO that are worth one in the report.
func redisFigures(info string, out observe.Metrics) {
	names := map[string]string{
		"connected_clients": observe.RedisClients, "used_memory": observe.RedisMemory,
		"total_commands_processed": observe.RedisCommands, "evicted_keys": observe.RedisEvictions,
	}
	for line := range strings.Lines(info) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name, wanted := names[field]; wanted {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				out[name] = v
			}
		}
	}
}
