package fault

import (
	"context"
	"net/http"
	"net/url"
)

type pathKey struct{}

// WithPath returns r with a context that carries its path as the client spelt it.
func WithPath(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), pathKey{}, url.QueryEscape(r.RequestURI)))
}

// Path is the path as the client spelt it, without braces and spaces; "" outside
// a request.
func Path(ctx context.Context) string {
	path, _ := ctx.Value(pathKey{}).(string)
	return path
}
