package load

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/redact"
	"vitals/scenarios"
)

// Exchange is one request of a scenario that was sent once, and what came of it.
// Secrets (what the sign-in gave, the password, values of the environment) are taken
// out of its texts.
type Exchange struct {
	Journey, Step string
	Sent          string        // request line, header lines, body
	Got           string        // status, header lines, the beginning of the body; "" = no answer
	Took          time.Duration // until the last byte
	Why           string        // what was not as expected; "" = all was
	Unsent        bool          // it was never sent, for the reason in Why
}

// onceBody is how much of a body is shown.
const onceBody = 2000

// Once sends every task of every journey once, in an order in which what one saves is
// there for the next, and hands each exchange over. It signs in as one account for each
// journey that needs one. An error means that nothing could be sent.
func Once(ctx context.Context, sc *scenarios.Scenario, opt Options, each func(Exchange)) error {
	one := *sc
	one.Load = scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{{Name: "once", From: 1, To: 1, For: time.Second, Judged: true}}, Share: 1, SignIn: scenarios.Inside}
	one.Quick = one.Load
	r, err := newRun(&one, measure.NewRecorder(Steps(&one), one.Load.Phases(), measure.Options{}), opt)
	if err != nil {
		return fmt.Errorf("send scenario %s once: %w", sc.Name, err)
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.requests = ctx
	r.connect()
	defer r.clients.close()
	last := -1 // of those that sign in
	for i := range r.plan.journeys {
		if r.plan.journeys[i].signed {
			last = i
		}
	}
	for i := range r.plan.journeys {
		r.journeyOnce(ctx, uint64(i), &sc.Journeys[i], &r.plan.journeys[i], i == last, each)
	}
	return context.Cause(ctx)
}

func (r *run) journeyOnce(ctx context.Context, n uint64, as *scenarios.Journey, j *journey, last bool, each func(Exchange)) {
	v := r.newVisitor(n)
	v.quiet = true
	v.once = func(s *step, class measure.Class, response time.Duration) {
		each(v.exchange(as.Name, s, class, response))
	}
	defer v.close()
	signed := true
	if r.plan.signIn != nil && j.signed {
		_, signed = v.enter(ctx, j.longest, r.now())
	}
	v.begin(j, scenarios.Hash(r.opt.Seed, n), n)
	done := make([]bool, len(j.tasks))
	for again := signed; again; {
		again = false
		for i := range j.tasks {
			if t := &j.tasks[i]; !done[i] && t.open(v, false) && ctx.Err() == nil {
				done[i], again = true, true
				for k := range t.steps {
					if !v.do(ctx, &t.steps[k], r.now()) {
						v.unsent(as, t.steps[k+1:], fmt.Sprintf("step %q before it went wrong", t.steps[k].name), each)
						break
					}
				}
			}
		}
	}
	for i := range j.tasks {
		switch t := &j.tasks[i]; {
		case done[i]:
		case !signed:
			v.unsent(as, t.steps, "nobody is signed in", each)
		default:
			v.unsent(as, t.steps, "no answer saved "+strings.Join(v.lacks(t), ", "), each)
		}
	}
	if last && v.sess != nil {
		v.sessionOnce(ctx)
	}
}

// sessionOnce renews the session and ends it.
func (v *visitor) sessionOnce(ctx context.Context) {
	if v.r.plan.refresh != nil {
		v.renew(ctx, v.r.now())
	}
	if v.r.plan.signOut != nil {
		v.do(ctx, v.r.plan.signOut, v.r.now())
		v.r.sessions.signedOut(v.sess)
	}
}

// now is the moment, as offsets count.
func (r *run) now() time.Duration { return time.Since(r.origin) }

// lacks are the names that a task waits for.
func (v *visitor) lacks(t *task) (names []string) {
	for _, slot := range t.needs {
		if !v.vars[slot].known {
			names = append(names, "{{"+v.r.plan.names[slot]+"}}")
		}
	}
	return names
}

func (v *visitor) unsent(as *scenarios.Journey, steps []step, why string, each func(Exchange)) {
	for i := range steps {
		each(Exchange{Journey: as.Name, Step: steps[i].name, Why: why, Unsent: true})
	}
}

// exchange is the last call in words.
func (v *visitor) exchange(journey string, s *step, class measure.Class, response time.Duration) Exchange {
	c, secrets := &v.call, v.secrets()
	x := Exchange{Journey: journey, Step: s.name, Took: response}
	host := ""
	if c.Host != "" { // another than the address that it is sent to
		host = "Host: " + c.Host + "\n"
	}
	x.Sent = redactAll(string(c.Method)+" "+string(c.Path)+"\n"+host+headerText(c.Lines), secrets) + bodyText(c.Body, secrets)
	if c.Code != 0 {
		body := bodyText(v.answer(), secrets)
		if s == v.r.plan.signIn || s == v.r.plan.refresh { // what opens a session may stand where nobody has said yet
			body = tokenLike.ReplaceAllString(body, `$1"`+redact.Mark+`"`)
		}
		x.Got = redactAll(fmt.Sprintf("%d\n", c.Code)+headerText(c.Head), secrets) + body
	}
	if class != measure.None {
		if x.Why = redactKnown(v.why(s, class, response), secrets); x.Why == "" {
			x.Why = class.String()
		}
	}
	return x
}

// headerText is header lines for a person; cookies and credentials are named only.
func headerText(head []byte) string {
	var b strings.Builder
	for line := range bytes.Lines(head) {
		text := strings.TrimRight(string(line), "\r\n")
		name, _, _ := strings.Cut(text, ":")
		if name == "" {
			continue
		}
		if hidden.MatchString(name) {
			text = name + ": " + redact.Mark
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// bodyText is the beginning of a body, as text. Secrets are taken out before it is cut:
// the beginning of one would not be known as such.
func bodyText(body []byte, secrets []string) string {
	if len(body) == 0 {
		return ""
	}
	begin := redactAll(string(body[:min(len(body), onceBody+looked)]), secrets)
	more := ""
	if len(body) > onceBody {
		begin, more = begin[:min(len(begin), onceBody)], fmt.Sprintf("… and %d bytes more", len(body)-onceBody)
	}
	return "\n" + strings.ToValidUTF8(begin, "\uFFFD") + more + "\n"
}
