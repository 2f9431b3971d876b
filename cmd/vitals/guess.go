package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"vitals/intruders"
	"vitals/load"
	"vitals/measure"
	"vitals/scenarios"
	"vitals/stack"
	"vitals/targets"
)

// guesser sends intruders' sign-ins the way honest users send theirs: the
// scenario's own sign-in step, with other credentials.
type guesser struct {
	client *load.Client
	step   scenarios.Step
	began  time.Time

	mu     sync.Mutex
	worked map[netip.Addr]span // when each address was at work
}

// span is a time of a run, as offsets from its start.
type span struct{ first, last time.Duration }

func (o *outing) newGuesser(base *url.URL, began time.Time) *guesser {
	g := &guesser{client: load.NewClient(base, o.st.Forward, o.sc.Timeout), step: o.sc.Accounts.SignIn, began: began, worked: map[netip.Addr]span{}}
	g.client.Watch(o.see)
	return g
}

// SignIn sends one guess; trouble on the wire is in the answer's class.
func (g *guesser) SignIn(ctx context.Context, guess intruders.Guess) intruders.Answer {
	if err := ctx.Err(); err != nil { // an open connection would be used all the same
		now := time.Now()
		return intruders.Answer{Sent: now, Done: now, Class: measure.Cancelled}
	}
	a, _ := g.client.Send(ctx, g.request(guess))
	return g.answer(guess.From, a)
}

// SignInAtOnce releases all guesses at one barrier.
func (g *guesser) SignInAtOnce(ctx context.Context, guesses []intruders.Guess) ([]intruders.Answer, time.Duration, error) {
	requests := make([]load.Request, len(guesses))
	for i, guess := range guesses {
		requests[i] = g.request(guess)
	}
	as, spread, err := g.client.Burst(ctx, requests)
	out := make([]intruders.Answer, len(as))
	for i, a := range as {
		out[i] = g.answer(guesses[i].From, a)
	}
	return out, spread, err
}

func (g *guesser) request(guess intruders.Guess) load.Request {
	with := func(escape func(string) string) *strings.Replacer {
		return strings.NewReplacer("{{email}}", escape(guess.Email), "{{password}}", escape(guess.Password))
	}
	header := map[string]string{"Content-Type": "application/json"}
	for name, value := range g.step.Header {
		header[name] = value
	}
	body := with(inJSON)
	if header["Content-Type"] != "application/json" {
		body = with(url.QueryEscape) // a form
	}
	return load.Request{
		Method: g.step.Method, Path: with(url.PathEscape).Replace(g.step.Path), Header: header,
		Body: []byte(body.Replace(g.step.Body)), From: guess.From,
	}
}

// inJSON is s as it stands inside a JSON string.
func inJSON(s string) string {
	b, _ := json.Marshal(s) // a string cannot fail
	return string(b[1 : len(b)-1])
}

func (g *guesser) answer(from netip.Addr, a load.Answer) intruders.Answer {
	g.mu.Lock()
	w, ok := g.worked[from]
	if sent := a.Sent.Sub(g.began); !ok || sent < w.first {
		w.first = sent
	}
	w.last = max(w.last, a.Done.Sub(g.began))
	g.worked[from] = w
	g.mu.Unlock()
	return intruders.Answer{Sent: a.Sent, Done: a.Done, Code: a.Status, Header: a.Header, Class: a.Class}
}

// honest are the accounts that honest users sign in as.
func honest(accounts []stack.Account) []load.Account {
	out := make([]load.Account, len(accounts))
	for i, a := range accounts {
		out[i] = load.Account(a)
	}
	return out
}

// neighbours is how many client addresses honest users come from: several
// users behind each, as at a clinic, and one pool of connections for each.
const neighbours = 16

// homes gives honest users their addresses; nil where all share one.
func homes(source func(uint64) netip.Addr) func(uint64) netip.Addr {
	if source == nil {
		return nil
	}
	return func(n uint64) netip.Addr { return source(n % neighbours) }
}

// abort asks the scenario's abort rules whether the run may go on.
func abort(sc *scenarios.Scenario) func(measure.Snapshot) string {
	return func(s measure.Snapshot) string {
		for _, rule := range sc.Abort {
			if ended, note := targets.Tripped(rule, s); ended {
				return note
			}
		}
		return ""
	}
}
