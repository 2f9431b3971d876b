package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"vitals/internal/stack"
)

// stranger is an API that has nothing in common with the clinic: another router,
// other paths and words, a form for signing in, lists without an envelope, a
// lockout of its own (testdata/stranger.yaml is its profile).
type stranger struct {
	limit int  // wrong passwords judged per address; the published one is 5
	leaky bool // the right password opens a locked door

	mu       sync.Mutex
	people   map[string]string   // email → password
	sessions map[string]string   // token → email
	things   map[string][]string // email → refs
	doors    map[string]*door    // by address
}

// door is what an address has tried.
type door struct {
	failed  []failure
	pending int // being judged
	until   time.Time
}

type failure struct {
	at    time.Time
	email string
}

const (
	strangerOrigin = "https://app.stranger.example"
	strangerWindow = 300 * time.Second
	strangerLock   = 900 * time.Second
)

// serve starts it, with accounts whose names a form must escape.
func (s *stranger) serve(t *testing.T) (base string, accounts []stack.Account) {
	t.Helper()
	s.people, s.sessions, s.things, s.doors = map[string]string{}, map[string]string{}, map[string][]string{}, map[string]*door{}
	for i := range 300 {
		a := stack.Account{Email: fmt.Sprintf("person+%d@stranger.example", i), Password: "p&w %" + rand.Text()}
		s.people[a.Email], s.things[a.Email] = a.Password, []string{uuid.NewString()} // who has nothing has nothing to note in a diary
		accounts = append(accounts, a)
	}
	srv := httptest.NewUnstartedServer(s.routes())
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout, srv.Config.MaxHeaderBytes = 5*time.Second, 15*time.Second, 16<<10
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, accounts
}

func (s *stranger) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(outermost)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) { problem(w, 404, "no such place") })
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} { // the router names none for a method it has never heard of
			if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		problem(w, 405, "not like that")
	})
	state := func(path string, fields map[string]any) {
		r.Get(path, func(w http.ResponseWriter, _ *http.Request) {
			now := maps.Clone(fields)
			now["timestamp"] = time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00")
			tell(w, 200, now)
		})
		r.Head(path, func(http.ResponseWriter, *http.Request) {})
	}
	state("/health", map[string]any{"status": "healthy", "version": "9", "env": "test"})
	state("/ready", map[string]any{"status": "ready", "version": "9", "checks": map[string]bool{"database": true, "config": true}})
	state("/live", map[string]any{"status": "alive"})
	r.Route("/v2", func(r chi.Router) {
		r.Post("/session", s.enter)
		r.Group(func(r chi.Router) {
			r.Use(s.known)
			r.Delete("/session", s.leave)
			r.Get("/whoami", func(w http.ResponseWriter, r *http.Request) { tell(w, 200, map[string]string{"mail": s.who(r)}) })
			r.Get("/things", s.list)
			r.Post("/things", s.create)
			r.Get("/things/{ref}", s.thing)
			r.Delete("/things/{ref}", s.thing)
			r.Get("/calls", func(w http.ResponseWriter, _ *http.Request) { tell(w, 200, map[string]any{"calls": []string{}}) })
			r.Put("/diary", s.diary)
		})
	})
	return r
}

var goodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$`)

// outermost is what every answer has: an id, headers, and the origin's leave.
func outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		id := r.Header.Get("X-Request-ID")
		if len(r.Header.Values("X-Request-ID")) != 1 || !goodID.MatchString(id) {
			id = uuid.NewString()
		}
		for name, v := range map[string]string{
			"X-Request-ID": id, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-site",
		} {
			h.Set(name, v)
		}
		h.Add("Vary", "Origin")
		if r.Header.Get("Origin") == strangerOrigin {
			h.Set("Access-Control-Allow-Origin", strangerOrigin)
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

func (s *stranger) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.who(r) == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, 401, "who are you")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *stranger) who(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[bearer(r)]
}

// enter signs in: a place is reserved first, then the password is judged.
func (s *stranger) enter(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		problem(w, 415, "a form, please")
		return
	}
	if err := r.ParseForm(); err != nil {
		problem(w, bodyStatus(err, 400), "no form")
		return
	}
	email, password := r.PostForm.Get("mail"), r.PostForm.Get("word")
	if email == "" || password == "" {
		problem(w, 422, "mail and word")
		return
	}
	addr, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.mu.Lock()
	right := s.people[email] == password
	d := s.doors[addr]
	if d == nil {
		d = &door{}
		s.doors[addr] = d
	}
	for {
		now := time.Now()
		d.failed = slices.DeleteFunc(d.failed, func(f failure) bool { return now.Sub(f.at) >= strangerWindow })
		switch {
		case now.Before(d.until) && !(s.leaky && right):
		case len(d.failed) >= s.limit && !(s.leaky && right):
			d.until, d.failed = now.Add(strangerLock), nil
		case len(d.failed)+d.pending >= s.limit: // wait for those who are being judged
			s.mu.Unlock()
			time.Sleep(time.Millisecond)
			s.mu.Lock()
			continue
		default:
			d.pending++
			s.mu.Unlock()
			time.Sleep(5 * time.Millisecond) // a hash takes its time
			s.mu.Lock()
			d.pending--
			if right { // what its owner mistyped is forgiven, what was tried on others is not
				d.failed = slices.DeleteFunc(d.failed, func(f failure) bool { return f.email == email })
			} else {
				d.failed = append(d.failed, failure{time.Now(), email})
			}
			s.left(w, d)
			if !right {
				s.mu.Unlock()
				problem(w, 401, "no")
				return
			}
			token := rand.Text()
			s.sessions[token] = email
			s.mu.Unlock()
			tell(w, 200, map[string]any{"data": map[string]string{"jwt": token}})
			return
		}
		wait := time.Until(d.until)
		s.left(w, d)
		s.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		problem(w, 429, "slow down")
		return
	}
}

// left writes what is left of the limit.
func (s *stranger) left(w http.ResponseWriter, d *door) {
	left, reset := s.limit-len(d.failed), time.Now().Add(strangerWindow)
	if time.Now().Before(d.until) {
		left, reset = 0, d.until
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, left)))
	h.Set("X-RateLimit-Window", strconv.Itoa(int(strangerWindow/time.Second)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(time.Second-1).Unix(), 10))
}

func (s *stranger) leave(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.sessions, bearer(r))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *stranger) list(w http.ResponseWriter, r *http.Request) {
	me := s.who(r)
	s.mu.Lock()
	out := []map[string]string{}
	for _, ref := range s.things[me] {
		out = append(out, map[string]string{"ref": ref})
	}
	s.mu.Unlock()
	tell(w, 200, out)
}

func (s *stranger) create(w http.ResponseWriter, r *http.Request) {
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
func (s *stranger) thing(w http.ResponseWriter, r *http.Request) {
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

func (s *stranger) diary(w http.ResponseWriter, r *http.Request) {
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
