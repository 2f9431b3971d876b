package measure

import "time"

// Options of a recorder. Zero values are the defaults.
type Options struct {
	Every     time.Duration // slice width at the start, default 1s
	MaxSlices int           // past it neighbouring slices are folded, default 600
	Late      time.Duration // a send later than this after its due time counts as late, default 2ms
	Keep      int           // exemplars kept: the slowest Keep and the first Keep of each class, default 10
}

// Snapshot is the run as it stands, for the live view and abort rules: the whole
// so far, and the last closed slices.
type Snapshot struct {
	At     time.Duration
	Counts Counts
	Last   []Slice // up to the last 60 closed slices, oldest first
}
