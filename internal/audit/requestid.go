package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"vitals/internal/profile"
)

func requestID() []Probe {
	return append([]Probe{
		{
			ID: "RQ1", Title: "every answer carries a request id of its own", Guide: "production-guide:109", Class: Safe, run: requestIDs,
			Why: "Without an id on refusals and errors too, the one answer a user complains of cannot be found in the log.",
			Fix: "Make a UUID and set it on the answer before anything can write one.",
		},
		{
			ID: "RQ2", Title: "an acceptable id of the client's is echoed, and logged", Guide: "production-guide:112", Class: Safe, run: requestIDEchoed,
			Why: "A gateway's id that is dropped cuts the trace in two.",
			Fix: "Accept one X-Request-ID of 8 to 64 letters, digits, dots, dashes and underscores.",
		},
		{
			ID: "RQ3", Title: "a hostile id is replaced and breaks no log line", Guide: "production-guide:107", Class: Safe, run: requestIDHostile,
			Why: "What is copied from a header into a log forges lines there, and hides the attacker's own.",
			Fix: "Replace what does not match the pattern; encode every value that is logged.",
		},
	}, requestIDControl()...)
}

// requestIDHeader carries the request id, unless the profile promises another one.
const requestIDHeader = "X-Request-ID"

// requestID is the header that carries the request id, and whether the API's own are
// promised to be UUIDs.
func (t *T) requestID() (header string, isUUID bool) {
	if p := t.promise().RequestIDs; p != nil {
		return p.Header, p.UUID
	}
	return requestIDHeader, false
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// kinds are harmless requests that end in different ways.
func (t *T) kinds() []Request {
	from := t.plain()
	out := []Request{t.Request("health", from, "", nil)}
	out = append(out, Request{Path: "/vitals-audit-no-such-path", From: from, Label: "unknown path"})
	if _, ok := t.target.Profile.Operations["me"]; ok {
		out = append(out, t.Request("me", from, "", nil))
	}
	if _, ok := t.target.Profile.Operations["login"]; !ok {
		return out // nothing that takes a body from everybody
	}
	login := t.Request("login", from, "", values{"email": "x", "password": "x"})
	login.Body = nil // none of these is a credential
	wrong := login
	wrong.Method, wrong.Body, wrong.Label, wrong.Policy = http.MethodDelete, nil, "wrong method", ""
	big := login
	big.Body, big.Label, big.Policy = bytes.Repeat([]byte(" "), 70<<10), "body of 70 kB", ""
	return append(out, wrong, big)
}

// lockable tells whether an address of the target's may be locked to look at a refusal.
func (t *T) lockable() bool {
	_, login := t.target.Profile.Operations["login"]
	_, limited := t.target.limit("login")
	return t.target.Own && t.target.Source != nil && login && limited
}

func requestIDs(t *T) {
	seen := map[string]string{}
	look := func(a Answer) {
		if a.Status == 0 {
			t.Fail("%v: got %s", a, a.got())
			return
		}
		header, isUUID := t.requestID()
		id := a.Header.Get(header)
		t.Check(id != "" && (!isUUID || uuidForm.MatchString(id)), "%v: %s is %q, want %s", a, header, id, map[bool]string{true: "a UUID", false: "one"}[isUUID])
		t.Check(seen[id] == "" || id == "", "%v: the same id as %s", a, seen[id])
		seen[id] = a.String()
	}
	for _, q := range t.kinds() {
		look(t.Send(q))
	}
	if t.lockable() {
		from, next := t.Address(), t.strangers()
		for range t.Limit("login").Limit + 1 {
			a := t.Guess(from, next())
			if t.read("login", a) == profile.Refused {
				look(a)
				return
			}
		}
	}
	t.Note("a refusal by a limit was not looked at: it takes a target of one's own, and a limit on signing in")
}

func requestIDEchoed(t *T) {
	const id = "probe-0123456789ab"
	q := t.Request("health", t.plain(), "", nil)
	if p := t.promise().RequestIDs; p != nil && !p.Echo {
		t.Skip("that a client's id is kept is not promised (request_ids.echo)")
	}
	header, _ := t.requestID()
	q.Header.Set(header, id)
	a := t.Send(q)
	t.Check(a.Header.Get(header) == id, "%v: sent %s, got %q back", a, id, a.Header.Get(header))
	if t.target.Log == nil {
		t.Note("the log is out of reach, so whether it carries the id was not looked at")
		return
	}
	q.Path = "/vitals-audit-no-such-path"
	q.Label = "unknown path"
	t.Send(q)
	lines := t.logged(id)
	t.Check(len(lines) > 0, "no log line carries the id %s", id)
	for _, line := range lines {
		var m map[string]any
		if json.Unmarshal(line, &m) == nil {
			t.Check(m["request_id"] == id, "a log line has the id elsewhere than in request_id: %s", cut(string(line)))
		}
	}
}

// logged waits for the log's lines that hold a text.
func (t *T) logged(text string) [][]byte {
	for range 20 {
		b, err := t.target.Log()
		if err != nil {
			t.Skip("the log cannot be read: %v", err)
		}
		var out [][]byte
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if bytes.Contains(lines.Bytes(), []byte(text)) {
				out = append(out, bytes.Clone(lines.Bytes()))
			}
		}
		if len(out) > 0 {
			return out
		}
		t.sleep(50 * time.Millisecond)
	}
	return nil
}

