package audit_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"vitals/audit"
	"vitals/profiles"
)

// stranger is an API that shares nothing with the reference one: its own router,
// paths, field names and limiter, all in memory. A fault breaks it in one named
// way, so that each probe is seen to catch what it is for.
type stranger struct {
	fault  string
	limits map[string]profiles.Limit
	secret []byte
	origin string
	routes []strangeRoute

	mu     sync.Mutex
	users  map[string]*strangeUser
	tokens map[string]*strangeToken // refresh
	dares  map[string]*dare
	resets map[string]string // token → email
	mails  map[string]string
	things map[string]string // id → owner
	shelf  map[string]*strangeShelf
}

type strangeUser struct {
	id, email, password string
	admin, barred       bool
	version             int
	otp                 string
	confirmed           bool
	step                int64
}

type strangeToken struct {
	email, family string
	version       int
	used          bool
}

type dare struct {
	email string
	tries int
}

type strangeShelf struct {
	failed  []strangeMark
	pending int
	until   time.Time
}

type strangeMark struct {
	at   time.Time
	user string
}

type strangeRoute struct {
	method string
	path   *regexp.Regexp
	do     func(x *strangeCall)
}

// strangeCall is one request being served.
type strangeCall struct {
	s    *stranger
	w    http.ResponseWriter
	r    *http.Request
	id   string // of the path
	body map[string]any
	user *strangeUser
	ip   string
}

const hashTime = 8 * time.Millisecond

func newStranger(fault string) *stranger {
	s := &stranger{
		fault: fault, secret: []byte(rand.Text()), origin: "https://app.stranger.example",
		limits: map[string]profiles.Limit{
			"login":  {Limit: 5, Window: 6 * time.Second, Lock: 4 * time.Second},
			"codes":  {Limit: 10, Window: 20 * time.Second, Lock: 20 * time.Second},
			"reset":  {Limit: 3, Window: time.Hour},
			"change": {Limit: 5, Window: time.Hour},
			"api":    {Limit: 100, Window: 5 * time.Second},
		},
		users: map[string]*strangeUser{}, tokens: map[string]*strangeToken{}, dares: map[string]*dare{}, resets: map[string]string{},
		mails: map[string]string{}, things: map[string]string{}, shelf: map[string]*strangeShelf{},
	}
	s.routes = s.table()
	return s
}

// serve starts it and describes it as an audit's target.
func (s *stranger) serve(t testing.TB) *audit.Target {
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout, srv.Config.MaxHeaderBytes = time.Second, 2*time.Second, 16<<10
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profiles.Open("testdata/stranger.yaml")
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
		a := audit.Account{Email: fmt.Sprintf("user%d@stranger.example", i), Password: "pw-" + rand.Text()}
		if i == 0 {
			a.Role = "admin"
		}
		g.Accounts = append(g.Accounts, a)
		s.users[a.Email] = &strangeUser{id: uuid.NewString(), email: a.Email, password: a.Password, admin: i == 0}
	}
	return g
}

