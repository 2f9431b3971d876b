package audit_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// thirdParty is an API that shares nothing with the reference one: its own router,
// paths, field names and limiter, all in memory. A fault breaks it in one named
// way, so that each probe is seen to catch what it is for.
type thirdParty struct {
	fault  string
	limits map[string]profile.Limit
	secret []byte
	origin string
	routes []partyRoute

	mu         sync.Mutex
	users      map[string]*partyUser
	tokens     map[string]*partyToken // refresh
	challenges map[string]*partyChallenge
	resets     map[string]string // token → email
	mails      map[string]string
	things     map[string]string // id → owner
	counts     map[string]*partyCount
}

type partyUser struct {
	id, email, password string
	admin, barred       bool
	version             int
	otp                 string
	confirmed           bool
	step                int64
}

type partyToken struct {
	email, family string
	version       int
	used          bool
}

type partyChallenge struct {
	email string
	tries int
}

type partyCount struct {
	failed  []partyMark
	pending int
	until   time.Time
}

type partyMark struct {
	at   time.Time
	user string
}

type partyRoute struct {
	method string
	path   *regexp.Regexp
	do     func(x *partyCall)
}

// partyCall is one request being served.
type partyCall struct {
	s    *thirdParty
	w    http.ResponseWriter
	r    *http.Request
	id   string // of the path
	body map[string]any
	user *partyUser
	ip   string
}

const hashTime = 8 * time.Millisecond

func newThirdParty(fault string) *thirdParty {
	s := &thirdParty{
		fault: fault, secret: []byte(rand.Text()), origin: "https://app.thirdparty.example",
		limits: map[string]profile.Limit{
			"login":  {Limit: 5, Window: 6 * time.Second, Lock: 4 * time.Second},
			"codes":  {Limit: 10, Window: 20 * time.Second, Lock: 20 * time.Second},
			"reset":  {Limit: 3, Window: time.Hour},
			"change": {Limit: 5, Window: time.Hour},
			"api":    {Limit: 100, Window: 5 * time.Second},
		},
		users: map[string]*partyUser{}, tokens: map[string]*partyToken{}, challenges: map[string]*partyChallenge{}, resets: map[string]string{},
		mails: map[string]string{}, things: map[string]string{}, counts: map[string]*partyCount{},
	}
	s.routes = s.table()
	return s
}

// serve starts it and describes it as an audit's target.
func (s *thirdParty) serve(t testing.TB) *audit.Target {
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout, srv.Config.MaxHeaderBytes = time.Second, 2*time.Second, 16<<10
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Open("testdata/thirdparty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := &audit.Target{
		URL: u, Profile: p, Own: true, Origin: s.origin,
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
		s.users[a.Email] = &partyUser{id: uuid.NewString(), email: a.Email, password: a.Password, admin: i == 0}
	}
	return g
}

func (s *thirdParty) table() []partyRoute {
	on := func(method, pattern string, do func(*partyCall)) partyRoute {
		return partyRoute{method, regexp.MustCompile("^" + pattern + "$"), do}
	}
	return []partyRoute{
		on("POST", "/v2/session", (*partyCall).login), on("POST", "/v2/session/renew", (*partyCall).renew),
		on("POST", "/v2/session/second", (*partyCall).second),
		on("GET", "/v2/whoami", (*partyCall).whoami), on("POST", "/v2/mfa", (*partyCall).enrol), on("PUT", "/v2/mfa", (*partyCall).confirm),
		on("PUT", "/v2/password", (*partyCall).change), on("POST", "/v2/forgot", (*partyCall).forgot), on("PUT", "/v2/forgot", (*partyCall).unforget),
		on("GET", "/v2/things", (*partyCall).list), on("POST", "/v2/things", (*partyCall).create),
		on("GET", "/v2/things/([^/]+)", (*partyCall).thing), on("PATCH", "/v2/things/([^/]+)", (*partyCall).thing), on("DELETE", "/v2/things/([^/]+)", (*partyCall).thing),
		on("DELETE", "/v2/people/([^/]+)", (*partyCall).bar),
	}
}

