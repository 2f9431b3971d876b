package load

import (
	"crypto/rand"
	"encoding/binary"
	"net/url"
	"sync/atomic"
)

// tracer gives every request a trace of its own (W3C Trace Context,
// https://www.w3.org/TR/trace-context/), so that a slow one can be found in a tracing
// backend. The run's half of the trace id is random: the seed must not make two runs
// share traces.
type tracer struct {
	run  uint64
	last atomic.Uint64
}

func (t *tracer) begin() {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	t.run = binary.BigEndian.Uint64(b[:])
}

// line appends the traceparent header: sampled, because whoever traces wants to see
// the load, and can leave it out by its baggage.
func (t *tracer) line(to []byte) []byte {
	n := t.last.Add(1)
	to = append(to, "traceparent: 00-"...)
	to = hex16(hex16(to, t.run), n)
	to = append(to, '-')
	return append(hex16(to, n), "-01\r\n"...)
}

// traceID is the trace id of the header that line has appended last.
func traceID(lines []byte) []byte {
	const after = len("-0123456789abcdef-01\r\n")
	return lines[len(lines)-after-32 : len(lines)-after]
}

// hex16 appends sixteen hexadecimal digits.
func hex16(to []byte, v uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		to = append(to, digits[v>>shift&15])
	}
	return to
}

// baggage is the header that marks a request as ours (W3C Baggage,
// https://www.w3.org/TR/baggage/), with the scenario and the step it belongs to.
func baggage(scenario, step string) string {
	return "baggage: synthetic=true,vitals.scenario=" + url.PathEscape(scenario) + ",vitals.step=" + url.PathEscape(step) + "\r\n"
}