func (s *stranger) table() []strangeRoute {
	on := func(method, pattern string, do func(*strangeCall)) strangeRoute {
		return strangeRoute{method, regexp.MustCompile("^" + pattern + "$"), do}
	}
	return []strangeRoute{
		on("POST", "/v2/session", (*strangeCall).login), on("POST", "/v2/session/renew", (*strangeCall).renew),
		on("POST", "/v2/session/second", (*strangeCall).second),
		on("GET", "/v2/whoami", (*strangeCall).whoami), on("POST", "/v2/mfa", (*strangeCall).enrol), on("PUT", "/v2/mfa", (*strangeCall).confirm),
		on("PUT", "/v2/password", (*strangeCall).change), on("POST", "/v2/forgot", (*strangeCall).forgot), on("PUT", "/v2/forgot", (*strangeCall).unforget),
		on("GET", "/v2/things", (*strangeCall).list), on("POST", "/v2/things", (*strangeCall).create),
		on("GET", "/v2/things/([^/]+)", (*strangeCall).thing), on("PATCH", "/v2/things/([^/]+)", (*strangeCall).thing), on("DELETE", "/v2/things/([^/]+)", (*strangeCall).thing),
		on("DELETE", "/v2/people/([^/]+)", (*strangeCall).bar),
	}
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	x := &strangeCall{s: s, w: w, r: r}
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
func (x *strangeCall) dispatch(route strangeRoute) {
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

func (x *strangeCall) read(own bool) bool {
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

func (x *strangeCall) text(name string) string { s, _ := x.body[name].(string); return s }

func (x *strangeCall) operational() bool {
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

func (x *strangeCall) crossOrigin() bool {
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

func (x *strangeCall) fail(status int, why string) {
	x.answer(status, map[string]any{"problem": why, "request_id": x.w.Header().Get("X-Request-ID")})
}

func (x *strangeCall) answer(status int, v any) {
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

// sign makes an access token of its own kind: no JWT.
func (s *stranger) sign(u *strangeUser) string {
	text := fmt.Sprintf("%s|%d|%d", u.email, u.version, time.Now().Add(15*time.Minute).Unix())
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + hex.EncodeToString(mac.Sum(nil))
}

func (x *strangeCall) authenticate() {
	raw, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	text, mac, two := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(text)
	want := hmac.New(sha256.New, x.s.secret)
	want.Write(b)
	if !ok || !two || err != nil || mac != hex.EncodeToString(want.Sum(nil)) {
		return
	}
	parts := strings.Split(string(b), "|")
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if u := x.s.users[parts[0]]; u != nil && strconv.Itoa(u.version) == parts[1] && !u.barred {
		x.user = u
	}
}

func (x *strangeCall) subject() string {
	if x.user != nil {
		return x.user.email
	}
	return x.ip
}

// prove is the password check, which takes its time.
func (s *stranger) prove(u *strangeUser, word string) bool {
	if u == nil && s.fault == "unknown user faster than known" {
		time.Sleep(hashTime / 2)
		return false
	}
	time.Sleep(hashTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	return u != nil && u.password == word && !u.barred
}

func (x *strangeCall) login() {
	mail := strings.ToLower(x.text("mail"))
	if mail == "" || !strings.Contains(mail, "@") {
		x.spend("api", x.subject())
		x.fail(422, "mail")
		return
	}
	settle, ok := x.enter("login", x.ip)
	if !ok {
		return
	}
	x.s.mu.Lock()
	u := x.s.users[mail]
	x.s.mu.Unlock()
	if !x.s.prove(u, x.text("word")) {
		settle(false, mail)
		if x.s.fault == "200 with success false" {
			x.answer(200, map[string]any{"success": false})
			return
		}
		x.fail(401, "credentials")
		return
	}
	x.s.mu.Lock()
	second := u.confirmed
	x.s.mu.Unlock()
	settle(true, mail)
	if second {
		id := rand.Text()
		x.s.mu.Lock()
		x.s.dares[id] = &dare{email: mail}
		x.s.mu.Unlock()
		x.answer(200, map[string]any{"state": "second", "dare": id})
		return
	}
	x.answer(200, x.pair(u, ""))
}

func (x *strangeCall) pair(u *strangeUser, family string) map[string]any {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	raw := rand.Text()
	if family == "" {
		family = raw
	}
	x.s.tokens[raw] = &strangeToken{email: u.email, family: family, version: u.version}
	return map[string]any{"data": map[string]any{"jwt": x.s.sign(u), "renewal": raw, "who": u.id}}
}

func (x *strangeCall) renew() {
	x.s.mu.Lock()
	k := x.s.tokens[x.text("renewal")]
	var u *strangeUser
	good := false
	if k != nil {
		u = x.s.users[k.email]
		good = k.version == u.version && (!k.used || x.s.fault == "refresh reuse accepted")
		if k.used && x.s.fault != "refresh reuse accepted" {
			u.version++ // the family is dead; here everything of the user is
		}
		if x.s.fault == "refresh race" {
			x.s.mu.Unlock()
			time.Sleep(hashTime)
			x.s.mu.Lock()
		}
		k.used = true
	}
	x.s.mu.Unlock()
	if !x.spend("api", x.subject()) {
		return
	}
	if !good {
		x.fail(401, "renewal")
		return
	}
	x.answer(200, x.pair(u, k.family))
}

func (x *strangeCall) whoami() {
	x.answer(200, map[string]any{"id": x.user.id, "mail": x.user.email})
}

func (x *strangeCall) enrol() {
	if !x.spend("change", x.subject()) {
		return
	}
	k, _ := totp.Generate(totp.GenerateOpts{Issuer: "s", AccountName: x.user.email})
	x.s.mu.Lock()
	x.user.otp = k.Secret()
	x.s.mu.Unlock()
	x.answer(200, map[string]any{"seed": k.Secret()})
}

// accept takes a code once, within one step of now.
func (x *strangeCall) accept(u *strangeUser, digits string) bool {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	now := time.Now()
	for d := int64(-1); d <= 1; d++ {
		step := now.Unix()/30 + d
		c, _ := totp.GenerateCode(u.otp, time.Unix(step*30, 0))
		if c == digits && (step > u.step || x.s.fault == "TOTP replay") {
			u.step = step
			return true
		}
	}
	return false
}

func (x *strangeCall) confirm() {
	settle, ok := x.enter("codes", x.ip)
	if !ok {
		return
	}
	good := x.accept(x.user, x.text("digits"))
	settle(good, x.user.email)
	if !good {
		x.fail(401, "digits")
		return
	}
	x.s.mu.Lock()
	x.user.confirmed = true
	x.s.mu.Unlock()
	x.answer(200, map[string]any{"on": true})
}

func (x *strangeCall) second() {
	x.s.mu.Lock()
	d := x.s.dares[x.text("dare")]
	x.s.mu.Unlock()
	if d == nil {
		x.fail(401, "dare")
		return
	}
	settle, ok := x.enter("codes", x.ip)
	if !ok {
		return
	}
	x.s.mu.Lock()
	d.tries++
	u, dead := x.s.users[d.email], d.tries > 5
	x.s.mu.Unlock()
	good := !dead && x.accept(u, x.text("digits"))
	settle(good, d.email)
	if !good {
		x.fail(401, "digits")
		return
	}
	x.answer(200, x.pair(u, ""))
}

func (x *strangeCall) change() {
	if !x.spend("change", x.ip) || !x.spend("change", x.subject()) {
		return
	}
	if !x.s.prove(x.user, x.text("old")) {
		x.fail(401, "old")
		return
	}
	x.s.mu.Lock()
	x.user.password = x.text("new")
	if x.s.fault != "sessions survive a change" {
		x.user.version++
	}
	x.s.mu.Unlock()
	x.answer(200, x.pair(x.user, ""))
}

func (x *strangeCall) forgot() {
	if !x.spend("reset", x.ip) {
		return
	}
	mail := strings.ToLower(x.text("mail"))
	x.s.mu.Lock()
	if x.s.users[mail] != nil {
		for k, m := range x.s.resets {
			if m == mail {
				delete(x.s.resets, k)
			}
		}
		k := rand.Text()
		x.s.resets[k], x.s.mails[mail] = mail, "use key: "+k
	}
	x.s.mu.Unlock()
	x.answer(202, map[string]any{"state": "accepted"})
}

func (x *strangeCall) unforget() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	mail, ok := x.s.resets[x.text("key")]
	if !ok {
		x.fail(401, "key")
		return
	}
	delete(x.s.resets, x.text("key"))
	u := x.s.users[mail]
	u.password, u.version = x.text("new"), u.version+1
	x.answer(200, map[string]any{"state": "changed"})
}

func (x *strangeCall) list() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	out := []map[string]any{}
	for id, owner := range x.s.things {
		if owner == x.user.email {
			out = append(out, map[string]any{"ref": id})
		}
	}
	x.answer(200, out)
}

func (x *strangeCall) create() {
	id := uuid.NewString()
	x.s.mu.Lock()
	x.s.things[id] = x.user.email
	x.s.mu.Unlock()
	x.answer(201, map[string]any{"ref": id, "name": x.text("name")})
}

func (x *strangeCall) thing() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	owner, ok := x.s.things[x.id]
	if !ok || owner != x.user.email && x.s.fault != "foreign objects readable" {
		x.fail(404, "thing")
		return
	}
	if x.r.Method == "DELETE" {
		delete(x.s.things, x.id)
		x.w.WriteHeader(204)
		return
	}
	x.answer(200, map[string]any{"ref": x.id, "name": x.text("name")})
}

func (x *strangeCall) bar() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	for _, u := range x.s.users {
		if x.user.admin && u.id == x.id {
			u.barred = true
			x.answer(200, map[string]any{"state": "barred"})
			return
		}
	}
	x.fail(404, "person")
}
