// Package web is the vocabulary that the services of the clinic API share: who
// asks (Principal), what the edges found out about a request (ID, client
// address), and how a refusal looks on the wire (Problem, RFC 9457). It knows
// no storage, no limiter and no route.
package web

import (
	"context"
	"net/http"
	"net/netip"
)

// Role is what a user may do. It is stored and sent as its text.
type Role string

// The three roles: a patient sees one patient's data, their own; a clinician
// works in one clinic; an admin manages users and locks.
const (
	Patient   Role = "patient"
	Clinician Role = "clinician"
	Admin     Role = "admin"
)

// Principal is the user behind a request, as the access token and the session
// check established it. The zero value is nobody.
type Principal struct {
	UserID    int64
	Role      Role
	ClinicID  string // every user belongs to one clinic
	PatientID string // the patient record of a patient, else ""
	SessionID string // refresh-token family
	Version   int64  // users.session_version the token was made for
}

type key int

const (
	requestIDKey key = iota
	clientIPKey
	principalKey
	headerKey
	refusalKey
)

// WithRequestID returns a context that carries the request's ID.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID is the ID of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// WithClientIP returns a context that carries the client's address, as the
// trusted-proxy rules established it.
func WithClientIP(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, clientIPKey, ip)
}

// ClientIP is the client's full address; the zero Addr when unknown. Limiter
// keys mask it first (limit.Key).
func ClientIP(ctx context.Context) netip.Addr {
	ip, _ := ctx.Value(clientIPKey).(netip.Addr)
	return ip
}

// WithPrincipal returns a context that carries the signed-in user.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom is the signed-in user, and whether there is one: the zero
// Principal is nobody, so WithPrincipal(ctx, Principal{}) signs out.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	p, _ := ctx.Value(principalKey).(Principal)
	return p, p.UserID != 0
}

// WithHeader returns a context that carries the response's header map, so that
// a layer without the ResponseWriter (the limiter's gate, inside a typed
// handler) can set headers on success and failure alike.
func WithHeader(ctx context.Context, h http.Header) context.Context {
	return context.WithValue(ctx, headerKey, h)
}

// Header is the response's header map; a throw-away map outside a request.
func Header(ctx context.Context) http.Header {
	if h, ok := ctx.Value(headerKey).(http.Header); ok {
		return h
	}
	return http.Header{}
}

// WithRefusal returns a context in which Refused asks f: a refusal may count
// against its client, and then be another one.
func WithRefusal(ctx context.Context, f func(context.Context, *Problem) *Problem) context.Context {
	return context.WithValue(ctx, refusalKey, f)
}

// Refused is the answer to a request that is refused with p before its handler ran.
func Refused(ctx context.Context, p *Problem) *Problem {
	if f, ok := ctx.Value(refusalKey).(func(context.Context, *Problem) *Problem); ok {
		return f(ctx, p)
	}
	return p
}
