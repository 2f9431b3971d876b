package server

import "net/http"

// secureHeaders says what a browser may do with an answer: nothing but hand it
// to the page that asked. No X-XSS-Protection (it opened holes) and no Server.
func (s *Server) secureHeaders(next http.Handler) http.Handler {
	fixed := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
		"Cross-Origin-Resource-Policy": "same-site",
	}
	if s.cfg.Core.Env == "production" {
		fixed["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range fixed {
			h.Set(name, value)
		}
		// A chunked body may have come with a length as well, which net/http has
		// dropped, and a proxy before us may have gone by that one: nothing that
		// follows on this connection is trusted (RFC 9112 6.1).
		if len(r.TransferEncoding) > 0 {
			h.Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
