package observe

import (
	"context"
	"time"
)

// ReadStores reads the stores behind an API, under the names below.
type ReadStores func(ctx context.Context) (Metrics, error)

// What a reading of the stores behind an API is called: levels, and counters that
// grow since the store's start.
const (
	PostgresConnections = "pg_connections"
	PostgresLockWaits   = "pg_lock_waits"
	PostgresCommits     = "pg_commits_total"
	PostgresRollbacks   = "pg_rollbacks_total"
	PostgresHits        = "pg_blocks_hit_total"
	PostgresReads       = "pg_blocks_read_total"
	RedisClients        = "redis_clients"
	RedisMemory         = "redis_memory_bytes"
	RedisCommands       = "redis_commands_total"
	RedisEvictions      = "redis_evicted_total"
)

// FeltBehind are the gauges of two readings of the stores: levels of now, and of the
// time between them counters per second and Postgres' cache hits as a share. before is
// nil at the first reading. A counter that fell began anew, and is left out.
func FeltBehind(before, now Metrics, between time.Duration) (level, mean map[string]float64) {
	level, mean = map[string]float64{}, map[string]float64{}
	for _, name := range []string{PostgresConnections, PostgresLockWaits, RedisClients} {
		if v, ok := now[name]; ok {
			level[name] = v
		}
	}
	if v, ok := now[RedisMemory]; ok {
		level["redis_memory_mib"] = v / (1 << 20)
	}
	grown := func(name string) (float64, bool) {
		a, was := before[name]
		b, is := now[name]
		return b - a, was && is && b >= a && between > 0
	}
	for name, shown := range map[string]string{
		PostgresCommits: "pg_commits_per_second", PostgresRollbacks: "pg_rollbacks_per_second",
		RedisCommands: "redis_commands_per_second", RedisEvictions: "redis_evictions_per_second",
	} {
		if n, ok := grown(name); ok {
			mean[shown] = n / between.Seconds()
		}
	}
	hits, okHits := grown(PostgresHits)
	reads, okReads := grown(PostgresReads)
	if okHits && okReads && hits+reads > 0 {
		mean["pg_cache_hit"] = hits / (hits + reads)
	}
	return level, mean
}
