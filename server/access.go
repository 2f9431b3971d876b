package server

import (
	"net/http"
	"slices"
	"strings"

	"vitals/server/web"
)

// parseToken reads the access token, without the database: signature, type,
// audience, times. A bad one is remembered, not refused yet, because refusals
// count too.
func (s *Server) parseToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header["Authorization"]
		if len(sent) == 0 || s.deps.Authenticate == nil {
			next.ServeHTTP(w, r)
			return
		}
		x := exchangeOf(r.Context())
		scheme, token, _ := strings.Cut(sent[0], " ")
		if len(sent) > 1 || !strings.EqualFold(scheme, "bearer") {
			x.badToken = true
			next.ServeHTTP(w, r)
			return
		}
		user, err := s.deps.Authenticate(r.Context(), strings.TrimSpace(token))
		if err != nil || s.ended.has(user) {
			x.badToken = true
			next.ServeHTTP(w, r)
			return
		}
		x.user = user
		next.ServeHTTP(w, r.WithContext(web.WithPrincipal(r.Context(), user)))
	})
}

// limitAPI counts the request against the api policy, by user or by address. A
// route with a policy of its own is counted there.
func (s *Server) limitAPI(next http.Handler) http.Handler {
	if s.deps.Gate == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if s.ownPolicy[x.route.pattern] {
			x.charge = s.chargeAPI
			next.ServeHTTP(&chargedAnswer{ResponseWriter: w, r: r}, r)
			return
		}
		var err error
		if x.toAddress, err = s.deps.Gate.CountAPI(r.Context(), x.user.UserID); err != nil {
			web.ProblemOf(err).Write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requireToken refuses requests without a valid token where the operation asks for a
// user.
func (s *Server) requireToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if x.route.secured && x.user.UserID == 0 {
			challenge, p := "Bearer", web.Fail(http.StatusUnauthorized, "not_authenticated", "Sign in first.")
			if x.badToken {
				challenge = `Bearer error="invalid_token"`
				p = web.Fail(http.StatusUnauthorized, "invalid_token", "The access token is not valid.")
			}
			w.Header().Set("WWW-Authenticate", challenge)
			refuse(w, r, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuseEarly answers what is refused whatever the body says, before it is read.
// As with the shedder's refusals, metrics and the access log tell of a 503: a line
// more for each is what an attack would want.
func (s *Server) refuseEarly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if early := exchangeOf(r.Context()).route.early; early != nil {
			if err := early(r.Context()); err != nil {
				p := web.ProblemOf(err)
				if p.Status != http.StatusServiceUnavailable {
					s.logFailure(r.Context(), p)
				}
				p.Write(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// checkSession asks the database whether the token's session still stands: the
// user active, the version current. On open routes the token is put aside, so
// that no handler can trust what nobody checked.
func (s *Server) checkSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if !x.route.secured || s.deps.CheckSession == nil {
			x.user = web.Principal{}
			next.ServeHTTP(w, r.WithContext(web.WithPrincipal(r.Context(), web.Principal{})))
			return
		}
		user, err := s.deps.CheckSession(r.Context(), x.user)
		if err != nil {
			p := web.ProblemOf(err)
			if p.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				s.ended.add(x.user)
				p = x.countAtAddress(r.Context(), p)
			}
			s.logFailure(r.Context(), p)
			refuse(w, r, p)
			return
		}
		x.user = user
		next.ServeHTTP(w, r.WithContext(web.WithPrincipal(r.Context(), user)))
	})
}

// checkRole refuses a role that the operation does not name. Whose object it is,
// is decided in SQL.
func (s *Server) checkRole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if len(x.route.roles) > 0 && !slices.Contains(x.route.roles, x.user.Role) {
			s.security.WarnContext(r.Context(), "authz_denied", "route", x.route.pattern, "role", string(x.user.Role))
			detail := "Your role may not do this."
			if x.user.Role == "" { // it is put aside until then
				detail = "Your role acts only with a second factor: enrol one, and confirm it."
			}
			refuse(w, r, web.Fail(http.StatusForbidden, "forbidden", detail))
			return
		}
		next.ServeHTTP(w, r)
	})
}
