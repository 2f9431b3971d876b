package containers

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver under the name pgx
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/redis/go-redis/v9"

	"vitals/internal/observe"
)

// meter reads a container's usage from the engine. The engine counts anew when a
// container is started again; what it used before counts all the same.
func meter(engine *client.Client, id string) observe.Meter {
	var mu sync.Mutex
	var earlier, last time.Duration
	return func(ctx context.Context) (observe.Usage, error) {
		r, err := engine.ContainerStats(ctx, id, client.ContainerStatsOptions{})
		if err != nil {
			return observe.Usage{}, fmt.Errorf("meter the API's container: %w", err)
		}
		defer r.Body.Close()
		var st container.StatsResponse
		if err := json.NewDecoder(r.Body).Decode(&st); err != nil {
			return observe.Usage{}, fmt.Errorf("meter the API's container: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		now := time.Duration(st.CPUStats.CPUUsage.TotalUsage)
		if now < last {
			earlier += last
		}
		last = now
		return observe.Usage{CPU: earlier + now, RSS: int64(st.MemoryStats.Usage)}, nil
	}
}

func (p *parts) openPostgres() (*sql.DB, error) {
	dsn := url.URL{
		Scheme: "postgres", User: url.UserPassword(dbUser, p.password),
		Host: p.dbHost, Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return sql.Open("pgx", dsn.String())
}

func (p *parts) pingPostgres(ctx context.Context) error {
	db, err := p.openPostgres()
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

func (p *parts) pingRedis(ctx context.Context) error {
	kv := redis.NewClient(&redis.Options{Addr: p.kvHost, MaxRetries: -1})
	defer kv.Close()
	return kv.Ping(ctx).Err()
}

// evidence shows that Postgres and Redis are really used: rows per table, and
// calls per Redis command.
func (p *parts) evidence(ctx context.Context) (map[string]float64, error) {
	out := map[string]float64{}
	if err := p.rows(ctx, out); err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	kv := redis.NewClient(&redis.Options{Addr: p.kvHost, MaxRetries: -1})
	defer kv.Close()
	info, err := kv.Info(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("read Redis command counts: %w", err)
	}
	lines := bufio.NewScanner(strings.NewReader(info))
	for lines.Scan() { // cmdstat_evalsha:calls=12,usec=…
		name, rest, ok := strings.Cut(lines.Text(), ":calls=")
		if !ok {
			continue
		}
		calls, _, _ := strings.Cut(rest, ",")
		if n, err := strconv.ParseFloat(calls, 64); err == nil {
			out["redis."+strings.TrimPrefix(name, "cmdstat_")] = n
		}
	}
	return out, lines.Err()
}

func (p *parts) rows(ctx context.Context, out map[string]float64) error {
	db, err := p.openPostgres()
	if err != nil {
		return err
	}
	defer db.Close()
	for _, table := range []string{"users", "medications", "reminders", "intake_logs"} {
		var n float64
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return err
		}
		out["rows."+table] = n
	}
	return nil
}
