package baseline

import "vitals/internal/measure"

// Endpoint is one honest step in the judged window of one run. Quantiles are
// those of Hist, repeated for people and other tools.
type Endpoint struct {
	Name   string             `json:"name"`
	N      int64              `json:"n"`
	Errors Errors             `json:"errors"`
	Hist   *measure.Histogram `json:"hist,omitempty"` // served, from the due time; nil when none was served
	P50    int64              `json:"p50"`            // µs, as all below
	P90    int64              `json:"p90"`
	P95    int64              `json:"p95"`
	P99    int64              `json:"p99"`
	Max    int64              `json:"max"`
}

// Errors are the requests that did not go as expected, each counted once.
type Errors struct {
	Timeout int64 `json:"timeout"`
	Conn    int64 `json:"conn"`
	Server  int64 `json:"5xx"`
	Client  int64 `json:"4xx"`
	Check   int64 `json:"check"` // any other unexpected answer
}

// Total is all of them.
func (e Errors) Total() int64 { return e.Timeout + e.Conn + e.Server + e.Client + e.Check }

// Slice is one interval of a run.
type Slice struct {
	T      int64    `json:"t"` // µs from the run's start
	N      int64    `json:"n"`
	Errors int64    `json:"errors"`
	P50    int64    `json:"p50"`
	P95    int64    `json:"p95"`
	CPU    *float64 `json:"cpu,omitempty"`
}

// endpoint is a step as the file keeps it.
func endpoint(s measure.StepResult) Endpoint {
	e := Endpoint{Name: s.Step.Name, N: s.Counts.Sent, Errors: errorsOf(s), Hist: s.Response}
	e.P50, e.P90, e.P95, e.P99 = at(s.Response, 0.50), at(s.Response, 0.90), at(s.Response, 0.95), at(s.Response, 0.99)
	e.Max = at(s.Response, 1)
	return e
}

// at is a quantile in µs, 0 of nothing.
func at(h *measure.Histogram, q float64) int64 {
	d, _ := h.Quantile(q)
	return d.Microseconds()
}

// errorsOf deals the unexpected requests out by their class; a wrong status is
// told by its code. What neither explains counts as a failed check, so the sum
// is the step's errors.
func errorsOf(s measure.StepResult) Errors {
	var e Errors
	for name, n := range s.Classes {
		switch name {
		case measure.TimeoutConnect.String(), measure.TimeoutWrite.String(), measure.TimeoutAnswer.String(), measure.TimeoutBody.String():
			e.Timeout += n
		case measure.DNS.String(), measure.Connect.String(), measure.TLS.String(), measure.ResetNew.String(), measure.ResetReused.String(),
			measure.Protocol.String(), measure.Body.String():
			e.Conn += n
		}
	}
	left := s.Counts.Errors - e.Timeout - e.Conn
	for code, n := range s.Codes {
		// A step may expect a 4xx; no more of them are errors than are left.
		if code >= 500 {
			n = max(0, min(n, left))
			e.Server += n
			left -= n
		}
	}
	if n := min(s.Classes[measure.BadStatus.String()]-e.Server, left); n > 0 {
		e.Client = n
		left -= n
	}
	e.Check = max(0, left)
	return e
}
