package server

import (
	"context"
	"net/http"
	"time"

	"vitals/server/web"
)

// exchange is one request and its answer, as the layers learn about them: the
// outer ones read what the inner ones found. It is the response writer of the
// whole chain, so it knows what was sent. One goroutine uses it.
type exchange struct {
	http.ResponseWriter
	began    time.Time
	status   int // 0 until the header is written
	bytes    int64
	route    *route // never nil after observe
	replaced bool   // the client's request ID was not acceptable
	user     web.Principal
	badToken bool                        // a token was sent and is not one of ours
	failed   bool                        // the answer's failure is already in the log
	charge   func(context.Context) error // nil where the api policy has counted the request
	charged  bool
	// toAddress moves the request's count from the user to the address; nil where
	// it counts there.
	toAddress func(context.Context) error
}

type exchangeKey struct{}

// exchangeOf is the exchange that ctx belongs to, or nil outside the chain.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach deadlines and flushing.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
