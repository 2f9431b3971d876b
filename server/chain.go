package server

import (
	"net/http"
	"slices"
)

// layer wraps a handler with one concern.
type layer func(http.Handler) http.Handler

// chain is the order of the middleware, outermost first. The order is the
// design: identity before anything can write, CORS before everything that can
// refuse, the count before the work, the costly checks last. Layer 1, the
// connection, is the listener's (listen.go).
func (s *Server) chain() http.Handler {
	layers := []layer{
		s.recoverPanics, //  2
		s.requestID,     //  3
		s.clientIP,      //  4
		s.observe,       //  5 access log and metrics
		s.broken,        //    nothing, but in a build with the tag faults
		s.secureHeaders, //  6
		s.operations,    //  7 /health, /ready, /live end here
		s.crossOrigin,   //  8 preflights end here
		s.shedLoad,      //  9
		s.parseToken,    // 10
		s.limitAPI,      // 11
		s.checkRoute,    // 12 method …
		s.requireToken,  //    … no body is read without a token …
		s.refuseEarly,   //    … nor from a locked address …
		s.checkBody,     //    … type, size, depth
		s.checkSession,  // 13
		s.checkRole,     // 14
	}
	var h http.Handler = s.mux // 15
	for _, wrap := range slices.Backward(layers) {
		h = wrap(h)
	}
	return h
}
