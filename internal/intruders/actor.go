package intruders

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// actor is one address of one intruder, and what all kinds have in common.
type actor struct {
	*Band
	in         scenarios.Intruder
	hours      []scenarios.Span
	load       context.Context // ends with the load
	victim     Victim
	own, other netip.Addr
	seen       Attack
}

func (m maker) actor() actor {
	return actor{Band: m.b, in: m.in, hours: m.in.Hours(m.b.Load), seen: Attack{Intruder: m.in.Name, Kind: m.in.Kind}}
}

func (a *actor) base() *actor            { return a }
func (a *actor) prepare(context.Context) {}

func (a *actor) told() Attack {
	a.seen.From = a.own
	return a.seen
}

// patience is how many answers without a judgement (503, a broken connection)
// an actor takes before it gives up: they are the server's trouble, not the
// lockout's, and prove nothing either way. A server that sheds load asks for a
// second's pause (Retry-After), and a stress run lasts a while.
const patience = 30

// pause is between an answer without a judgement and the next try.
const pause = 500 * time.Millisecond

// turn waits until the intruder may begin something; false when its hours are
// over. One whose end nobody has set is brought to its own end.
func (a *actor) turn(ctx context.Context) bool {
	for i, h := range a.hours {
		now := time.Since(a.began)
		last := i == len(a.hours)-1
		if now >= h.To && !(last && a.in.For == 0 && a.in.During == "") {
			continue
		}
		if now < h.From && !a.wait(a.load, h.From-now) {
			return false
		}
		return ctx.Err() == nil
	}
	return false
}

// insist repeats a request until it is judged or refused, and records each try
// under a step. good tells whether an answer is the due one.
func (a *actor) insist(ctx context.Context, step string, q wire.Request, good func(wire.Answer) bool) wire.Answer {
	for tries := 0; ; tries++ {
		ans := a.send(ctx, q)
		a.record(step, ans, good(ans))
		if answered(ans) || tries == patience || !a.wait(ctx, pause) {
			return ans
		}
		a.seen.Lost++
	}
}

// send sends a request, and counts an answer that is a server's error.
func (a *actor) send(ctx context.Context, q wire.Request) wire.Answer {
	ans, _ := a.s.Send(ctx, q) // trouble is in the answer
	if broke(ans) {
		a.seen.Wrong++
	}
	return ans
}

func (a *actor) record(step string, ans wire.Answer, ok bool) {
	s := measure.Sample{
		Step: a.index[step], Code: ans.Status, OK: ok, Class: ans.Class, Bytes: ans.Bytes,
		Due: ans.Sent.Sub(a.began), Sent: ans.Sent.Sub(a.began), Done: ans.Done.Sub(a.began),
		RequestID: ans.Header.Get("X-Request-ID"),
	}
	classified(&s)
	a.seen.at(&s)
	a.Record(&s)
}

// classified sets a sample's outcome: refused and served never share one.
func classified(s *measure.Sample) {
	switch {
	case s.Code == http.StatusTooManyRequests:
		s.Outcome = measure.Refused
	case s.OK:
		s.Outcome = measure.Served
	case s.Class == measure.None:
		s.Class = measure.BadStatus
	}
}

func (a *actor) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// queueing is the longest Retry-After that is no lock: a server whose slots are
// all taken by checks in flight asks for a second or so.
const queueing = 5 * time.Second

// locked tells whether an answer is a lock's refusal, and the wait that it asks
// for. A 429 without a wait is taken for a lock.
func locked(a wire.Answer) (retry time.Duration, ok bool) {
	if a.Status != http.StatusTooManyRequests {
		return 0, false
	}
	s, err := strconv.Atoi(a.Header.Get("Retry-After"))
	retry = time.Duration(s) * time.Second
	return retry, err != nil || retry > queueing
}

// answered tells whether the server judged or refused: a 5xx did neither, nor did
// a full queue's 429.
func answered(a wire.Answer) bool {
	_, lock := locked(a)
	return a.Status > 0 && a.Status < http.StatusInternalServerError && (a.Status != http.StatusTooManyRequests || lock)
}

// granted tells whether the server gave what was asked for.
func granted(a wire.Answer) bool { return a.Status/100 == 2 }

// broke tells whether the request made the server fail: a 503 sheds load in
// order.
func broke(a wire.Answer) bool {
	return a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable
}

// meter counts what one address had judged, against a limit in a sliding window.
type meter struct {
	limit  int
	window time.Duration
	sent   []time.Time // of those that are surely still in the window
	excess int
}

func (b *Band) meter(policy string) meter {
	l := b.limit(policy)
	return meter{limit: l.Limit, window: l.Window}
}

// judged notes one more. The server judged it between Sent and Done, so two are
// surely in one window only when it spans both.
func (m *meter) judged(a wire.Answer) {
	for len(m.sent) > 0 && a.Done.Sub(m.sent[0]) > m.window {
		m.sent = m.sent[1:]
	}
	m.sent = append(m.sent, a.Sent)
	m.excess = max(m.excess, len(m.sent)-m.limit)
}
