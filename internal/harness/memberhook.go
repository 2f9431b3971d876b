package harness

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/report"
)

// abortRule begins the reason with which a controller stops the members because
// an abort rule of the scenario tripped on the merged figures.
const abortRule = "abort rule: "

// memberHook puts a member into its place among the others, tells the controller
// how it stands, and heeds the controller's word.
type memberHook struct {
	m    *member
	rec  *measure.Recorder
	stop context.CancelCauseFunc

	began time.Time
	last  atomic.Pointer[measure.Snapshot]

	n     int64 // number of the flush under way
	pulse fleet.Pulse
	delta []byte // of the flush under way; nil = none is
}

func (h *memberHook) Before(_ context.Context, opt *load.Options) {
	opt.Shard, opt.Shards, opt.Await = h.m.Index, h.m.Of, h.m.await
	if h.m.meeting == nil {
		return
	}
	opt.Abort = nil // asked of the merged figures, by the controller
	live := opt.Live
	opt.Live = func(s measure.Snapshot) {
		h.last.Store(&s)
		live(s)
	}
	h.m.stop = func(why error) {
		if strings.Contains(why.Error(), abortRule) {
			why = fmt.Errorf("%w%w", why, load.ErrAborted)
		}
		h.stop(why)
	}
}

func (h *memberHook) During(ctx context.Context, began time.Time) error {
	h.began = began
	if h.m.seat == nil {
		return nil
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			h.flush(ctx, false)
		}
	}
}

// flush tells what was seen since the flush before. One that Redis did not take is
// sent again as it is; what is seen meanwhile is in the next.
func (h *memberHook) flush(ctx context.Context, over bool) {
	if h.delta == nil {
		d := h.rec.Delta(time.Since(h.began))
		text, err := d.MarshalBinary()
		if err != nil {
			return // it cannot fail
		}
		h.n++
		h.delta, h.pulse = text, pulse(d.At, h.last.Load(), over)
	}
	if h.m.seat.Flush(ctx, h.n, h.pulse, h.delta) == nil {
		h.delta = nil
	}
}

// pulse is a member's state in a few figures.
func pulse(at time.Duration, s *measure.Snapshot, over bool) fleet.Pulse {
	p := fleet.Pulse{AtUS: at.Microseconds(), Over: over}
	if s == nil {
		return p
	}
	p.Sent, p.Errors, p.Inflight, p.Away, p.LagP99US = s.Counts.Sent, s.Counts.Errors, s.Counts.Inflight, s.Away, s.LagP99.Microseconds()
	if n := len(s.Last); n > 0 && s.Every > 0 {
		sl := s.Last[n-1]
		p.Rate, p.P50US, p.P95US = float64(sl.Counts.Sent)/s.Every.Seconds(), sl.P50.Microseconds(), sl.P95.Microseconds()
	}
	return p
}

func (h *memberHook) After(ctx context.Context, run *report.Run) {
	h.m.info.LateUS = max(0, run.Result.Began.Sub(h.m.begun).Microseconds())
	run.Result.Notes = append(run.Result.Notes, "rate-limit invariants are held by each member over its own addresses")
	if h.m.seat == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for range 2 { // the one under way, and the last; the document has it all in any case
		h.flush(ctx, true)
	}
}