func requestIDHostile(t *T) {
	const canary = "vitalsaudit"
	path := t.Operation("health").Path
	header, isUUID := t.requestID()
	log := t.target.Log != nil
	if p := t.promise().RequestIDs; p == nil && !log {
		t.Skip("no request ids are promised, and the log is out of reach")
	}
	for _, hostile := range []struct{ name, lines string }{
		{"5 kB", "X-Request-ID: " + strings.Repeat("a", 5<<10)},
		{"a line folded into a JSON record", "X-Request-ID: a\r\n {\"level\":\"CRITICAL\",\"message\":\"" + canary + "\"}"},
		{"bytes above 127", "X-Request-ID: abcdefgh\xff\xfe\xe9"},
		{"a tab", "X-Request-ID: abcd\tefghij"},
		{"two headers", "X-Request-ID: probe-0123456789ab\r\nX-Request-ID: probe-ba9876543210"},
		{"spaces and quotes", `X-Request-ID: abcdefgh" ,"level":"CRITICAL`},
	} {
		a := t.Raw("GET", path, strings.ReplaceAll(hostile.lines, requestIDHeader+":", header+":"), "", "id of "+hostile.name)
		if a.Status == http.StatusBadRequest || a.Status == http.StatusRequestHeaderFieldsTooLarge {
			t.Check(true, "refused outright") // never reached a log
			continue
		}
		id := a.Header.Get(header)
		if isUUID && (hostile.name != "two headers" || t.guide()) { // of two sound ones either may be taken, but where the guide says more
			on := t
			if hostile.name == "two headers" {
				on = t.By(profile.ProductionGuide)
			}
			on.Check(a.Status == http.StatusOK && uuidForm.MatchString(id), "%v: got %s with id %q, want it replaced by a UUID", a, a.got(), id)
		} else { // whatever the form of an id is, one that breaks a log line is none
			t.Check(a.Status < 500 && len(id) < 1000 && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' || r == '"' }), "%v: got %s with id %q, want it replaced, or no id", a, a.got(), id)
		}
	}
	if !log {
		t.Checked("a hostile request id is not answered with")
		t.For("16.4.1").Missing("the log is out of reach, so its lines were not looked at")
		t.Note("the log is out of reach, so its lines were not looked at")
		return
	}
	b, err := t.target.Log()
	if err != nil {
		t.Skip("the log cannot be read: %v", err)
	}
	t.For("16.4.1").Check(len(b) > 0, "the log is empty")
	for line := range bytes.Lines(b) {
		if bytes.Contains(line, []byte(canary)) {
			t.For("16.4.1").Check(json.Valid(bytes.TrimSpace(line)) && !bytes.Contains(line, []byte(`"message":"`+canary)), "a forged log line: %s", cut(string(line)))
		}
	}
}
