package audit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

func lockoutBypass() []Probe {
	return []Probe{
		{
			ID: "LK17", Title: "forged address headers do not shake the lock off", Guide: "production-guide:156", Class: Intrusive, run: forgedAddresses,
			Why: "Whoever believes the leftmost X-Forwarded-For gives every guess an address of its own.",
			Fix: "Take the header only from a trusted proxy's own connection, from the right, in the one header it writes.",
		},
		{
			ID: "LK20", Title: "spellings of the path share one count", Guide: "production-guide:156", Class: Intrusive, run: spellings,
			Why: "A limiter on the raw path counts /login, //login and /%6cogin each on its own.",
			Fix: "Key limits on the route that will serve the request, found once.",
		},
		{
			ID: "LK25", Title: "malformed sign-ins and preflights neither count as failures nor come free", Guide: "production-guide:156", Class: Intrusive, run: malformed,
			Why: "Failures that are not about a credential lock honest clients out; requests that cost nothing are for flooding.",
			Fix: "Refuse by form before the limiter takes a place, and count the refusal against the general quota; never count preflights.",
		},
		{
			ID: "LK27", Title: "hanging up is no refund", Guide: "production-guide:155", Class: Intrusive, run: hangingUp,
			Why: "A guess whose answer is not waited for still tells by its side effects; if it is not counted, guessing is free.",
			Fix: "Finish and record the verification whatever the client does.",
		},
	}
}

// addressHeaders are what proxies write, and what attackers write in their name.
var addressHeaders = []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP"}

func forgedAddresses(t *T) {
	if t.target.Forward {
		if t.run.o.Owner == nil {
			t.Skip("this driver is a trusted proxy of the target, so nothing it sends is forged; LK18 looks at what a proxy is believed")
		}
		t.Note("this driver is a trusted proxy of the target: this is an API of its own that trusts nobody")
		t, _ = t.Launch(Launch{Postgres: true, Redis: true})
	}
	from, email, limit := t.Address(), unknownAccount(), t.Limit("login").Limit
	judged := 0
	for i := range 3 * limit {
		q := t.Login(from, email, wrongPassword())
		q.Label = "wrong password, forged addresses"
		for _, name := range addressHeaders {
			v := fmt.Sprintf("203.0.113.%d", i+1)
			if name == "Forwarded" {
				v = "for=" + v
			}
			q.Header.Set(name, v)
		}
		a := t.Send(q)
		if t.read("login", a) == profile.Refused {
			if judged == t.run.where(t.target) {
				t.counts("login", false, "%v: refused after %d, want %d", a, judged, limit)
			} else {
				t.Check(judged == limit, "%v: refused after %d, want %d", a, judged, limit)
			}
			return
		}
		if !t.WantWrong("login", a) {
			return
		}
		judged++
	}
	t.Fail("%d wrong sign-ins with forged address headers were judged, want %d", judged, limit)
}

func spellings(t *T) {
	from, email, limit := t.Address(), unknownAccount(), t.Limit("login").Limit
	wrong := t.judge("login").Wrong
	base := t.Login(from, email, wrongPassword())
	last := base.Path[strings.LastIndexByte(base.Path, '/')+1:]
	prefix := strings.TrimSuffix(base.Path, last)
	variants := []func(i int, q *Request){
		func(_ int, q *Request) { q.Path += "/" },
		func(_ int, q *Request) { q.Path = "/" + q.Path },
		func(_ int, q *Request) { q.Path = prefix + fmt.Sprintf("%%%02x", last[0]) + last[1:] },
		func(_ int, q *Request) { q.Path = prefix + strings.ToUpper(last) },
		func(i int, q *Request) { q.Path += fmt.Sprintf("?x=%d", i) },
		func(_ int, q *Request) { q.Path = prefix + "./" + last },
		func(_ int, q *Request) { q.Path = prefix + last + ";a=b" },
		func(i int, q *Request) { q.Body = extraField(q.Body, i) },
		func(_ int, q *Request) { q.Method = http.MethodHead },
		func(int, *Request) {},
	}
	judged := 0
	var shown []string
	for i := range 4 * len(variants) {
		q := t.Login(from, email, wrongPassword())
		variants[i%len(variants)](i, &q)
		q.Label = q.Method + " " + q.Path
		if a := t.Send(q); slices.Contains(wrong, a.Status) {
			judged++
			shown = append(shown, q.Label)
		}
	}
	t.Check(judged <= limit, "%d wrong sign-ins were judged by mixing spellings, want at most %d: %s", judged, limit, strings.Join(shown, ", "))
	for judged < limit {
		if !t.WantWrong("login", t.Guess(from, email)) {
			return
		}
		judged++
	}
	t.WantRefused("login", t.Guess(from, email))
}

