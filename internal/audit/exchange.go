package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/limitcheck"
)

// Request is one request of a probe.
type Request struct {
	Method  string // "" = GET
	Path    string // escaped, from the server's root, with its query
	Header  http.Header
	Body    []byte
	From    netip.Addr // client address; zero = the system's choice
	Base    *url.URL   // another replica; nil = the target's URL
	Policy  string     // limit policy it counts under, for the history; "" = none
	Account string     // whose credential it carries, for the history
	Label   string     // for the transcript; "" = method and path
}

// Answer is what came back.
type Answer struct {
	N          int // of the exchange in the transcript
	Label      string
	Status     int // 0 = none, see Err
	Header     http.Header
	Body       []byte // at most 1 MiB
	Sent, Done time.Time
	Err        error
}

const maxAnswer = 1 << 20

// Send sends one request and waits for its answer. Trouble on the wire is an
// answer too: status 0 and the error.
func (t *T) Send(q Request) Answer {
	base := t.target.URL
	if q.Base != nil {
		base = q.Base
	}
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	t.run.pace(t)
	req, err := http.NewRequestWithContext(t.ctx, q.Method, strings.TrimRight(base.Scheme+"://"+base.Host+base.Path, "/")+q.Path, bytes.NewReader(q.Body))
	if err != nil {
		return t.record(q, Answer{Err: err, Sent: time.Now(), Done: time.Now()})
	}
	req.Header = q.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "vitals-audit")
	}
	from := q.From
	if t.target.Forward && from.IsValid() {
		req.Header.Add("X-Forwarded-For", from.String())
		from = netip.Addr{}
	}
	q.Header = req.Header
	a := Answer{Sent: time.Now()}
	resp, err := t.pool.client(from).Do(req)
	if err == nil {
		a.Status, a.Header = resp.StatusCode, resp.Header
		a.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		err = errors.Join(err, resp.Body.Close())
	}
	a.Done, a.Err = time.Now(), err
	return t.record(q, a)
}

// record keeps an exchange in the transcript and tells the history checker.
func (t *T) record(q Request, a Answer) Answer {
	a.Label = q.Label
	if a.Label == "" {
		a.Label = q.Method + " " + q.Path
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.N = t.script.add(t.began, q, a)
	if q.Policy != "" {
		t.run.observe(t.target, q, a)
	}
	return a
}

// event is an exchange as the history checker takes it.
func event(q Request, a Answer) limitcheck.Event {
	return limitcheck.Event{
		Sent: a.Sent, Done: a.Done, From: q.From, User: q.Account, Policy: q.Policy, Status: a.Status,
		Limit: number(a.Header, "X-RateLimit-Limit"), Remaining: number(a.Header, "X-RateLimit-Remaining"),
		RetryAfter: number(a.Header, "Retry-After"), ID: a.Header.Get("X-Request-ID"), Step: a.Label,
	}
}

// number is a header's whole number, -1 without one.
func number(h http.Header, name string) int {
	n, err := strconv.Atoi(h.Get(name))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// RetryAfter is the announced wait, -1 without one.
func (a Answer) RetryAfter() int { return number(a.Header, "Retry-After") }

// Remaining is what the answer says is left of the limit, -1 when untold.
func (a Answer) Remaining() int { return number(a.Header, "X-RateLimit-Remaining") }

// Code is the problem's machine word; "" for other bodies.
func (a Answer) Code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &p) // not JSON: no code
	return p.Code
}

// String names the exchange in messages.
func (a Answer) String() string { return "[" + strconv.Itoa(a.N) + "] " + a.Label }

// got is the status in words.
func (a Answer) got() string {
	if a.Err != nil {
		return "no answer (" + plainError(a.Err) + ")"
	}
	if c := a.Code(); c != "" {
		return strconv.Itoa(a.Status) + " " + c
	}
	return strconv.Itoa(a.Status)
}

// plainError drops the URL that net/http puts in front: it is in the transcript.
func plainError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// Want checks an answer's status.
func (t *T) Want(a Answer, status ...int) bool {
	want := make([]string, len(status))
	for i, s := range status {
		want[i] = strconv.Itoa(s)
	}
	return t.Check(slices.Contains(status, a.Status) && a.Err == nil, "%v: got %s, want %s", a, a.got(), strings.Join(want, " or "))
}
