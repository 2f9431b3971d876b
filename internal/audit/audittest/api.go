// Package audittest is an API that is not ours, in memory, for tests of what looks
// at APIs from outside: it can be told to lie in one named way at a time, and to
// answer wrong credentials and refusals by other statuses than most.
package audittest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// API is an API that shares nothing with the reference one: its own router,
// paths, field names and limiter. A lie breaks it in one named way, so that each
// probe is seen to catch what it is for.
type API struct {
	Lie            string
	Wrong, Refused int // statuses of a wrong credential, and of a refusal by a limit

	served int                   // requests so far
	routed map[[2]string]float64 // requests by route and status, as its metrics page tells them
	limits map[string]profile.Limit
	secret []byte
	origin string
	routes []route

	mu         sync.Mutex
	users      map[string]*user
	tokens     map[string]*refreshToken // refresh
	challenges map[string]*challenge
	resets     map[string]string // token → email
	mails      map[string]string
	things     map[string]thing
	counts     map[string]*count
}

type user struct {
	id, email, password string
	admin, barred       bool
	version             int
	otp                 string
	confirmed           bool
	step                int64
}

type refreshToken struct {
	email, family string
	version       int
	used          bool
}

type challenge struct {
	email string
	tries int
}

type count struct {
	failed  []mark
	pending int
	until   time.Time
}

type mark struct {
	at   time.Time
	user string
}

type route struct {
	method string
	path   *regexp.Regexp
	do     func(x *call)
}

// thing is what somebody has made.
type thing struct{ owner, due, name, role string }

const hashTime = 8 * time.Millisecond

//go:embed thirdparty.yaml
var words string

// New makes one that lies in the way named, "" for a sound one.
func New(lie string) *API {
	s := &API{
		Lie: lie, Wrong: http.StatusUnauthorized, Refused: http.StatusTooManyRequests, routed: map[[2]string]float64{}, secret: []byte(rand.Text()), origin: "https://app.thirdparty.example",
		limits: map[string]profile.Limit{
			"login":  {Limit: 5, Window: 6 * time.Second, Lock: 4 * time.Second},
			"codes":  {Limit: 10, Window: 20 * time.Second, Lock: 20 * time.Second},
			"reset":  {Limit: 3, Window: time.Hour},
			"change": {Limit: 5, Window: time.Hour},
			"api":    {Limit: 100, Window: 5 * time.Second},
		},
		users: map[string]*user{}, tokens: map[string]*refreshToken{}, challenges: map[string]*challenge{}, resets: map[string]string{},
		mails: map[string]string{}, things: map[string]thing{}, counts: map[string]*count{},
	}
	s.routes = s.table()
	return s
}

