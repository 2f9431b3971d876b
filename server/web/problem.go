package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Problem is a refusal as RFC 9457 problem+json. It is an error and a
// huma.StatusError, so handlers return it and the edges write it. Detail is for
// the client's person; nothing of the cause, the query or the input is in it.
type Problem struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail"`
	Instance   string       `json:"instance,omitempty"`
	Code       string       `json:"code"` // stable machine word, as in "locked_out"
	RequestID  string       `json:"request_id"`
	Errors     []FieldError `json:"errors,omitempty"`
	RetryAfter int          `json:"retry_after,omitempty"` // seconds, >= 1 when set
	cause      error
}

// FieldError says which field of the request is wrong, and why; never its value.
type FieldError struct {
	Field string `json:"field"`
	Msg   string `json:"msg"`
}

// Fail makes a Problem of a status, a machine word and a sentence.
func Fail(status int, code, detail string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status),
		Status: status, Detail: detail, Code: code,
	}
}

// Internal is the generic 500 around a cause that is logged and never sent.
func Internal(cause error) *Problem {
	p := Fail(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
	p.cause = cause
	return p
}

// WithRetry sets Retry-After, in whole seconds rounded up, at least 1.
func (p *Problem) WithRetry(d time.Duration) *Problem {
	p.RetryAfter = max(1, int((d+time.Second-1)/time.Second))
	return p
}

// Because keeps the cause for the log.
func (p *Problem) Because(err error) *Problem { p.cause = err; return p }

func (p *Problem) Error() string {
	if p.cause != nil {
		return fmt.Sprintf("%d %s: %v", p.Status, p.Code, p.cause)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
}

func (p *Problem) Unwrap() error { return p.cause }

// GetStatus satisfies huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType satisfies huma's content-type filter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// For is the problem as the answer to r: with the request's ID and path, and with
// Retry-After set on w's header when there is one.
func (p *Problem) For(w http.ResponseWriter, r *http.Request) *Problem {
	out := *p
	out.RequestID = RequestID(r.Context())
	out.Instance = r.URL.EscapedPath()
	if out.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(out.RetryAfter))
	}
	return &out
}

// Write sends the problem as the answer to r.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	out := p.For(w, r)
	w.Header().Set("Content-Type", out.ContentType(""))
	w.WriteHeader(out.Status)
	_ = json.NewEncoder(w).Encode(out) // the client may be gone; the access log says so
}
