package main

import (
	"context"
	"time"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/report"
	"vitals/scenarios"
)

// outing is one scenario of a session while it runs, as its companions see it.
type outing struct {
	*session
	drain context.Context // ended by the first Ctrl-C; the load's own ends with its schedule
	sc    *scenarios.Scenario
	shape scenarios.Load
	rec   *measure.Recorder
	base  int // the recorder's first step that is an intruder's

	hostile []measure.Step // those

	counts *observe.RequestCounts // our count of all requests

	spare   time.Duration      // how long recovery from a fault may take
	outages []outage           // the faults, as they are done
	aside   []intruders.Attack // attacks that the fault's own rule judges
}

// companion is what goes beside a scenario's load and has its say about the
// result before it is judged. Funcs but after may be nil.
type companion struct {
	before func(opt *load.Options)                          // nothing was sent yet
	beside func(ctx context.Context, began time.Time) error // ctx ends with the load, and is waited for
	after  func(run *report.Run)                            // the load has ended
}