// extraField adds a field to a JSON body.
func extraField(body []byte, i int) []byte {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return body
	}
	m["extra"] = i
	b, _ := json.Marshal(m) // it came from JSON
	return b
}

func malformed(t *T) {
	const many = 20
	from, login := t.Address(), t.judge("login")
	form := []int{http.StatusBadRequest, http.StatusUnprocessableEntity} // of a wrong form, whatever a wrong password is answered
	for range many {
		q := t.Login(from, "x", "x")
		q.Body, q.Policy, q.Label = []byte(`{"email":`), "api", "malformed sign-in"
		a := t.Send(q)
		if !t.Check(a.Status >= 400 && a.Status < 500 && (slices.Contains(form, a.Status) || !slices.Contains(login.Wrong, a.Status)) && !login.Refuses(a.Status, a.RetryAfter() >= 0), "%v: got %s, want a refusal of its form", a, a.got()) {
			return
		}
	}
	for range many {
		q := t.Login(from, "x", "x")
		q.Method, q.Body, q.Policy, q.Label = http.MethodOptions, nil, "", "preflight"
		q.Header = http.Header{"Origin": {"https://audit.example"}, "Access-Control-Request-Method": {"POST"}}
		if origin := t.target.origin(); origin != "" {
			q.Header.Set("Origin", origin)
		}
		t.Send(q)
	}
	for range t.Limit("login").Limit {
		if !t.WantWrong("login", t.Guess(from, unknownAccount())) {
			return
		}
	}
	limit, ok := t.target.limit("api")
	if !ok || t.target.Settings["CORS_DISABLE"] == "true" {
		t.Note("what the preflights cost was not looked at: there is no general limit, or CORS is off and they are requests like any other")
		return
	}
	a := t.Do("me", from, "", nil)
	t.Check(a.Remaining() == limit.Limit-many-1, "%v: %d left of %d after %d malformed sign-ins, %d preflights and one call, want %d", a, a.Remaining(), limit.Limit, many, many, limit.Limit-many-1)
}

func hangingUp(t *T) {
	from, email, limit := t.Address(), unknownAccount(), t.Limit("login").Limit
	other := t.plain()
	alone := t.Guess(other, unknownAccount())
	if !t.WantWrong("login", alone) {
		return
	}
	// Long enough for the attempt to begin, too short for it to be answered.
	pause := max(2*time.Millisecond, alone.Done.Sub(alone.Sent)*2/3)
	for range limit + 1 {
		t.hangUp(t.Login(from, email, wrongPassword()), pause)
		t.sleep(pause)
	}
	t.sleep(4 * pause)
	a := t.Guess(from, email)
	t.Check(t.read("login", a) == profile.Refused, "%v: after %d sign-ins whose client hung up: got %s, want %s", a, limit+1, a.got(), profile.Statuses(t.judge("login").Refused))
}

// hangUp sends a request whole and closes the connection without reading.
func (t *T) hangUp(q Request, pause time.Duration) {
	a := wire.Answer{Sent: time.Now()}
	conn, lines, err := t.client().Open(t.ctx, q.From)
	if err == nil {
		text := fmt.Sprintf("%s %s%s HTTP/1.1\r\n%sContent-Length: %d\r\n", q.Method, wire.Prefix(t.target.URL), q.Path, lines, len(q.Body))
		for name, vs := range q.Header {
			for _, v := range vs {
				text += name + ": " + v + "\r\n"
			}
		}
		_, err = conn.Write(append([]byte(text+"\r\n"), q.Body...))
		t.sleep(pause)
		_ = conn.Close() // what this probe is about
	}
	a.Done, a.Err = time.Now(), err
	q.Label = "sign-in, hung up"
	t.record(q, a)
	t.run.see(t.target, &wire.Seen{Step: q.Label, From: q.From, User: q.User, Policy: q.Policy, Sent: a.Sent, Done: a.Done, Limit: -1, Remaining: -1, RetryAfter: -1})
}
