package audit

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/wire"
)

// Request is one request of a probe.
type Request = wire.Request

// Answer is what came back.
type Answer struct {
	wire.Answer
	N     int // of the exchange in the transcript
	Label string
}

// timeout bounds one exchange: longer than any wait the API may impose on a
// sign-in, shorter than a reader's patience.
const timeout = 20 * time.Second

// maxAnswer is how much of an answer's body is read from a bare connection.
const maxAnswer = 1 << 20

// client sends to the target; it is ended with the probe. It follows no redirect,
// keeps no cookie and asks for no compression: a probe sees what was sent.
func (t *T) client() *wire.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[t.target]
	if c == nil {
		g := t.target
		c = wire.NewClient(g.URL, g.Forward, timeout)
		c.Secure(g.TLS)
		c.Watch(func(x *wire.Seen) { t.run.see(g, x) })
		t.clients[g] = c
	}
	return c
}

// Send sends one request and waits for its answer. Trouble on the wire is an
// answer too: status 0 and the error.
func (t *T) Send(q Request) Answer {
	t.run.pace(t)
	a, _ := t.client().Send(t.ctx, ready(&q)) // trouble is in the answer
	return t.record(q, a)
}

// ready fills in what every request of an audit carries.
func ready(q *Request) Request {
	q.Method = cmp.Or(q.Method, http.MethodGet)
	q.Header = q.Header.Clone()
	if q.Header == nil {
		q.Header = http.Header{}
	}
	if q.Header.Get("User-Agent") == "" {
		q.Header.Set("User-Agent", "vitals-audit")
	}
	return *q
}

// record keeps an exchange in the transcript.
func (t *T) record(q Request, w wire.Answer) Answer {
	a := Answer{Answer: w, Label: cmp.Or(q.Label, q.Method+" "+q.Path)}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	for _, secret := range t.target.Profile.Secrets(a.Body) {
		t.run.secrets.add(secret)
	}
	t.mu.Lock()
	t.sent, t.last = true, w.Err
	t.mu.Unlock()
	a.N = t.script.add(t.began, q, a)
	return a
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
func (a Answer) RetryAfter() int {
	seconds, _ := limitcheck.Wait(a.Header.Get("Retry-After"), a.Done)
	return seconds
}

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

// to is where a redirect points, "" for other answers: none is followed, and a path or
// a scheme that is wrong in the profile shows here. A query may hold a token.
func (a Answer) to() string {
	at := a.lands()
	if at == "" {
		return ""
	}
	if strings.Contains(a.Header.Get("Location"), "?") {
		at += "?…"
	}
	return " to " + cut(at)
}

// lands is where a redirect points, without its query, which may name what was asked
// for; "" for other answers.
func (a Answer) lands() string {
	at, _, _ := strings.Cut(a.Header.Get("Location"), "?")
	if a.Status/100 != 3 {
		return ""
	}
	return at
}

// got is the status in words.
func (a Answer) got() string {
	if a.Err != nil {
		return "no answer (" + wire.Plain(a.Err) + ")"
	}
	words := strconv.Itoa(a.Status) + a.to()
	if c := a.Code(); c != "" {
		words += " " + c
	}
	if a.Status >= http.StatusInternalServerError && traced(a.Body) {
		words += " (with a stack trace in its body)"
	}
	return words
}

// WantIn checks that a sign-in succeeded, by the status that the profile has for it.
func (t *T) WantIn(a Answer) bool {
	op := t.Operation("login")
	return t.Check(op.Succeeded(a.Status) && a.Err == nil, "%v: got %s, want the right password to sign in", a, a.got()) &&
		t.Check(!t.hollow(a), "%v: got %s without the access_token that the profile says it has, want the right password to sign in", a, a.got())
}

// hollow tells whether a sign-in's success is none: the profile says where its token
// stands, and there is neither that, nor a challenge, nor a cookie.
func (t *T) hollow(a Answer) bool {
	_, named := t.Operation("login").Fields["access_token"]
	return named && a.Status/100 == 2 && len(t.target.Profile.Secrets(a.Body)) == 0 && a.Header.Get("Set-Cookie") == ""
}

// turned tells whether an operation refused whoever asked, in one of the ways that are
// right: as the profile says, or by the statuses of HTTP for a credential that is none,
// for what is not one's own, and for what one is not to know of.
func (t *T) turned(operation string, a Answer) bool {
	right := []int{t.Operation(operation).Refusal(), http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}
	return a.Err == nil && slices.Contains(right, a.Status)
}

// WantTurned checks that an operation refused whoever asked.
func (t *T) WantTurned(operation string, a Answer) bool {
	return t.Check(t.turned(operation, a), "%v: got %s, want %d or another refusal", a, a.got(), t.Operation(operation).Refusal())
}

// WantDone checks that an operation succeeded, by the status that the profile has for
// it, or any of 2xx.
func (t *T) WantDone(operation string, a Answer) bool {
	return t.Check(t.Operation(operation).Succeeded(a.Status) && a.Err == nil, "%v: got %s, want success", a, a.got())
}

// Want checks an answer's status.
func (t *T) Want(a Answer, status ...int) bool {
	want := make([]string, len(status))
	for i, s := range status {
		want[i] = strconv.Itoa(s)
	}
	return t.Check(slices.Contains(status, a.Status) && a.Err == nil, "%v: got %s, want %s", a, a.got(), strings.Join(want, " or "))
}
