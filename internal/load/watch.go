package load

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// A target is dead when so many attempts in a row found nobody there, over at
// least so long. Answers of any kind, even errors, are life.
const (
	deadAfter = 10
	deadFor   = 3 * time.Second
)

// errDead ends a run whose target is gone.
var errDead = errors.New("the target is dead")

// watch ends a run whose target is gone: load on nothing measures nothing.
type watch struct {
	stop  func(error)
	row   atomic.Int64 // failures in a row
	since atomic.Int64 // Done of the first of them, ns

	ports, files, own atomic.Int64 // trouble that is ours
	silent            atomic.Int64 // requests without an answer before their timeout
}

// saw is told of every exchange.
func (w *watch) saw(c *wire.Call) {
	switch {
	case c.Class.Unreached():
	case c.Class == measure.NoPorts:
		w.ports.Add(1)
		return
	case c.Class == measure.FDLimit:
		w.files.Add(1)
		return
	case c.Class == measure.Generator:
		w.own.Add(1)
		return
	case c.Class == measure.Cancelled:
		return
	case c.Class == measure.TimeoutAnswer:
		w.silent.Add(1)
		w.row.Store(0)
		return
	default:
		if w.row.Load() != 0 {
			w.row.Store(0)
		}
		return
	}
	n := w.row.Add(1)
	if n == 1 {
		w.since.Store(int64(c.Done))
		return
	}
	if over := c.Done - time.Duration(w.since.Load()); n >= deadAfter && over >= deadFor {
		w.stop(fmt.Errorf("%w: %d attempts to connect in a row failed over %s, the last with: %w",
			errDead, n, over.Round(100*time.Millisecond), c.Err))
	}
}
