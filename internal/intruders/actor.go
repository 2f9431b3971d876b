package intruders

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"vitals/internal/measure"
	"vitals/internal/redact"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// actor is one address of one intruder, and what all kinds have in common.
type actor struct {
	*Group
	in         scenarios.Intruder
	spans      []scenarios.Span // when it works
	load       context.Context  // ends with the load
	victim     Victim
	own, other netip.Addr
	login      judge
	lost       int      // answers in a row that proved nothing
	locked     bool     // its address has had its limit judged: a refusal is the lock's, however short the wait
	lock       lockout  // of its address, under the limit that it tries
	known      []string // tokens that it was given: what repeats one is not kept
	seen       Attack
}

func (m maker) actor() actor {
	a := actor{Group: m.g, in: m.in, spans: m.in.Hours(m.g.Load), seen: Attack{Intruder: m.in.Name, Kind: m.in.Kind}}
	a.login = m.g.judge(m.in, login, m.g.policy(login))
	a.seen.Promised = a.login.Limit.Limit
	return a
}

func (a *actor) base() *actor            { return a }
func (a *actor) prepare(context.Context) {}

// attack is what it saw.
func (a *actor) attack() Attack {
	a.seen.From = a.own
	return a.seen
}

// patience is how many answers in a row without a judgement (503, a broken
// connection) an actor takes before it gives up: they are the server's trouble, not
// the lockout's, and prove nothing either way. A server that sheds load asks for a
// second's pause (Retry-After), and a stress run lasts a while. Once it has given
// up, whatever else it wanted to know is asked once.
const patience = 30

// pause is between an answer without a judgement and the next try.
const pause = 500 * time.Millisecond

// turn waits until the intruder may begin something; false when its time is
// over. One whose end nobody has set is brought to its own end.
func (a *actor) turn(ctx context.Context) bool {
	for i, h := range a.spans {
		now := time.Since(a.began)
		last := i == len(a.spans)-1
		if now >= h.To && !(last && a.in.For == 0 && a.in.During == "") {
			continue
		}
		if now < h.From && !a.wait(a.load, h.From-now) {
			return false
		}
		return ctx.Err() == nil
	}
	return false
}

// insist repeats a request until its answer proves something, and records each try
// under a step. due are the readings that are as they should be.
func (a *actor) insist(ctx context.Context, step string, q wire.Request, j judge, due ...reading) (wire.Answer, reading) {
	return a.settle(ctx, q, j, func(ans wire.Answer, r reading) { a.record(step, ans, j, slices.Contains(due, r)) })
}

// ask is insist for what is not recorded.
func (a *actor) ask(ctx context.Context, q wire.Request, j judge) (wire.Answer, reading) {
	return a.settle(ctx, q, j, func(wire.Answer, reading) {})
}

func (a *actor) settle(ctx context.Context, q wire.Request, j judge, note func(wire.Answer, reading)) (wire.Answer, reading) {
	for {
		ans, r := a.send(ctx, q, j)
		note(ans, r)
		if r != nothing || a.lost >= patience || !a.wait(ctx, pause) {
			return ans, r
		}
		a.seen.Lost++
	}
}

// send sends a request and reads its answer; one that is a server's error, or that
// nobody declared, is counted.
func (a *actor) send(ctx context.Context, q wire.Request, j judge) (wire.Answer, reading) {
	ans, _ := a.s.Send(ctx, q) // trouble is in the answer
	return ans, a.read(ans, j)
}

func (a *actor) read(ans wire.Answer, j judge) reading {
	r := j.read(ans)
	if r == nothing && j.refuses(ans) && (a.locked || a.sameLock(ans)) {
		r = refused
	}
	a.lost++
	switch r {
	case nothing:
		if j.broke(ans) {
			a.seen.Wrong++
		}
		if a.lost >= puzzling {
			a.seen.silence = silence(ans)
		}
		return r
	case unknown:
		if a.seen.Unknown == nil {
			a.seen.Unknown = map[int]int{}
		}
		a.seen.Unknown[ans.Status]++
		a.seen.undeclared = j.undeclared(a.seen.Unknown)
	case refused:
		wait, told := retryAfter(ans)
		a.seen.Turned++
		switch unread := ans.Header.Get("Retry-After"); {
		case told && wait == 0:
			a.seen.NoWait++
		case !told && unread != "":
			a.seen.Unread, a.seen.Unreadable = a.seen.Unread+1, cmp.Or(a.seen.Unreadable, unread)
		}
		a.seen.RetryAfter = max(a.seen.RetryAfter, wait)
	}
	a.lost = 0
	return r
}

