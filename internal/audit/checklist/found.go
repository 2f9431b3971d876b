package checklist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"vitals/internal/audit"
	"vitals/internal/discover"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
)

// found is a deployment that is already there. Safe probes may go to any host;
// more than that only to the user's own.
func found(ctx context.Context, o Options, p plan) (*audit.Target, error) {
	mine := slices.Contains(o.Own, p.url.Hostname())
	st, err := stack.External{
		URL: p.url, Metrics: p.metrics, Accounts: p.accounts, Own: []string{p.url.Hostname()}, // its health is asked, which is safe anywhere
		AllowProduction: o.AllowProduction || p.class == audit.Safe, Health: harness.HealthRequest(p.profile, p.url), Forward: o.Forward, Client: harness.PageClient(p.tls),
	}.Start(ctx)
	if err != nil {
		if refused, ok := errors.AsType[*stack.NotOwned](err); ok {
			return nil, exit.With(exit.Usage, refused)
		}
		return nil, exit.With(exit.NoSystem, err)
	}
	g := &audit.Target{
		URL: p.url, Profile: p.profile, Admin: p.metrics, Origin: o.Origin, Own: mine && p.class >= audit.Intrusive,
		Source: st.Source, Forward: st.Forward, TLS: p.tls,
	}
	for _, a := range p.accounts {
		g.Accounts = append(g.Accounts, audit.Account{Email: a.Email, Password: a.Password})
	}
	return g, nil
}

// discoveryBudget is how many requests a discovery makes at most.
const discoveryBudget = 1000

// discovers finds out the limit on signing in of a deployment that documents none,
// and prints the lines for its profile and the sentence for its document.
func discovers(ctx context.Context, o Options, p plan, g *audit.Target, s harness.Streams) error {
	try, err := discover.Over(p.url, p.profile, g.Forward, p.tls)
	if err != nil {
		return exit.Errorf(exit.Usage, "--discover: %w", err)
	}
	opt := discover.Options{
		Try: try, Patience: o.Patience, Budget: discoveryBudget,
		Say: func(words string) { fmt.Fprintln(s.Err, words) },
	}
	if g.Source != nil {
		n := stack.FirstAddress(time.Now())
		opt.Address = func() netip.Addr { n++; return g.Source(n) }
	}
	for _, a := range p.accounts {
		opt.Accounts = append(opt.Accounts, discover.Account{Email: a.Email, Password: a.Password})
	}
	fmt.Fprintf(s.Err, "Discovery on %s: wrong passwords for accounts that nobody has, from fresh addresses, and at most %d requests; it waits at most %v for one thing. Addresses that it locks stay locked as long as the API says.\n", p.url.Redacted(), discoveryBudget, o.Patience)
	f, err := discover.Run(ctx, opt)
	switch {
	case ctx.Err() != nil && f.Limited:
		return errors.Join(f.Write(s.Out), exit.With(exit.Interrupted, errors.New("interrupted: what was found until then is above")))
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted before a limit was met"))
	case err != nil:
		return exit.Errorf(exit.NoAnswer, "--discover: %w", err)
	}
	if err := f.Write(s.Out); err != nil {
		return exit.Errorf(exit.NoAnswer, "print: %w", err)
	}
	if f.Limited && len(f.Unknown) > 0 {
		return exit.Said(exit.NoAnswer) // part of it could not be told
	}
	return nil
}
