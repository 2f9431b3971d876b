package measure

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Micros is a duration as documents carry it: a whole number of microseconds.
// Fields named …_us are written through it.
type Micros time.Duration

// MarshalJSON writes whole microseconds, cut towards zero.
func (m Micros) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, time.Duration(m).Microseconds(), 10), nil
}

// UnmarshalJSON reads whole microseconds.
func (m *Micros) UnmarshalJSON(b []byte) error {
	us, err := strconv.ParseInt(string(b), 10, 64)
	if d := time.Duration(us) * time.Microsecond; err == nil && int64(d/time.Microsecond) == us {
		*m = Micros(d)
		return nil
	}
	return fmt.Errorf("read duration %.32q: not a whole number of microseconds", b)
}

// Each wire method lays the durations of one type over its plain form, where
// the shallower field of the same name wins in encoding/json. What is pointed
// to is the value itself, so one form serves both directions.

func (p *Phase) wire() any {
	type plain Phase
	return &struct {
		*plain
		From *Micros `json:"from_us"`
		To   *Micros `json:"to_us"`
	}{(*plain)(p), (*Micros)(&p.From), (*Micros)(&p.To)}
}

// The embedded phase would lend its own methods to a plain form, and the steps
// would be lost; so every field stands here.
func (p *PhaseResult) wire() any {
	return &struct {
		Name   *string       `json:"name"`
		From   *Micros       `json:"from_us"`
		To     *Micros       `json:"to_us"`
		Judged *bool         `json:"judged"`
		Steps  *[]StepResult `json:"steps"`
	}{&p.Name, (*Micros)(&p.From), (*Micros)(&p.To), &p.Judged, &p.Steps}
}

func (s *Slice) wire() any {
	type plain Slice
	return &struct {
		*plain
		At   *Micros `json:"at_us"`
		P50  *Micros `json:"p50_us"`
		P95  *Micros `json:"p95_us"`
		P99  *Micros `json:"p99_us"`
		Max  *Micros `json:"max_us"`
		Sent *Micros `json:"service_p95_us"`
	}{(*plain)(s), (*Micros)(&s.At), (*Micros)(&s.P50), (*Micros)(&s.P95), (*Micros)(&s.P99), (*Micros)(&s.Max), (*Micros)(&s.SentP95)}
}

func (s *Series) wire() any {
	type plain Series
	return &struct {
		*plain
		Every *Micros `json:"every_us"`
	}{(*plain)(s), (*Micros)(&s.Every)}
}

func (e *Exemplar) wire() any {
	type plain Exemplar
	return &struct {
		*plain
		At       *Micros `json:"at_us"`
		Response *Micros `json:"response_us"`
		Service  *Micros `json:"service_us"`
	}{(*plain)(e), (*Micros)(&e.At), (*Micros)(&e.Response), (*Micros)(&e.Service)}
}

func (h *Health) wire() any {
	type plain Health
	return &struct {
		*plain
		GCPauseMax *Micros `json:"gc_pause_max_us"`
		CapWait    *Micros `json:"cap_wait_us"`
	}{(*plain)(h), (*Micros)(&h.GCPauseMax), (*Micros)(&h.CapWait)}
}

func (r *Result) wire() any {
	type plain Result
	return &struct {
		*plain
		Took   *Micros `json:"took_us"`
		Window *Micros `json:"window_us"`
	}{(*plain)(r), (*Micros)(&r.Took), (*Micros)(&r.Window)}
}

// MarshalJSON writes durations in whole microseconds.
func (p Phase) MarshalJSON() ([]byte, error) { return json.Marshal(p.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (p *Phase) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, p.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (p PhaseResult) MarshalJSON() ([]byte, error) { return json.Marshal(p.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (p *PhaseResult) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, p.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (s Slice) MarshalJSON() ([]byte, error) { return json.Marshal(s.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (s *Slice) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, s.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (s Series) MarshalJSON() ([]byte, error) { return json.Marshal(s.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (s *Series) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, s.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (e Exemplar) MarshalJSON() ([]byte, error) { return json.Marshal(e.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (e *Exemplar) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, e.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (h Health) MarshalJSON() ([]byte, error) { return json.Marshal(h.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (h *Health) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, h.wire()) }

// MarshalJSON writes durations in whole microseconds.
func (r Result) MarshalJSON() ([]byte, error) { return json.Marshal(r.wire()) }

// UnmarshalJSON reads durations in whole microseconds.
func (r *Result) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, r.wire()) }
