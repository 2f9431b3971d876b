package containers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"vitals/internal/observe"
)

// meter reads a container's usage from the engine. The engine counts anew when a
// container is started again; what it used before counts all the same.
func meter(engine *client.Client, id string) observe.Meter {
	var mu sync.Mutex
	var earlier, last time.Duration
	pid := 0 // of its main process, on the engine's machine; another after each start
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
		if now < last || pid == 0 {
			if c, err := engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); err == nil && c.Container.State != nil {
				pid = c.Container.State.Pid
			}
		}
		last = now
		waited, _ := observe.WaitedIn(pid, id)
		return observe.Usage{
			Waited: waited,
			CPU:    earlier + now, RSS: int64(st.MemoryStats.Usage),
			Periods: int64(st.CPUStats.ThrottlingData.Periods), Throttled: int64(st.CPUStats.ThrottlingData.ThrottledPeriods),
		}, nil
	}
}

// evidence shows that Postgres and Redis are really used: rows per table, and
// calls per Redis command.
func (p *parts) evidence(ctx context.Context) (map[string]float64, error) {
	out := map[string]float64{}
	if err := p.rows(ctx, out); err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	info, err := p.kv.Do(ctx, "INFO", "commandstats")
	if err != nil {
		return nil, fmt.Errorf("read Redis command counts: %w", err)
	}
	lines := bufio.NewScanner(strings.NewReader(fmt.Sprint(info)))
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
	for _, table := range []string{"users", "medications", "reminders", "intake_logs"} {
		rows, err := p.db.Query(ctx, Database, "SELECT count(*) FROM "+table)
		if err != nil {
			return err
		}
		if out["rows."+table], err = strconv.ParseFloat(rows[0][0], 64); err != nil {
			return err
		}
	}
	return nil
}
