package server

import (
	"context"
	"net/http"

	"vitals/server/web"
)

// A route with a policy of its own skips the api policy: a judged attempt costs
// one of that policy. What is never judged there, because it is malformed or
// because we failed, counts against the api policy instead, by address. Else an
// attacker would have requests without a limit, and a defect in such a route would
// be theirs to use as often as they like.

// refused is p, unless p counts against the api policy and that is used up. A 503
// is free: it says that the service is busy, whatever the client sent.
func (x *exchange) refused(ctx context.Context, p *web.Problem) *web.Problem {
	if x.charge == nil || x.charged || p.Status > http.StatusInternalServerError {
		return p
	}
	x.charged = true
	if err := x.charge(ctx); err != nil {
		return web.ProblemOf(err)
	}
	return p
}

// chargeAPI counts a request on a route that skips the api policy.
func (s *Server) chargeAPI(ctx context.Context) error { return s.deps.Gate.Count(ctx, "api") }

// refuse answers with p before a handler ran.
func refuse(w http.ResponseWriter, r *http.Request, p *web.Problem) {
	web.Refused(r.Context(), p).Write(w, r)
}

// chargedAnswer is the answer of a handler on a route with a policy of its own: a
// 500, and a 409, which says that there was nothing to judge, are charged before
// they are sent.
type chargedAnswer struct {
	http.ResponseWriter
	r       *http.Request
	dropped bool // another answer was sent instead
}

func (a *chargedAnswer) WriteHeader(status int) {
	if status == http.StatusInternalServerError || status == http.StatusConflict {
		p := &web.Problem{Status: status}
		if other := web.Refused(a.r.Context(), p); other != p {
			a.dropped = true
			other.Write(a.ResponseWriter, a.r)
			return
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *chargedAnswer) Write(b []byte) (int, error) {
	if a.dropped {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach deadlines and flushing.
func (a *chargedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
