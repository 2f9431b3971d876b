package machine

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// Reading is how busy the whole machine was until then.
type Reading struct {
	At   time.Time
	Busy float64 // share of all processors since the reading before, 0..1
}

// Watch reads how busy the machine is, every so often, until ctx ends or what it
// returns is called, which gives the readings. A machine that cannot be read gives none.
func Watch(ctx context.Context, every time.Duration) func() []Reading {
	ctx, stop := context.WithCancel(ctx)
	out := make(chan []Reading, 1)
	go func() {
		var all []Reading
		defer func() { out <- all }()
		t := time.NewTicker(every)
		defer t.Stop()
		total, idle := times(ctx)
		for {
			select {
			case <-ctx.Done():
				return
			case at := <-t.C:
				sum, free := times(ctx)
				if sum > total && total > 0 {
					all = append(all, Reading{at, 1 - (free-idle)/(sum-total)})
				}
				total, idle = sum, free
			}
		}
	}()
	return func() []Reading {
		stop()
		return <-out
	}
}

// times are the seconds of all processors since the machine's start; 0, 0 = not known.
func times(ctx context.Context) (total, idle float64) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(all) == 0 {
		return 0, 0
	}
	c := all[0]
	idle = c.Idle + c.Iowait
	return c.User + c.System + c.Nice + c.Irq + c.Softirq + c.Steal + idle, idle
}