// Profile is how a profile describes it.
func (s *API) Profile(t testing.TB) *profile.Profile {
	text := strings.ReplaceAll(words, "REFUSED", strconv.Itoa(s.Refused))
	p, err := profile.Read(strings.NewReader(strings.ReplaceAll(text, "WRONG", strconv.Itoa(s.Wrong))), "thirdparty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Serve starts it, until the test has ended, and describes it as an audit's target.
func (s *API) Serve(t testing.TB) *audit.Target {
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout, srv.Config.MaxHeaderBytes = time.Second, 2*time.Second, 16<<10
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if s.Lie == "few connections for all" {
		srv.Listener = &few{Listener: srv.Listener, room: make(chan struct{}, 300)}
		srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout = time.Minute, time.Minute
	}
	srv.Start()
	t.Cleanup(srv.Close)
	admin := httptest.NewServer(http.HandlerFunc(s.metrics))
	t.Cleanup(admin.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(admin.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Profile(t)
	g := &audit.Target{
		URL: u, Profile: p, Own: true, Origin: s.origin, Admin: page,
		Source: func(n uint64) netip.Addr {
			return netip.AddrFrom4([4]byte{127, byte(33 + n>>16&7), byte(n >> 8), byte(n)})
		},
		Settings: map[string]string{"READ_HEADER_TIMEOUT": "1", "READ_TIMEOUT": "2"},
	}
	for i := range 400 {
		a := audit.Account{Email: fmt.Sprintf("user%d@thirdparty.example", i), Password: "pw-" + rand.Text()}
		if i == 0 {
			a.Role = "admin"
		}
		g.Accounts = append(g.Accounts, a)
		s.users[a.Email] = &user{id: uuid.NewString(), email: a.Email, password: a.Password, admin: i == 0}
	}
	return g
}

// Mail is the last mail to an address.
func (s *API) Mail(_ context.Context, to string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.mails[to]; ok {
		return m, nil
	}
	return "", errors.New("no mail")
}

// metrics is the page that it counts its requests on.
func (s *API) metrics(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for at, n := range s.routed {
		_, _ = fmt.Fprintf(w, "http_requests_total{route=%q,status=%q} %g\n", at[0], at[1], n)
	}
}

// count counts a request that was answered.
func (s *API) count(route string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 1.0
	if s.Lie == "counters that lie" {
		n = 0.5
	}
	s.routed[[2]string{route, strconv.Itoa(status)}] += n
}

func (s *API) table() []route {
	on := func(method, pattern string, do func(*call)) route {
		return route{method, regexp.MustCompile("^" + pattern + "$"), do}
	}
	return []route{
		on("POST", "/v2/session", (*call).login), on("POST", "/v2/session/renew", (*call).renew), on("DELETE", "/v2/session", (*call).logout),
		on("POST", "/v2/session/second", (*call).second),
		on("GET", "/v2/whoami", (*call).whoami), on("POST", "/v2/mfa", (*call).enrol), on("PUT", "/v2/mfa", (*call).confirm),
		on("PUT", "/v2/password", (*call).change), on("POST", "/v2/forgot", (*call).forgot), on("PUT", "/v2/forgot", (*call).unforget),
		on("GET", "/v2/things", (*call).list), on("POST", "/v2/things", (*call).create),
		on("GET", "/v2/things/([^/]+)", (*call).thing), on("PATCH", "/v2/things/([^/]+)", (*call).thing), on("DELETE", "/v2/things/([^/]+)", (*call).thing),
		on("GET", "/v2/people", (*call).people), on("DELETE", "/v2/people/([^/]+)", (*call).bar),
	}
}

func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.served++
	n := s.served
	if s.Lie == "restarts that forget" && n%10 == 0 {
		s.counts = map[string]*count{}
	}
	s.mu.Unlock()
	switch {
	case s.Lie == "one answer in a hundred dropped" && n%100 == 50:
		panic(http.ErrAbortHandler)
	case s.Lie == "stalls" && n%50 == 25:
		time.Sleep(time.Second)
	}
	h := w.Header()
	id := r.Header.Get("X-Request-ID")
	if vs := r.Header.Values("X-Request-ID"); len(vs) != 1 || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$`).MatchString(id) {
		id = uuid.NewString()
	}
	h.Set("X-Request-ID", id)
	for name, v := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-site",
	} {
		h.Set(name, v)
	}
	x := &call{s: s, w: w, r: r}
	defer func() { s.count(x.route(), x.status) }()
	x.ip, _, _ = net.SplitHostPort(r.RemoteAddr)
	if s.Lie == "leftmost X-Forwarded-For" {
		if f := r.Header.Get("X-Forwarded-For"); f != "" {
			x.ip, _, _ = strings.Cut(f, ",")
		}
	}
	if x.operational() || x.crossOrigin() {
		return
	}
	if len(r.TransferEncoding) > 0 {
		h.Set("Connection", "close") // one framing
	}
	var allow []string
	for _, route := range s.routes {
		where := r.URL.Path
		if s.Lie == "limiter on the raw path" {
			where = strings.TrimSuffix(path.Clean(where), "/")
		}
		m := route.path.FindStringSubmatch(where)
		if m == nil {
			continue
		}
		if route.method != r.Method {
			allow = append(allow, route.method)
			continue
		}
		if len(m) > 1 {
			x.id = m[1]
		}
		x.dispatch(route)
		return
	}
	if !x.spend("api", x.subject()) {
		return
	}
	if allow != nil {
		h.Set("Allow", strings.Join(allow, ", "))
		x.fail(405, "method")
		return
	}
	x.fail(404, "path")
}
