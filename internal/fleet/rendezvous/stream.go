package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"vitals/internal/fleet"
)

// flushes are how many flushes of a member Redis holds: a controller that comes
// back has so many seconds to look back on, and memory is bounded.
const flushes = 60

// Flush is what one member told since its flush before.
type Flush struct {
	Member int
	Pulse  fleet.Pulse
	Delta  []byte // measure.Delta, encoded
	Missed int64  // flushes of this member before it that Redis no longer holds
}

// Flush sends the member's n-th flush, from 1. It is safe to repeat with the same
// n until it succeeds: the number is the entry's identity, so Redis keeps it once.
func (s *Seat) Flush(ctx context.Context, n int64, pulse fleet.Pulse, delta []byte) error {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	text, err := json.Marshal(pulse)
	if err != nil {
		return err
	}
	key := s.m.key("flush", s.member.Index)
	pipe := s.m.rdb.Pipeline()
	add := pipe.XAdd(ctx, &redis.XAddArgs{
		Stream: key, ID: fmt.Sprintf("%d-1", n), MaxLen: flushes, Values: []any{"who", s.who, "pulse", text, "delta", delta},
	})
	pipe.Expire(ctx, key, keep)
	if _, err = pipe.Exec(ctx); err == nil {
		return nil
	}
	if err := add.Err(); err != nil && strings.Contains(err.Error(), "equal or smaller") { // it was stored, and the answer was lost
		return nil
	}
	return fmt.Errorf("rendezvous: flush %d of member %s: %w", n, s.member, err)
}

// Receive gives every flush that has come since it was called before, each once
// and each member's in order. After an error it goes on where it was.
func (c *Controller) Receive(ctx context.Context) ([]Flush, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*call)
	defer cancel()
	args := &redis.XReadArgs{Count: flushes, Block: -1}
	for i := range c.members {
		args.Streams = append(args.Streams, c.m.key("flush", i))
	}
	for i := range c.members {
		args.Streams = append(args.Streams, fmt.Sprintf("%d-1", c.heard[i]))
	}
	streams, err := c.m.rdb.XRead(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("rendezvous: read what the members tell: %w", err)
	}
	var out []Flush
	for _, stream := range streams {
		i, err := strconv.Atoi(stream.Stream[strings.LastIndexByte(stream.Stream, ':')+1:])
		if err != nil {
			return out, fmt.Errorf("rendezvous: stream %s is no member's", stream.Stream)
		}
		for _, e := range stream.Messages {
			var n int64
			if _, err := fmt.Sscanf(e.ID, "%d-1", &n); err != nil {
				return out, fmt.Errorf("rendezvous: entry %s of member %d is no flush", e.ID, i)
			}
			f := Flush{Member: i, Missed: n - c.heard[i] - 1}
			c.heard[i] = n
			who, _ := e.Values["who"].(string)
			pulse, _ := e.Values["pulse"].(string)
			delta, _ := e.Values["delta"].(string)
			if want := c.ready[i].Incarnation; want != "" && who != want {
				continue // of a process that holds this index no more
			}
			if err := json.Unmarshal([]byte(pulse), &f.Pulse); err != nil {
				return out, fmt.Errorf("rendezvous: flush %d of member %d: %w", n, i, err)
			}
			f.Delta = []byte(delta)
			out = append(out, f)
		}
	}
	return out, nil
}
