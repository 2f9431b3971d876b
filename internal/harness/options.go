// Package harness is one run: scenario after scenario against one system, what
// goes beside the load, and the document that grows with each. Read checks all
// input, Run carries it out; neither knows of flags or of the process around it.
package harness

import (
	"io"

	"vitals/internal/stack/containers"
)

// Options are what a user asks for. The zero value of each field but Pace,
// Targets, Out and Replicas means that it was not asked for.
type Options struct {
	Scenarios       []string // built-in names or files, vegeta's target files among them; nil = the four of the default set
	Rate, For       string   // load of target files, as 50/s and 10s
	Pace            string   // full or quick
	Targets         string   // built-in name or file
	Profile         string   // built-in name or file; with URL
	Stack           string   // embedded (or "") or containers; "" with URL
	URL             string   // a deployment that is already there
	Accounts        string   // CSV files, with commas between them; with URL
	CA              string   // PEM file of authorities to trust beside the system's; with URL
	Cert, Key       string   // PEM files of the certificate that the client shows, and of its private key; with URL
	Metrics         string   // URL of its Prometheus page; with URL
	Pprof           string   // URL of its CPU profiler, as go tool pprof takes it; with URL
	Cores           float64  // that it may use; with URL
	Own             []string // hosts that are the user's, though neither loopback nor private
	AllowProduction bool
	Forward         bool    // this machine is a trusted proxy of URL
	Replicas        int     // API processes side by side; containers
	CPUs            float64 // processors that each API process may use; containers; 0 = all
	Faults          []string
	Set             []string // NAME=VALUE, settings of the stack's API
	Images          containers.Images
	Baseline        string // baseline file, or its folder, that the session is compared with at its end; "" = none
	History         string // folder of nightly sessions: their noise is learned, and the page shows them; "" = none
	Out             string // folder of document.json, baseline.json and api.log
	Seed            uint64
	Verbose         bool    // print everything at the end, not only what fits one screen
	Quiet           bool    // no progress while the run lasts
	Live            string  // address of a page that shows the run while it lasts; "" = none
	ServeMetrics    string  // address of a Prometheus page of the run itself; "" = none
	TraceURL        string  // page of a trace in the user's tracing backend, with {trace_id} in it; "" = none
	OTLP            bool    // send metrics over OTLP/HTTP, as the OTEL_* variables say
	Member          string  // I/N: send the I-th share of N and leave it to be merged; "" = the whole
	StartAt         string  // RFC 3339: the instant at which all members begin; with Member
	Leads           bool    // only lead members that are elsewhere: nobody signs in here, so no accounts are needed
	Rendezvous      string  // file with the Redis URL at which the members meet; with Member or Leads
	RunID           string  // of the run there
	Repeat          int     // runs of every scenario, each with a fresh start of a stack that is ours; 0 = 1
	Retries         int     // how often a scenario that is invalid by the machine or the generator is run again by itself
	Note            string  // kept with the session, in the user's words
	Window          *Window // instead of the scenarios' own load; nil = theirs
	Once            bool    // every task once, for Once: no more accounts than journeys are needed
	ReadOnly        bool    // only read: start nothing, make no folder

	Binary  string   // this program, which is also the embedded API and its image
	Tool    string   // "vitals VERSION", as documents carry it
	Command []string // as given, for the document; flags carry no secrets
}

// Streams are where a run speaks: the answer goes to Out, all other talk to Err.
type Streams struct{ Out, Err io.Writer }
