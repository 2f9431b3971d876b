// Package measure is what a run saw: samples, histograms, time slices, and the
// result they add up to. It records in constant memory whatever the length of
// the run, and it judges nothing.
package measure

import "time"

// Outcome says which histogram a request belongs to. Served and refused
// requests never share one: p95 falls as a system refuses more.
type Outcome uint8

// The outcomes. The zero value is the pessimistic one.
const (
	Failed  Outcome = iota // no complete answer in time, or not the expected one
	Served                 // answered as expected
	Refused                // turned away by a limit, or 503 with Retry-After
	outcomes
)

// Class says why a request did not go as expected; a small closed set, so that
// error tables stay bounded (no ports, no ids).
type Class uint8

// The classes. Those from NoPorts on are the generator's own trouble and never
// count against the server.
const (
	None           Class = iota
	BadStatus            // another status than the step expects
	BadCheck             // header or body is not what the step expects
	BadCapture           // a value to save was not in the answer
	DNS                  // name not resolved
	Connect              // connection refused or unreachable
	TLS                  // handshake or certificate
	TimeoutConnect       // no connection in time
	TimeoutWrite         // request not sent in time
	TimeoutAnswer        // no first byte in time
	TimeoutBody          // body not complete in time
	ResetNew             // connection reset, fresh connection
	ResetReused          // connection reset, kept-alive connection (never retried)
	Protocol             // the answer is not HTTP
	Body                 // the answer ended before its length
	TooLong              // what is looked for was not in the part of the answer that is kept
	Encoding             // the answer is packed in a way that cannot be read
	NoPorts              // EADDRNOTAVAIL, EADDRINUSE: out of local ports
	FDLimit              // EMFILE: out of file descriptors
	Cancelled            // the run was stopped
	Generator            // our own fault, named in the exemplar
	classes
)

// Sample is one request as the engine saw it. Times are offsets from the run's
// start on one monotonic clock.
type Sample struct {
	Step      int           // index into the recorder's steps
	Due       time.Duration // when it should have been sent by the schedule
	Sent      time.Duration // when it was
	Done      time.Duration // when the last byte of the answer was read, or the attempt ended
	Code      int           // HTTP status, 0 without an answer
	Bytes     int64         // body bytes read
	Outcome   Outcome
	OK        bool  // as expected; a refusal that the step expects is OK
	Planned   bool  // due by the schedule: counted as planned too, which saves a call of Add
	Class     Class // None when OK
	RequestID string
	TraceID   string  // of the traceparent header that it was sent with
	Detail    *Detail // of one that did not go as expected; nil = not told
}

// Detail says what a request expected and what came. It holds no secrets: whoever
// fills it in takes them out.
type Detail struct {
	Why  string // "want 201, got 422"; "json items.0.id is not in the answer (it has: data, total)"
	Body string // the answer's first bytes
}

// Response is what a waiting user feels: from the due time to the last byte.
func (s *Sample) Response() time.Duration { return s.Done - s.Due }

// Service is what the server and the wire took: from the send to the last byte.
func (s *Sample) Service() time.Duration { return s.Done - s.Sent }

// Step names one request of one journey, or of one intruder.
type Step struct {
	Journey  string `json:"journey"`
	Name     string `json:"name"`
	Intruder bool   `json:"intruder,omitempty"` // hostile: kept out of every figure about honest users
}

// Session is the journey that signing in and out and refreshing belong to.
const Session = "session"

// Phase is a named part of the run's window, as the scenario's stages make it.
// It holds the due times From ≤ due < To.
type Phase struct {
	Name   string        `json:"name"`
	From   time.Duration `json:"from_us"` // offset from the run's start
	To     time.Duration `json:"to_us"`
	Judged bool          `json:"judged"` // its samples count for the verdict
}