// silence says why an answer judges nothing.
func silence(ans wire.Answer) string {
	switch ans.Class {
	case measure.None:
		return fmt.Sprintf("status %d", ans.Status)
	case measure.ResetNew, measure.ResetReused:
		return "the connection was closed"
	case measure.TimeoutAnswer:
		return "no answer came in time"
	}
	return ans.Class.String()
}

// sameLock tells whether a refusal announces the end that the lock has: it is no
// queue's then, though it comes from elsewhere.
func (a *actor) sameLock(ans wire.Answer) bool {
	wait, told := retryAfter(ans)
	off := ans.Sent.Add(wait - time.Second).Sub(a.lock.until)
	return told && !a.lock.until.IsZero() && off.Abs() <= time.Second
}

func (a *actor) record(step string, ans wire.Answer, j judge, ok bool) {
	s := measure.Sample{
		Step: a.index[step], Code: ans.Status, OK: ok, Class: ans.Class, Bytes: ans.Bytes,
		Due: ans.Sent.Sub(a.began), Sent: ans.Sent.Sub(a.began), Done: ans.Done.Sub(a.began),
		RequestID: requestID(ans, append(slices.Clone(a.known), a.victim.Password)...),
	}
	if !ok && ans.Status > 0 {
		s.Detail = &measure.Detail{Why: fmt.Sprintf("want %s, got %d", j.due(step), ans.Status)}
		if j.unsaid && ans.Status == j.OK {
			s.Detail.Why = fmt.Sprintf("got %d, which the scenario expects of a right credential, and many answer to a wrong one: nobody says", ans.Status)
		}
	}
	classified(&s, j.refuses(ans))
	a.seen.at(&s)
	a.Record(&s)
}

// requestID is the answer's, without the secrets that a server may repeat in it, such as
// the cookies that it sets.
func requestID(ans wire.Answer, secrets ...string) string {
	id := ans.Header.Get("X-Request-ID")
	for _, secret := range append(secrets, redact.SetCookies(ans.Header["Set-Cookie"])...) {
		if secret != "" && redact.May([]byte(id), []byte(secret)) {
			id = redact.New(secret).Hide(id)
		}
	}
	return id
}

// classified sets a sample's outcome: refused and served never share one.
func classified(s *measure.Sample, refused bool) {
	switch {
	case refused:
		s.Outcome = measure.Refused
	case s.OK:
		s.Outcome = measure.Served
	case s.Class == measure.None:
		s.Class = measure.BadStatus
	}
}

// fail says why this attack shows nothing; the first reason counts.
func (a *actor) fail(format string, args ...any) {
	if a.seen.Trouble == "" {
		a.seen.Trouble = fmt.Sprintf(format, args...)
	}
}

// spare is another account in place of one that an earlier run, or somebody else, has
// left refused; false when there is none.
func (a *actor) spare() (Victim, bool) {
	if a.Spare == nil {
		return Victim{}, false
	}
	return a.Spare()
}

// reach signs a victim in from where they live, or else a spare one: who it was, and
// what came of it.
func (a *actor) reach(ctx context.Context, home netip.Addr, v Victim) (Victim, wire.Answer, reading) {
	for {
		ans, r := a.ask(ctx, a.signIn(home, v.Email, v.Password), a.login)
		if r != refused {
			return v, ans, r
		}
		next, ok := a.spare()
		if !ok {
			return v, ans, r
		}
		v = next
	}
}

// complete tells that the attack has come to its end, unless something spoke
// against what it saw.
func (a *actor) complete(ctx context.Context, shown bool) {
	if a.seen.undeclared != "" {
		a.fail("%s", a.seen.undeclared)
		return
	}
	a.seen.Complete = ctx.Err() == nil && shown
}

func (a *actor) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// let counts a right credential that was not refused while it was to be: it was let in, or
// got an error in disguise.
func (a *actor) let(j judge, ans wire.Answer) {
	a.seen.Knowing++
	if ans.Status/100 != 2 || j.opens == nil || j.opens(ans) {
		a.seen.Leaked++
	} else {
		a.seen.Veiled++
		a.seen.Wrong++
	}
}

// judged counts a wrong credential that no limit refused. One that was answered
// as a right one was let in, or, with a 2xx, got an error in disguise where it is known
// what would let it in.
func (a *actor) judged(j judge, ans wire.Answer, r reading) {
	a.seen.Judged++
	switch {
	case r != granted:
	case ans.Status/100 != 2 || j.opens == nil || j.opens(ans):
		a.seen.Granted++
		if j.sure {
			a.seen.Sure++
		}
	default:
		a.seen.Disguised++
		a.seen.Wrong++
	}
}
