package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/scenarios"
	"vitals/targets"
)

// hostile sends what intruders send: requests by a client of the load's kind,
// and bytes on bare connections.
type hostile struct {
	*load.Client
	o    *outing
	base *url.URL
}

func (o *outing) newHostile(base *url.URL) *hostile {
	h := &hostile{load.NewClient(base, o.st.Forward, o.sc.Timeout), o, base}
	h.Watch(o.see)
	return h
}

// Open opens a connection from an address, and gives the lines that name the
// host and, where this driver is a trusted proxy, the address. What is sent on
// it is one request at the most that the server may have counted: a sign-in
// without a whole answer, in our books.
func (h *hostile) Open(ctx context.Context, from netip.Addr) (net.Conn, string, error) {
	h.o.book(&load.Seen{Method: h.o.sc.Accounts.SignIn.Method, Route: h.o.sc.Accounts.SignIn.Path, Class: measure.Body})
	d := net.Dialer{Timeout: 10 * time.Second}
	lines := "Host: " + h.base.Host + "\r\n"
	switch {
	case h.o.st.Forward:
		lines += "X-Forwarded-For: " + from.String() + "\r\n"
	case from.IsValid():
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	port := h.base.Port()
	if h.base.Scheme == "https" {
		t := tls.Dialer{NetDialer: &d, Config: &tls.Config{MinVersion: tls.VersionTLS12}}
		conn, err := t.DialContext(ctx, "tcp", net.JoinHostPort(h.base.Hostname(), cmp.Or(port, "443")))
		return conn, lines, err
	}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(h.base.Hostname(), cmp.Or(port, "80")))
	return conn, lines, err
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
