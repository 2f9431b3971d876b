package main

import (
	"context"
	"net"
	"net/netip"
	"net/url"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/scenarios"
	"vitals/targets"
)

// hostile sends what intruders send: requests by a client of the load's kind,
// and bytes on bare connections.
type hostile struct {
	*wire.Client
	o *outing
}

func (o *outing) newHostile(base *url.URL) *hostile {
	h := &hostile{wire.NewClient(base, o.st.Forward, o.sc.Timeout), o}
	h.Watch(o.see)
	return h
}

// Open is the client's. What is sent on the connection is one request at the most
// that the server may have counted: a sign-in without a whole answer, in our counts.
func (h *hostile) Open(ctx context.Context, from netip.Addr) (net.Conn, string, error) {
	h.o.book(&wire.Seen{Method: h.o.sc.Accounts.SignIn.Method, Route: h.o.sc.Accounts.SignIn.Path, Class: measure.Body})
	return h.Client.Open(ctx, from)
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
