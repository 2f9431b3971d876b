package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"vitals/internal/stack"
)

// thirdParty is an API that has nothing in common with the clinic: another router,
// other paths and words, a form for signing in, lists without an envelope, a
// lockout of its own (testdata/third-party.yaml is its profile).
type thirdParty struct {
	limit int  // wrong passwords judged per address; the published one is 5
	leaky bool // the right password opens a locked address

	mu       sync.Mutex
	people   map[string]string    // email → password
	sessions map[string]string    // token → email
	things   map[string][]string  // email → refs
	clients  map[string]*attempts // by address
}

// attempts are what an address has tried.
type attempts struct {
	failed  []failure
	pending int // being judged
	until   time.Time
}

type failure struct {
	at    time.Time
	email string
}

const (
	thirdPartyOrigin = "https://app.third-party.example"
	thirdPartyWindow = 300 * time.Second
	thirdPartyLock   = 900 * time.Second
)

// serve starts it, with accounts whose names a form must escape.
func (s *thirdParty) serve(t *testing.T) (base string, accounts []stack.Account) {
	t.Helper()
	s.people, s.sessions, s.things, s.clients = map[string]string{}, map[string]string{}, map[string][]string{}, map[string]*attempts{}
	for i := range 300 {
		a := stack.Account{Email: fmt.Sprintf("person+%d@third-party.example", i), Password: "p&w %" + rand.Text()}
		s.people[a.Email], s.things[a.Email] = a.Password, []string{uuid.NewString()} // who has nothing has nothing to note in a diary
		accounts = append(accounts, a)
	}
	srv := httptest.NewUnstartedServer(s.routes())
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout, srv.Config.MaxHeaderBytes = 5*time.Second, 15*time.Second, 16<<10
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, accounts
}

func (s *thirdParty) routes() http.Handler {
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

func (s *thirdParty) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.who(r) == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, 401, "who are you")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *thirdParty) who(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[bearer(r)]
}

// enter signs in: a place is reserved first, then the password is judged.
func (s *thirdParty) enter(w http.ResponseWriter, r *http.Request) {
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
	d := s.clients[addr]
	if d == nil {
		d = &attempts{}
		s.clients[addr] = d
	}
	for {
		now := time.Now()
		d.failed = slices.DeleteFunc(d.failed, func(f failure) bool { return now.Sub(f.at) >= thirdPartyWindow })
		switch {
		case now.Before(d.until) && !(s.leaky && right):
		case len(d.failed) >= s.limit && !(s.leaky && right):
			d.until, d.failed = now.Add(thirdPartyLock), nil
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
func (s *thirdParty) left(w http.ResponseWriter, d *attempts) {
	left, reset := s.limit-len(d.failed), time.Now().Add(thirdPartyWindow)
	if time.Now().Before(d.until) {
		left, reset = 0, d.until
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, left)))
	h.Set("X-RateLimit-Window", strconv.Itoa(int(thirdPartyWindow/time.Second)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(time.Second-1).Unix(), 10))
}

func (s *thirdParty) leave(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.sessions, bearer(r))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
