package intruders

import (
	"cmp"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// slowloris holds connections open with requests that never end: of two, one sends
// the lines of its head a byte at a time, and one its body.
type slowloris struct {
	actor
	share int // of the connections
	mu    sync.Mutex
}

// tolerance is how long after its own timeout a server may take to cut.
const tolerance = 2 * time.Second

// The published timeouts, for a server that does not tell its own.
const (
	headTimeout = 5 * time.Second
	bodyTimeout = 15 * time.Second
)

// share is how many connections address n holds.
func share(in scenarios.Intruder, n int) int {
	return (in.Connections + in.Addresses - 1 - n) / in.Addresses
}

func (d *slowloris) work(ctx context.Context) {
	if !d.turn(ctx) {
		return
	}
	head := d.line()
	kinds := []trickle{
		{"X-Slow: ", cmp.Or(d.HeadTimeout, headTimeout)},
		{"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", cmp.Or(d.BodyTimeout, bodyTimeout)},
	}
	var all sync.WaitGroup
	for n := range d.share {
		k := kinds[n%len(kinds)]
		all.Go(func() {
			for d.one(ctx, head, k) && (d.in.For > 0 || d.in.During != "") && d.turn(ctx) {
			}
		})
	}
	all.Wait()
	d.seen.Complete = ctx.Err() == nil && d.seen.Opened > 0 && d.seen.Lost <= d.seen.Opened
}

// trickle is what one connection begins to send, and when the server should have
// had enough.
type trickle struct {
	begin string
	limit time.Duration
}

// one opens a connection, sends the beginning of a request and then a byte at a
// time, until the server closes it or should have. It reports whether there was
// a connection.
func (d *slowloris) one(ctx context.Context, head string, k trickle) bool {
	conn, lines, err := d.s.Open(ctx, d.own)
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.seen.Lost++
		return false
	}
	defer conn.Close()
	began := time.Now()
	cut := d.hold(ctx, conn, head+lines+k.begin, began.Add(k.limit+tolerance))
	if ctx.Err() != nil {
		return false
	}
	lived := time.Since(began)
	s := measure.Sample{Step: d.index[stepHolding], Due: began.Sub(d.began), Sent: began.Sub(d.began), OK: cut, Outcome: measure.Refused}
	s.Done = s.Sent + lived
	if !cut {
		s.Outcome, s.Class = measure.Failed, measure.BadCheck
	}
	d.Record(&s)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen.Opened++
	d.seen.Longest = max(d.seen.Longest, lived)
	if !cut {
		d.seen.Open++
	}
	return true
}

// hold sends byte after byte until the connection ends; false when it outlives end.
func (d *slowloris) hold(ctx context.Context, conn net.Conn, text string, end time.Time) (cut bool) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	closed := make(chan struct{})
	go func() { // whatever the server says, it is its closing that counts
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	defer func() { _ = conn.Close(); <-closed }()
	_ = conn.SetWriteDeadline(end) // one that takes no deadline fails on its own
	if _, err := io.WriteString(conn, text); err != nil {
		return time.Now().Before(end)
	}
	tick := time.NewTicker(d.in.Every)
	defer tick.Stop()
	late := time.NewTimer(time.Until(end))
	defer late.Stop()
	for {
		select {
		case <-closed:
			return true
		case <-late.C:
			return false
		case <-tick.C:
			if _, err := conn.Write([]byte("a")); err != nil {
				return time.Now().Before(end)
			}
		}
	}
}
