package load

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// visitor carries out tasks, one at a time: it fills requests in, sends them,
// checks and records what comes back, and stays signed in. It belongs to one
// goroutine at a time, so nothing in it is locked, and everything is used again,
// so that a request makes no garbage.
type visitor struct {
	r     *run
	n     uint64 // of the user or arrival it stands for
	from  netip.Addr
	call  wire.Call
	vars  []variable
	sess  *session
	seen  int // version of the session's values
	shard *measure.Shard
	slow  slowest
	wrong firstFailures
	pcg   rand.PCG
	gen   generatorState
	once  func(*step, measure.Class, time.Duration) // told of every exchange while it can be looked at; nil = nobody asks
	quiet bool                                      // signs in before the measured window: nothing is recorded
	away  bool                                      // its last sign-in was not as expected

	account string         // who it is signed in as, or was last; "" = nobody
	told    wire.Seen      // used again for each
	jar     *cookiejar.Jar // nil = cookies are not kept
	cookies [][]byte       // values that were sent or kept: secrets
	address url.URL        // of the last request, for the jar

	class      measure.Class // of the last step
	unpacked   bool          // the answer at hand is as the server meant it
	cut        bool          // and only its beginning
	unreadable error         // why it could not be unpacked
	spare      []byte        // for the next to be unpacked

	path, lines, body, scratch, trace []byte
}

func (r *run) newVisitor(id uint64) *visitor {
	v := &visitor{r: r, vars: make([]variable, len(r.plan.names)), shard: r.rec.Shard()}
	v.gen = generatorState{rng: rand.New(&v.pcg), now: time.Now}
	for slot, value := range r.plan.fixed {
		v.vars[slot].set([]byte(value))
	}
	v.empty()
	v.place(id)
	return v
}

// place gives the visitor the server and the source address of user or arrival n.
func (v *visitor) place(n uint64) {
	v.n = n
	if v.r.opt.Source == nil {
		return
	}
	v.from = v.r.opt.Source(n)
	if !v.r.opt.Forward {
		v.call.From = v.from
	}
}

// close gives back what the visitor holds.
func (v *visitor) close() {
	if v.sess != nil {
		v.r.sessions.leave(v.sess)
		v.sess = nil
	}
	v.shard.Close()
}

// forget drops what earlier visits saved.
func (v *visitor) forget() {
	for _, slot := range v.r.plan.saved {
		v.vars[slot].known = false
	}
	if v.sess == nil {
		v.empty()
	}
}

// begin makes the visitor ready for visit n: what it draws comes from the seed
// and n alone.
func (v *visitor) begin(j *journey, key, n uint64) {
	v.gen.n = n
	v.pcg.Seed(key, n)
	if j.feed != nil && len(j.feed.rows) > 0 {
		i := n
		if j.feed.random {
			i = v.pcg.Uint64()
		}
		for k, value := range j.feed.rows[i%uint64(len(j.feed.rows))] {
			v.vars[j.feed.slots[k]].set(value)
		}
	}
}

// draw picks a task by weight among those whose first step can be filled in; nil
// when there is none. fresh leaves out what earlier visits saved, so that the
// choice depends on the key alone.
func (v *visitor) draw(j *journey, key uint64, fresh bool) *task {
	total := 0
	for i := range j.tasks {
		if j.tasks[i].open(v, fresh) {
			total += j.tasks[i].weight
		}
	}
	if total == 0 {
		return nil
	}
	at := int(key % uint64(total))
	for i := range j.tasks {
		if !j.tasks[i].open(v, fresh) {
			continue
		}
		if at -= j.tasks[i].weight; at < 0 {
			return &j.tasks[i]
		}
	}
	return nil
}

// open reports whether the task can be drawn; a nil visitor knows nothing.
func (t *task) open(v *visitor, fresh bool) bool {
	return len(t.needs) == 0 || !fresh && v.knows(t.needs)
}

func (v *visitor) knows(slots []int) bool {
	for _, s := range slots {
		if !v.vars[s].known {
			return false
		}
	}
	return true
}

// visit carries out one task of the journey, due at the given offset, and returns
// which, and when it ended. A later step is due when the one before it ended; a
// step that goes wrong ends the task.
func (v *visitor) visit(ctx context.Context, j *journey, key uint64, fresh bool, due time.Duration) (*task, time.Duration) {
	signed := true
	if v.r.plan.signIn != nil && j.signed {
		due, signed = v.enter(ctx, j.longest, due)
	}
	t := v.draw(j, key, fresh)
	sent := 0
	switch {
	case t == nil:
	case !signed:
		v.r.sessionless.Add(1) // before it is counted: never fewer than dropped for this
		v.r.lost(t.steps[0].index, due, measure.Counts{Planned: 1, Dropped: 1})
		if v.away {
			v.r.away.Add(1)
		}
	default:
		for ok := true; ok && sent < len(t.steps); sent++ {
			ok = v.do(ctx, &t.steps[sent], due)
			due = v.call.Done
		}
	}
	if v.sess != nil && signed && j.signed {
		v.r.sessions.refund(v.sess, j.longest-sent)
	}
	return t, due
}

// do carries out one step and reports whether all went as expected.
func (v *visitor) do(ctx context.Context, s *step, due time.Duration) bool {
	v.fill(s)
	v.send(ctx, &v.call)
	v.tell(s)
	v.keepCookies(s)
	class := v.judge(s, v.call.Done-due)
	v.class = class
	if v.once != nil {
		v.once(s, class, v.call.Done-due)
	}
	for _, slot := range s.forget {
		v.vars[slot].known = false
	}
	v.turned(s, class)
	if !v.quiet {
		v.record(s, due, class)
	}
	v.r.watch.saw(&v.call)
	return class == measure.None
}