func (s *thirdParty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	id := r.Header.Get("X-Request-ID")
	if vs := r.Header.Values("X-Request-ID"); len(vs) != 1 || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$`).MatchString(id) {
		id = uuid.NewString()
	}
	h.Set("X-Request-ID", id)
	for name, v := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-site",
	} {
		h.Set(name, v)
	}
	x := &partyCall{s: s, w: w, r: r}
	x.ip, _, _ = net.SplitHostPort(r.RemoteAddr)
	if s.fault == "leftmost X-Forwarded-For" {
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
		if s.fault == "limiter on the raw path" {
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

// dispatch authenticates, counts, reads the body and does the work.
func (x *partyCall) dispatch(route partyRoute) {
	open := strings.HasPrefix(x.r.URL.Path, "/v2/session") || strings.HasPrefix(path.Clean(x.r.URL.Path), "/v2/session") || x.r.URL.Path == "/v2/forgot"
	x.authenticate()
	own := route.method != "GET" && (open || strings.HasPrefix(x.r.URL.Path, "/v2/mfa") || x.r.URL.Path == "/v2/password")
	if !own && !x.spend("api", x.subject()) {
		return
	}
	if !open && x.user == nil {
		x.w.Header().Set("WWW-Authenticate", "Bearer")
		x.fail(401, "token")
		return
	}
	if x.r.Method != "GET" && x.r.Method != "DELETE" {
		if !x.read(own) {
			return
		}
	}
	route.do(x)
}

func (x *partyCall) read(own bool) bool {
	refuse := func(status int, why string) bool {
		if own && !x.spend("api", x.subject()) {
			return false
		}
		x.fail(status, why)
		return false
	}
	if x.r.Header.Get("Content-Type") != "application/json" {
		return refuse(415, "type")
	}
	b, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, 4<<10))
	if err != nil {
		return refuse(413, "size")
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	if strings.Contains(string(b), strings.Repeat("[", 40)) || d.Decode(&x.body) != nil {
		return refuse(400, "JSON")
	}
	for name := range x.body {
		if !slices.Contains([]string{"name", "mail", "word", "old", "new", "renewal", "dare", "digits", "key"}, name) {
			return refuse(422, "field")
		}
	}
	return true
}

func (x *partyCall) text(name string) string { s, _ := x.body[name].(string); return s }

func (x *partyCall) operational() bool {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	m := map[string]any{"timestamp": now}
	switch x.r.URL.Path {
	case "/health":
		m["status"], m["version"], m["env"] = "healthy", "2", "test"
	case "/ready":
		m["status"], m["version"], m["checks"] = "ready", "2", map[string]bool{"database": true, "config": true}
	case "/live":
		m["status"] = "alive"
	default:
		return false
	}
	x.answer(200, m)
	return true
}

func (x *partyCall) crossOrigin() bool {
	h, origin := x.w.Header(), x.r.Header.Get("Origin")
	if x.s.fault != "Vary missing" {
		h.Add("Vary", "Origin")
	}
	ok := origin == x.s.origin || x.s.fault == "null origin reflected" && origin == "null"
	preflight := x.r.Method == "OPTIONS" && x.r.Header.Get("Access-Control-Request-Method") != ""
	if ok {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Request-ID, Retry-After")
		if preflight {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		}
	}
	if preflight {
		x.w.WriteHeader(204)
	}
	return preflight
}

func (x *partyCall) fail(status int, why string) {
	x.answer(status, map[string]any{"problem": why, "request_id": x.w.Header().Get("X-Request-ID")})
}

func (x *partyCall) answer(status int, v any) {
	h := x.w.Header()
	if x.s.fault == "headers only on success" && status >= 400 {
		for _, n := range []string{"Limit", "Remaining", "Reset", "Window"} {
			h.Del("X-RateLimit-" + n)
		}
	}
	h.Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_ = json.NewEncoder(x.w).Encode(v)
}
