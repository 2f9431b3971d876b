package measure

// CPUProfile is where the processor time of the system under test went during some
// seconds of a run, as its own profiler tells. None says why there is no profile;
// then nothing but Target and At is set.
type CPUProfile struct {
	Target    string         `json:"target"`         // that was being lost when it was asked for
	At        Micros         `json:"at_us"`          // offset from the run's start
	Took      Micros         `json:"took_us"`        // length
	CPU       Micros         `json:"cpu_us"`         // processor time that it saw, all processes
	Samples   int64          `json:"samples"`        // that it was made of: few make rough shares
	Functions []FunctionTime `json:"functions"`      // those that took the most by themselves or with what they call, by their own share
	Rest      float64        `json:"rest"`           // no function beside these took more than this share by itself
	File      string         `json:"file,omitempty"` // beside the document, for go tool pprof
	None      string         `json:"none,omitempty"`
}

// FunctionTime is one function's share of the processor time, 0 to 1.
type FunctionTime struct {
	Name  string  `json:"name"`
	Own   float64 `json:"own"`   // in itself ("flat")
	Whole float64 `json:"whole"` // with what it calls ("cumulative")
}

// Share is a function's own share in a profile, and whether it is known: of one that
// is not among those that were kept, only that it is no more than Rest.
func (p *CPUProfile) Share(function string) (own float64, known bool) {
	for _, f := range p.Functions {
		if f.Name == function {
			return f.Own, true
		}
	}
	return p.Rest, p.Rest == 0
}
