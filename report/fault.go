package report

import (
	"encoding/json"
	"time"

	"vitals/internal/measure"
)

// Fault is what was done to a part of the stack on purpose while the load went on.
type Fault struct {
	Part   string        `json:"part"`    // redis, postgres, api, api-2
	Action string        `json:"action"`  // stop, kill, pause, …
	At     time.Duration `json:"at_us"`   // offset from the run's start
	Took   time.Duration `json:"took_us"` // until it was undone; 0 = it was not, or nothing lasted
	Error  string        `json:"error,omitempty"`
}

// wire lays whole microseconds over the durations, as measure's types do.
func (f *Fault) wire() any {
	type plain Fault
	return &struct {
		*plain
		At   *measure.Micros `json:"at_us"`
		Took *measure.Micros `json:"took_us"`
	}{(*plain)(f), (*measure.Micros)(&f.At), (*measure.Micros)(&f.Took)}
}

// MarshalJSON writes durations in whole microseconds.
func (f Fault) MarshalJSON() ([]byte, error) { return json.Marshal(f.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (f *Fault) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, f.wire()) }

// done are the actions as what has happened.
var done = map[string]string{
	"stop": "stopped", "start": "started", "kill": "killed", "pause": "frozen", "unpause": "thawed", "restart": "restarted", "empty": "emptied",
}

// String is the fault in words: "redis stopped at 10.0s for 5.00s".
func (f Fault) String() string {
	if f.Error != "" {
		return f.Part + ": " + f.Action + " at " + took(f.At) + " did not work: " + f.Error
	}
	verb := done[f.Action]
	if verb == "" {
		verb = f.Action
	}
	text := f.Part + " " + verb + " at " + took(f.At)
	if f.Took > 0 {
		text += " for " + took(f.Took)
	}
	return text
}

// faults are a run's, in words.
func faults(r *Run) (out []string) {
	for _, f := range r.Faults {
		out = append(out, f.String())
	}
	return out
}