// judge holds the answer against what the step expects, and takes out of it what
// the step saves.
func (v *visitor) judge(s *step, response time.Duration) measure.Class {
	c := &v.call
	v.unpacked, v.cut, v.unreadable = false, false, nil
	switch {
	case c.Class != measure.None:
		return c.Class
	case !s.expect.good(c.Code):
		return measure.BadStatus
	}
	if s.looks {
		var plain []byte
		if plain, v.cut, v.unreadable = wire.Unpack(c, v.spare); v.unreadable != nil {
			return measure.Encoding
		}
		if len(plain) > 0 && &plain[0] != &c.Answer[0] {
			v.spare, c.Answer = c.Answer, plain // each buffer is used again as the other
		}
		v.unpacked = true
	}
	if what, wrong := s.expect.check(c, v.vars, &v.scratch); wrong {
		return v.tooLong(what.header == nil, measure.BadCheck)
	}
	if s.expect.most > 0 && response > s.expect.most {
		return measure.BadCheck
	}
	class := measure.None
	for i := range s.captures { // all of them: an absent value forgets the old one
		if k := &s.captures[i]; !k.take(c, v.vars, v.gen.rng.IntN) && class == measure.None {
			class = v.tooLong(k.reads(), measure.BadCapture)
		}
	}
	return class
}

// tooLong is the class of what was not found in a body of which only the beginning
// was looked at: it may well be in the rest.
func (v *visitor) tooLong(inBody bool, class measure.Class) measure.Class {
	if inBody && v.cut {
		return measure.TooLong
	}
	return class
}

func (v *visitor) send(ctx context.Context, c *wire.Call) { v.r.clients.of(v.n).Do(ctx, c) }

// tell hands an exchange of the visitor over to who watches.
func (v *visitor) tell(s *step) {
	if v.r.opt.Seen == nil {
		return
	}
	c, x, route := &v.call, &v.told, s.route
	if route == "" { // it followed an answer
		at, _, _ := bytes.Cut(v.path, []byte("?"))
		route = string(v.hide(at)) // an answer said it
	}
	*x = wire.Seen{
		Step: s.name, Method: s.method, Route: route, From: v.from, Status: c.Code, Class: c.Class,
		Signed: s.signed || !s.anonymous && (v.vars[slotToken].known || v.jar != nil && v.sess != nil), Unsure: s.unsure,
		Sent: v.r.origin.Add(c.Began), Done: v.r.origin.Add(c.Done),
	}
	switch {
	case s == v.r.plan.signIn:
		x.User = v.account
	case x.Signed && !s.signed && !v.r.plan.ownTokens:
		x.User = v.account
	}
	x.Read(c.Head)
	x.ID, x.Counted, x.Unread = v.hide(x.ID), v.hide(x.Counted), v.hide(x.Unread)
	v.r.opt.Seen(x)
}

// fill makes the request.
func (v *visitor) fill(s *step) {
	c := &v.call
	v.path = s.path.fill(v.path[:0], v.vars, &v.gen, inPath)
	v.lines = s.lines.fill(v.lines[:0], v.vars, &v.gen, wire.InHeader)
	v.body = s.body.fill(v.body[:0], v.vars, &v.gen, s.escape)
	if token := &v.vars[slotToken]; !s.anonymous && !s.signed && token.known {
		v.lines = append(v.lines, "Authorization: Bearer "...)
		v.lines = wire.InHeader(v.lines, token.value)
		v.lines = append(v.lines, '\r', '\n')
	}
	v.sendCookies(s)
	if v.r.opt.Forward && v.from.IsValid() && !s.forwarded {
		v.lines = append(v.lines, "X-Forwarded-For: "...)
		v.lines = v.from.AppendTo(v.lines)
		v.lines = append(v.lines, '\r', '\n')
	}
	v.trace = v.trace[:0]
	if !s.traced {
		v.lines = v.r.trace.line(v.lines)
		v.trace = append(v.trace, traceID(v.lines)...)
	}
	v.lines = append(v.lines, s.baggage...)
	if c.Host = s.hostText; s.host != nil {
		c.Host = string(s.host.fill(nil, v.vars, &v.gen, wire.InHeader))
	}
	c.Method, c.Path, c.Lines, c.Body, c.Timeout, c.Keep = s.method, v.path, v.lines, v.body, s.timeout, s.keep
}

// record hands the exchange over.
func (v *visitor) record(s *step, due time.Duration, class measure.Class) {
	c := &v.call
	sample := measure.Sample{
		Step: s.index, Due: due, Sent: c.Began, Done: c.Done, Code: c.Code, Bytes: c.Bytes,
		Outcome: v.r.outcome(c, class), OK: class == measure.None, Planned: true, Class: class,
	}
	// The recorder keeps few requests whole; only what it may keep is worth a string.
	wrong := !sample.OK && v.wrong.admits(s.index, class)
	if v.slow.admits(sample.Response()) || wrong {
		if id, ok := c.Header("X-Request-ID"); ok {
			sample.RequestID = string(v.hide(id))
		}
		sample.TraceID = string(v.trace)
	}
	if wrong {
		sample.Detail = v.detail(s, class, sample.Response())
	}
	v.shard.Record(&sample)
	v.r.sent()
}

// slowest are the longest responses of one visitor. The slowest of the run are
// among those of its visitors, so nothing that is kept lacks its request ID.
type slowest struct {
	top [10]time.Duration // ascending
}

func (s *slowest) admits(d time.Duration) bool {
	if d <= s.top[0] {
		return false
	}
	i := 0
	for ; i+1 < len(s.top) && s.top[i+1] < d; i++ {
		s.top[i] = s.top[i+1]
	}
	s.top[i] = d
	return true
}
