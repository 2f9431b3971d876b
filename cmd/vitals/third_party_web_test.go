package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
)

// outermost is what every answer has: an id, headers, and the origin's leave.
func outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		id := r.Header.Get("X-Request-ID")
		if len(r.Header.Values("X-Request-ID")) != 1 || !goodID.MatchString(id) {
			id = uuid.NewString()
		}
		for name, v := range map[string]string{
			"X-Request-ID": id, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-site",
		} {
			h.Set(name, v)
		}
		h.Add("Vary", "Origin")
		if r.Header.Get("Origin") == thirdPartyOrigin {
			h.Set("Access-Control-Allow-Origin", thirdPartyOrigin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", "X-Request-ID, Retry-After")
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			if h.Get("Access-Control-Allow-Origin") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
				h.Set("Access-Control-Allow-Headers", "authorization, content-type")
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if len(r.TransferEncoding) > 0 {
			h.Set("Connection", "close") // one framing
		}
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		next.ServeHTTP(w, r)
	})
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *thirdParty) list(w http.ResponseWriter, r *http.Request) {
	me := s.who(r)
	s.mu.Lock()
	out := []map[string]string{}
	for _, ref := range s.things[me] {
		out = append(out, map[string]string{"ref": ref})
	}
	s.mu.Unlock()
	tell(w, 200, out)
}

func (s *thirdParty) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Label string `json:"label"`
	}
	if !read(w, r, &in) {
		return
	}
	ref, me := uuid.NewString(), s.who(r)
	s.mu.Lock()
	s.things[me] = append(s.things[me], ref)
	s.mu.Unlock()
	tell(w, 201, map[string]string{"ref": ref, "label": in.Label})
}

// thing reads or removes one; another's is not there.
func (s *thirdParty) thing(w http.ResponseWriter, r *http.Request) {
	me, ref := s.who(r), chi.URLParam(r, "ref")
	s.mu.Lock()
	at := slices.Index(s.things[me], ref)
	if at >= 0 && r.Method == http.MethodDelete {
		s.things[me] = slices.Delete(s.things[me], at, at+1)
	}
	s.mu.Unlock()
	switch {
	case at < 0:
		problem(w, 404, "no such thing")
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	default:
		tell(w, 200, map[string]string{"ref": ref})
	}
}

func (s *thirdParty) diary(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Thing string `json:"thing"`
		What  string `json:"what"`
	}
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	mine := slices.Contains(s.things[s.sessions[bearer(r)]], in.Thing)
	s.mu.Unlock()
	if !mine || in.What == "" {
		problem(w, 422, "whose thing is that")
		return
	}
	tell(w, 201, in)
}

// read is strict about a JSON body.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		problem(w, 415, "JSON, please")
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		problem(w, bodyStatus(err, 422), "body")
		return false
	}
	return true
}

// bodyStatus is 413 for a body that is too large.
func bodyStatus(err error, other int) int {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return http.StatusRequestEntityTooLarge
	}
	return other
}

func problem(w http.ResponseWriter, status int, why string) {
	tell(w, status, map[string]string{"problem": why, "request_id": w.Header().Get("X-Request-ID")})
}

func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
