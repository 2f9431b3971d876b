package rendezvous

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Inspection is what a Redis is that is to be a rendezvous.
type Inspection struct {
	Version string // redis_version
	Policy  string // maxmemory_policy
	Memory  int64  // maxmemory, bytes; 0 = no bound
	Used    int64  // bytes
	Keys    int64
	Foreign string        // the beginning of a key that is not Vitals'; "" = none was seen
	Offset  time.Duration // of its clock from ours
	Bound   time.Duration // how wrong that may be
}

// MostBound is how wrong a member may be about the common clock.
const MostBound = maxBound

// looked are how many keys are looked at for one that is another's.
const looked = 50

// Inspect looks at the Redis and changes nothing.
func (m *Meeting) Inspect(ctx context.Context) (Inspection, error) {
	var in Inspection
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := m.rdb.Info(ctx, "server", "memory").Result()
	if err != nil { // Redis before 7 knows one section at a time
		info, err = m.rdb.Info(ctx).Result()
	}
	if err != nil {
		return in, fmt.Errorf("rendezvous: %w", err)
	}
	in.read(info)
	if in.Keys, err = m.rdb.DBSize(ctx).Result(); err != nil {
		return in, fmt.Errorf("rendezvous: count the keys: %w", err)
	}
	for range min(looked, in.Keys) {
		key, err := m.rdb.RandomKey(ctx).Result()
		if errors.Is(err, redis.Nil) {
			break
		}
		if err != nil {
			return in, fmt.Errorf("rendezvous: look at a key: %w", err)
		}
		if !strings.HasPrefix(key, prefix) {
			in.Foreign, _, _ = strings.Cut(key, ":") // what follows may name a person
			in.Foreign = in.Foreign[:min(20, len(in.Foreign))]
			break
		}
	}
	in.Offset, in.Bound, err = m.clock(ctx)
	return in, err
}

// read reads the lines of INFO.
func (in *Inspection) read(info string) {
	number := func(text string) int64 { n, _ := strconv.ParseInt(text, 10, 64); return n }
	lines := bufio.NewScanner(strings.NewReader(info))
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		switch name {
		case "redis_version":
			in.Version = value
		case "maxmemory_policy":
			in.Policy = value
		case "maxmemory":
			in.Memory = number(value)
		case "used_memory":
			in.Used = number(value)
		}
	}
}
