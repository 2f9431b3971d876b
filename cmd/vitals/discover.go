package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"vitals/internal/audit"
	"vitals/internal/discover"
	"vitals/internal/exit"
)

// discoveryBudget is how many requests a discovery makes at most.
const discoveryBudget = 1000

// discovers finds out the limit on signing in of a deployment that documents none,
// and prints the lines for its profile and the sentence for its document.
func (o auditOptions) discovers(ctx context.Context, p auditPlan, g *audit.Target, s streams) error {
	try, err := discover.Over(p.url, p.profile, g.Forward)
	if err != nil {
		return exit.Errorf(exit.Usage, "--discover: %w", err)
	}
	opt := discover.Options{
		Try: try, Patience: o.patience, Budget: discoveryBudget,
		Say: func(words string) { fmt.Fprintln(s.Err, words) },
	}
	if g.Source != nil {
		n := uint64(time.Now().Unix()) * 128 // so that a second discovery does not meet what the first left locked
		opt.Address = func() netip.Addr { n++; return g.Source(n) }
	}
	for _, a := range p.accounts {
		opt.Accounts = append(opt.Accounts, discover.Account{Email: a.Email, Password: a.Password})
	}
	fmt.Fprintf(s.Err, "Discovery on %s: wrong passwords for accounts that nobody has, from fresh addresses, and at most %d requests; it waits at most %v for one thing. Addresses that it locks stay locked as long as the API says.\n", p.url.Redacted(), discoveryBudget, o.patience)
	f, err := discover.Run(ctx, opt)
	switch {
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted"))
	case err != nil:
		return exit.Errorf(exit.NoAnswer, "--discover: %w", err)
	}
	var b strings.Builder
	if !f.Limited {
		fmt.Fprintf(&b, "No limit on signing in was met. %s.\n", strings.Join(f.Notes, ". "))
	} else {
		fmt.Fprintf(&b, "For the profile:\n\nlimits:\n%s\nFor the document:\n\n  %s\n", f.Lines(), f.Sentence())
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "\n  note: %s", n)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d requests, %v\n", f.Requests, f.Took.Round(time.Second))
	if _, err := fmt.Fprint(s.Out, b.String()); err != nil {
		return exit.Errorf(exit.NoAnswer, "print: %w", err)
	}
	if f.Limited && len(f.Unknown) > 0 {
		return exit.Said(exit.NoAnswer) // part of it could not be told
	}
	return nil
}
