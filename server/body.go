package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"

	"vitals/server/web"
)

// maxDepth is how deep a JSON body may nest. encoding/json allows 10 000 levels.
const maxDepth = 32

// checkBody reads the body whole, within the route's limit, and refuses what is
// not JSON by its label, too large, too slow or too deep. A client that sends
// its body slowly holds no MAX_IN_FLIGHT slot meanwhile. Field rules are the
// operation's own schema; the framework then reads from memory.
func (s *Server) checkBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		limit := x.route.maxBody
		if limit <= 0 {
			limit = s.cfg.HTTP.MaxBodyBytes
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if !x.route.hasBody || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			refuse(w, r, web.Fail(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send application/json."))
			return
		}
		back := web.ReleaseSlotForClient(r.Context())
		body, err := io.ReadAll(r.Body)
		if !back() {
			refuse(w, r, s.overloaded())
			return
		}
		if err != nil {
			w.Header().Set("Connection", "close") // the rest of the body is still on its way
			refuse(w, r, bodyProblem(err))
			return
		}
		if depth(body) > maxDepth {
			refuse(w, r, web.Fail(http.StatusBadRequest, "malformed", "The JSON body nests too deep."))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// bodyProblem says why a body could not be read.
func bodyProblem(err error) *web.Problem {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return web.Fail(http.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than this path takes.")
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return web.Fail(http.StatusRequestTimeout, "body_timeout", "The body came too slowly.")
	}
	return web.Fail(http.StatusBadRequest, "malformed", "The body could not be read.").Because(err)
}

// depth is how deep objects and arrays nest. It looks at brackets outside
// strings alone: whether the text is JSON is the decoder's question.
func depth(body []byte) int {
	deepest, level, inString := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
