package audit

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"vitals/internal/redact"
	"vitals/internal/wire"
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
	first []entry
	last  []entry // a ring
}

// entry is an exchange as it was, until the probe has ended: some answers teach
// secrets that stand in earlier ones.
type entry struct {
	Exchange
	q Request
	a Answer
}

// add keeps an exchange and gives its number.
func (s *transcript) add(began time.Time, q Request, a Answer) int {
	q.Header = q.Header.Clone() // probes send a request again, with other headers
	e := entry{Exchange{At: Millis(a.Sent.Sub(began)), Took: Millis(a.Done.Sub(a.Sent)), Status: a.Status}, q, a}
	if q.Base != nil {
		e.Words = "to " + q.Base.Host
	}
	if q.From.IsValid() {
		e.From = q.From.String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	e.N = s.n
	s.put(e)
	return e.N
}

// shown is an entry as readers may see it.
func (e entry) shown(secrets *secrets) Exchange {
	if e.N == 0 {
		return e.Exchange
	}
	e.Send, e.Header, e.Body = secrets.redact(e.q.Method+" "+e.q.Path), lines(e.q.Header, secrets), cut(secrets.redact(string(e.q.Body)))
	e.Answer, e.Got = lines(e.a.Header, secrets), cut(secrets.redact(string(e.a.Body)))
	if e.a.Err != nil {
		e.Err = secrets.redact(wire.Plain(e.a.Err))
	}
	return e.Exchange
}

// say keeps a remark.
func (s *transcript) say(began time.Time, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(entry{Exchange: Exchange{At: Millis(time.Since(began)), Words: words}})
}

func (s *transcript) put(e entry) {
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
func (s *transcript) kept(secrets *secrets) ([]Exchange, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := 0 // of the oldest in the ring
	if len(s.last) == keepLast {
		at = (s.all - keepFirst) % keepLast
	}
	var out []Exchange
	all := slices.Concat(s.first, s.last[at:], s.last[:at])
	for _, e := range all { // those that are left out may have set thousands
		secrets.cookies(e.q.Header, e.a.Header)
	}
	for _, e := range all {
		out = append(out, e.shown(secrets))
	}
	return out, s.all - len(out)
}

// lines are a header's lines by name, credentials redacted.
func lines(h http.Header, secrets *secrets) []string {
	var out []string
	for name, values := range h {
		for _, v := range values {
			if credential(name) {
				v = redact.Mark
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
