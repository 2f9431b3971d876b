package audit

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Exchange is one request and its answer as a reader sees them: secrets
// redacted, bodies cut. One with Words alone is a remark.
type Exchange struct {
	N      int      `json:"n,omitempty"` // from 1, as failures cite it
	At     Millis   `json:"at_ms"`       // since the probe began
	Took   Millis   `json:"took_ms,omitempty"`
	From   string   `json:"from,omitempty"` // client address
	Send   string   `json:"send,omitempty"` // request line
	Header []string `json:"header,omitempty"`
	Body   string   `json:"body,omitempty"`
	Status int      `json:"status,omitempty"`
	Answer []string `json:"answer_header,omitempty"`
	Got    string   `json:"answer_body,omitempty"`
	Err    string   `json:"error,omitempty"`
	Words  string   `json:"words,omitempty"`
}

// What a transcript keeps: the first exchanges, where a sequence begins, and the
// last, where it goes wrong.
const (
	keepFirst = 40
	keepLast  = 40
	maxBody   = 1 << 10 // bytes of a body
)

// transcript gathers a probe's exchanges.
type transcript struct {
	mu    sync.Mutex
	n     int // exchanges so far
	all   int // entries so far, remarks too
	first []Exchange
	last  []Exchange // a ring
}

// add keeps an exchange and gives its number.
func (s *transcript) add(began time.Time, q Request, a Answer, secrets *secrets) int {
	e := Exchange{
		At: Millis(a.Sent.Sub(began)), Took: Millis(a.Done.Sub(a.Sent)), Send: secrets.redact(q.Method + " " + q.Path),
		Header: lines(q.Header, secrets), Body: cut(secrets.redact(string(q.Body))),
		Status: a.Status, Answer: lines(a.Header, secrets), Got: cut(secrets.redact(string(a.Body))),
	}
	if q.Base != nil {
		e.Words = "to " + q.Base.Host
	}
	if q.From.IsValid() {
		e.From = q.From.String()
	}
	if a.Err != nil {
		e.Err = secrets.redact(plainError(a.Err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	e.N = s.n
	s.put(e)
	return e.N
}

// say keeps a remark.
func (s *transcript) say(began time.Time, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(Exchange{At: Millis(time.Since(began)), Words: words})
}

func (s *transcript) put(e Exchange) {
	s.all++
	switch {
	case len(s.first) < keepFirst:
		s.first = append(s.first, e)
	case len(s.last) < keepLast:
		s.last = append(s.last, e)
	default:
		s.last[(s.all-1-keepFirst)%keepLast] = e
	}
}

// kept is what the transcript holds, in order, and how many entries it does not.
func (s *transcript) kept() ([]Exchange, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.first)
	if len(s.last) == keepLast {
		at := (s.all - keepFirst) % keepLast
		out = append(append(out, s.last[at:]...), s.last[:at]...)
	} else {
		out = append(out, s.last...)
	}
	return out, s.all - len(out)
}

// lines are a header's lines by name, credentials redacted.
func lines(h http.Header, secrets *secrets) []string {
	var out []string
	for name, values := range h {
		for _, v := range values {
			if credential(name) {
				v = redacted
			}
			out = append(out, name+": "+cut(secrets.redact(v)))
		}
	}
	slices.Sort(out)
	return out
}

// cut shortens a text to what a reader needs of it, and makes it valid UTF-8.
func cut(s string) string {
	if len(s) > maxBody {
		end := maxBody
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = fmt.Sprintf("%s… (%d bytes)", s[:end], len(s))
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
