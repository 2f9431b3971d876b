package limit

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"vitals/server/web"
)

// Gate is what an endpoint that checks a credential, or counts every request,
// goes through. It knows the client's key, asks the Limiter, writes the headers
// and words the refusal, which is the same for every cause. Safe for concurrent
// use.
type Gate struct {
	options  Options
	policies map[string]Policy
	limiter  Limiter
	accounts Accounts
	locks    lockCache
	fallback *Fallback                   // nil without Redis
	mirror   *mirror                     // nil where no locks are saved
	remember func(context.Context) error // takes saved locks into memory
	queues   waitQueues
	metrics  *metrics
	events   *events
	log      *slog.Logger
}

// UserKey is the limiter's key of a user.
func UserKey(id int64) string { return "user:" + strconv.FormatInt(id, 10) }

// ClientKey is the limiter's key of the client's address in ctx (web.ClientIP).
func (g *Gate) ClientKey(ctx context.Context) string {
	return Key(web.ClientIP(ctx), g.options.IPv6Prefix)
}

// Count counts one request of a count-all policy under each key, and returns a
// *web.Problem: 429 "rate_limited" if one of them is used up, and then none is
// counted; 503 if the limiter cannot tell. No keys means the client's address.
func (g *Gate) Count(ctx context.Context, policy string, keys ...string) error {
	if len(keys) == 0 {
		keys = []string{g.ClientKey(ctx)}
	}
	return g.countAs(ctx, web.Header(ctx), policy, newID(), keys)
}

// countAs is Count of the request id.
func (g *Gate) countAs(ctx context.Context, h http.Header, policy, id string, keys []string) error {
	if g.options.Off {
		return nil
	}
	p, err := g.policy(policy)
	if err != nil {
		return err
	}
	tightest, counted := Decision{Verdict: Allowed, Remaining: p.Limit}, 0
	for _, key := range keys {
		d, err := g.limiter.Take(ctx, p, key, id)
		if err != nil {
			g.giveBack(ctx, p, keys[:counted], id)
			return unavailable(err)
		}
		if d.Verdict != Allowed {
			g.giveBack(ctx, p, keys[:counted], id)
			return g.refuse(ctx, h, p, d)
		}
		d.Untold = d.Untold || tightest.Untold
		if counted++; d.Untold || d.Remaining <= tightest.Remaining {
			tightest = d
		}
	}
	g.metrics.decided(p, tightest)
	setHeaders(h, p, tightest, time.Now(), g.options.IETF)
	return nil
}

// CountAPI counts one request of the `api` policy: by user, if there is one (0 is
// none), else by the client's address. toAddress moves the count to the address; it
// is nil where the request is counted there. Errors are as Count's.
func (g *Gate) CountAPI(ctx context.Context, user int64) (toAddress func(context.Context) error, err error) {
	if user == 0 || g.options.APIByIP {
		return nil, g.Count(ctx, API)
	}
	p, id, key := g.policies[API], newID(), UserKey(user)
	if err := g.countAs(ctx, web.Header(ctx), API, id, []string{key}); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		g.giveBack(ctx, p, []string{key}, id)
		return g.Count(ctx, API)
	}, nil
}

// giveBack uncounts a request that another key denied: refused requests cost
// nothing, or hammering would prolong its own punishment.
func (g *Gate) giveBack(ctx context.Context, p Policy, keys []string, id string) {
	if g.options.Off {
		return
	}
	for _, key := range keys {
		if _, err := g.limiter.Commit(ctx, p, key, id, Released, ""); err != nil {
			g.log.WarnContext(ctx, "a refused request stays counted", "policy", p.Name, "error", err)
		}
	}
}

// Lift ends the lock of policy on an address, or on a prefix as Key writes it,
// and reports whether there was one. Errors are *web.Problem: 404 for an unknown
// policy, 422 for no address.
func (g *Gate) Lift(ctx context.Context, policy, ip string) (bool, error) {
	p, ok := g.policies[policy]
	if !ok {
		return false, web.Fail(http.StatusNotFound, "not_found", "There is no such policy.")
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		prefix, err := netip.ParsePrefix(ip)
		if err != nil {
			return false, web.Fail(http.StatusUnprocessableEntity, "validation", "This is not an IP address.")
		}
		addr = prefix.Addr()
	}
	was, err := g.limiter.Lift(ctx, p, Key(addr, g.options.IPv6Prefix))
	if err != nil {
		return false, unavailable(err)
	}
	return was, nil
}

// policy finds a policy by its name; an unknown one is a mistake in the program
// and refuses.
func (g *Gate) policy(name string) (Policy, error) {
	p, ok := g.policies[name]
	if !ok {
		return p, web.Internal(fmt.Errorf("no limit policy %q", name))
	}
	return p, nil
}

// refuse counts and logs a refusal, writes its headers and words it.
func (g *Gate) refuse(ctx context.Context, h http.Header, p Policy, d Decision) *web.Problem {
	g.metrics.decided(p, d)
	g.events.decided(ctx, p, d)
	return g.refusal(h, p, d)
}

// refusal writes the headers of a refusal and words it. Nothing in it depends on
// the credential or on why: no oracle.
func (g *Gate) refusal(h http.Header, p Policy, d Decision) *web.Problem {
	problem := web.Fail(http.StatusTooManyRequests, "rate_limited", "Too many requests. Try again later.")
	switch d.Verdict {
	case Busy:
		problem = web.Fail(http.StatusTooManyRequests, "too_many_concurrent_attempts", "Too many attempts at once. Try again in a moment.")
		d.Retry = time.Second
	case Locked, LockedNow:
		problem = web.Fail(http.StatusTooManyRequests, "locked_out", "Too many failed attempts. Try again later.")
	}
	problem.WithRetry(d.Retry)
	setHeaders(h, p, d, time.Now(), g.options.IETF)
	h.Set("Retry-After", strconv.Itoa(problem.RetryAfter))
	return problem
}

// unavailable is the refusal when nobody can count: closed, never open, for
// whatever checks a credential (ASVS 16.5.3).
func unavailable(cause error) *web.Problem {
	return web.Fail(http.StatusServiceUnavailable, "limiter_unavailable", "The service cannot take this request now.").
		WithRetry(time.Second).Because(cause)
}

// pseudonym stands for an account or a user in the limiter's keys and entries:
// no address of a person is stored, and nobody without the secret can test one.
func (g *Gate) pseudonym(account string) string {
	mac := hmac.New(sha256.New, g.options.Secret)
	mac.Write([]byte(strings.ToLower(strings.TrimSpace(account))))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

func newID() string { return rand.Text() }
