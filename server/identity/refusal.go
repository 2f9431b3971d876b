package identity

import (
	"context"
	"errors"
	"net/http"
	"time"

	"vitals/server/identity/password"
	"vitals/server/web"
)

// unauthorized is a 401 with the challenge that RFC 9110 15.5.2 asks for.
func unauthorized(ctx context.Context, code, detail string) *web.Problem {
	web.Header(ctx).Set("WWW-Authenticate", "Bearer")
	return web.Fail(http.StatusUnauthorized, code, detail)
}

// invalidCredentials is the one answer to an unknown user, a wrong password and
// a disabled account (ASVS 6.3.8).
func invalidCredentials(ctx context.Context) *web.Problem {
	return unauthorized(ctx, "invalid_credentials", "Email or password is wrong.")
}

// problem turns any error into what may be sent: a problem stays as it is, a
// full hash queue is 503, the rest is a 500 that keeps its cause for the log.
func problem(err error) error {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*web.Problem](err); ok {
		return p
	}
	if errors.Is(err, password.ErrCapacity) {
		return web.Fail(http.StatusServiceUnavailable, "hash_capacity", "Too many sign-ins at once; try again shortly.").
			WithRetry(2 * time.Second).Because(err)
	}
	return web.Internal(err)
}
