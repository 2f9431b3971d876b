package checklist

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"vitals/internal/audit"
	"vitals/internal/harness"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/strict"
)

// plan is what an audit will do, checked before anything is sent.
type plan struct {
	probes   []audit.Probe
	profile  *profile.Profile
	url      *url.URL
	metrics  *url.URL
	accounts []stack.Account
	class    audit.Class
	bypass   *audit.Bypass
	tls      *tls.Config // nil = what this machine trusts
}

// read checks what was asked for, and reports all that is wrong with it.
func read(o Options) (p plan, err error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	p.class = audit.Safe
	switch {
	case o.URL == "" && o.Stack == "":
		note(errors.New("nothing to audit: want --url URL, or --stack embedded or containers"))
	case o.URL != "" && o.Stack != "":
		note(errors.New("--url and --stack exclude each other: the system is there already, or it is started"))
	case o.Stack != "" && o.Stack != "embedded" && o.Stack != "containers":
		note(fmt.Errorf("--stack %s: want embedded or containers", o.Stack))
	case o.Stack != "":
		p.class = audit.Control
	}
	if o.Class != "" {
		if err := p.class.UnmarshalText([]byte(o.Class)); err != nil {
			note(fmt.Errorf("--class: %w", err))
		}
	}
	if o.Discover {
		p.class = audit.Intrusive // it locks addresses
		if o.URL == "" {
			note(errors.New("--discover needs --url: what a stack of ours keeps is documented"))
		}
	}
	if o.ShortClock && o.Stack == "" {
		note(errors.New("--short-clock needs --stack: the clocks of a deployment are its own"))
	}
	if p.probes, err = audit.Select(p.class, o.Only); err != nil {
		note(fmt.Errorf("--only: %w", err))
	}
	if _, err := audit.Select(audit.Control, o.MaySkip); err != nil {
		note(fmt.Errorf("--may-skip: %w", err))
	}
	switch {
	case o.Profile == "" && o.URL != "": // an API is held to what it promised, not to what another did
		note(fmt.Errorf("--url without --profile: what does this API promise? Name its profile (vitals init --from openapi.yaml writes one), or %s for the reference API", strings.Join(profile.Names(), " or ")))
	default:
		p.profile, err = profile.Open(cmp.Or(o.Profile, "clinic"))
		note(err)
	}
	p.bypass, err = audit.ReadBypass(o.Bypass)
	if err != nil {
		note(fmt.Errorf("--bypass: %w", err))
	}
	for _, name := range o.Standard {
		if !slices.Contains(profile.Standards(), name) {
			note(fmt.Errorf("--standard: no standard %q: want %s", name, strings.Join(profile.Standards(), " or ")))
		}
	}
	if right := profile.Origin(o.Origin); o.Origin != right {
		note(fmt.Errorf("--origin %s: want %s, as in %s", o.Origin, profile.OriginForm, cmp.Or(right, "https://shop.example")))
	}
	if o.URL != "" {
		p.url, err = strict.ParseURL("--url", o.URL)
		note(err)
		p.tls, err = harness.ReadTLS(o.CA, o.Cert, o.Key)
		note(err)
		if o.Metrics != "" {
			p.metrics, err = strict.ParseURL("--metrics", o.Metrics)
			note(err)
		}
		if o.Accounts != "" {
			p.accounts, err = harness.ReadAccounts(o.Accounts)
			note(err)
		}
		if p.url != nil && p.class >= audit.Intrusive && !slices.Contains(o.Own, p.url.Hostname()) {
			note(fmt.Errorf("--class %s locks addresses, spends quotas and makes data: name the host with --i-own %s if it is yours", p.class, p.url.Hostname()))
		}
	}
	note(harness.Writable(o.Out))
	return p, errors.Join(errs...)
}
