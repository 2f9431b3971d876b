package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/identity"
	"vitals/server/identity/mail"
	"vitals/server/identity/password"
	"vitals/server/identity/token"
	"vitals/server/store"
	"vitals/server/web"
)

const (
	secretKey = "0123456789abcdefghijklmnopqrstuv-test"
	goodWord  = "correct horse battery staple"
)

// cheap keeps the tests fast; what depends on the cost says so itself.
var cheap = password.Cost{MemoryKiB: 64, Time: 1, Parallelism: 1}

// site is a running API over the identity routes, as a client meets it.
type site struct {
	t       *testing.T
	db      store.DB
	svc     *identity.Service
	hasher  *password.Hasher
	mail    *postbox
	metrics *prometheus.Registry
	clock   *clock
	log     *safeBuffer
	http    http.Handler
	seeded  []identity.Account // patient 1, 2, clinician, admin
}

type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) forward(d time.Duration) { c.ns.Add(int64(d)) }

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// open starts a site; change may alter options and dependencies first.
func open(t *testing.T, db store.DB, change ...func(*identity.Options, *identity.Deps)) *site {
	t.Helper()
	s := &site{t: t, db: db, metrics: prometheus.NewRegistry(), clock: &clock{}, log: &safeBuffer{}, mail: &postbox{}}
	s.clock.ns.Store(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC).UnixNano())
	keys, err := token.NewKeyring(secretKey, "")
	if err != nil {
		t.Fatal(err)
	}
	s.hasher, err = password.NewHasher(cheap, password.Limits{Concurrency: 4, Queue: 64, Wait: 10 * time.Second}, s.metrics)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	o := identity.Options{
		AccessTTL: 15 * time.Minute, RefreshTTL: 7 * 24 * time.Hour, ChallengeTTL: 5 * time.Minute, ResetTTL: 15 * time.Minute,
		FrontendURL: "https://clinic.test", Registration: true,
	}
	d := identity.Deps{
		DB: db, Keys: keys, Hasher: s.hasher, Passwords: password.NewPolicy(12), Mail: s.mail,
		Metrics: s.metrics, Now: s.clock.now, Log: log,
	}
	d.Gate = gate(t, roomy(), log)
	for _, f := range change {
		f(&o, &d)
	}
	if s.svc, err = identity.New(o, d); err != nil {
		t.Fatal(err)
	}
	s.seeded, err = identity.Seed(t.Context(), db, 2, goodWord, identity.SeedOptions{
		Hash: s.hasher.Hash, Clinicians: 1, Admins: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.http = s.chain()
	return s
}

// chain stands for the server's middleware: address, headers, token, session
// and role, by the same declarations that the real one reads.
func (s *site) chain() http.Handler {
	mux := http.NewServeMux()
	api := web.NewAPI("test", "1", humago.NewAdapter(mux, ""), nil)
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		op := ctx.Operation()
		if len(op.Security) == 0 {
			next(ctx)
			return
		}
		raw, _ := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
		p, err := s.svc.Authenticate(ctx.Context(), raw)
		if err == nil {
			p, err = s.svc.CheckSession(ctx.Context(), p)
		}
		if err != nil {
			_ = huma.WriteErr(api, ctx, err.(*web.Problem).Status, err.(*web.Problem).Code)
			return
		}
		if roles, ok := op.Metadata["roles"].([]web.Role); ok && !slices.Contains(roles, p.Role) {
			_ = huma.WriteErr(api, ctx, http.StatusForbidden, "forbidden")
			return
		}
		next(huma.WithContext(ctx, web.WithPrincipal(ctx.Context(), p)))
	})
	identity.Register(api, s.svc)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := web.WithHeader(r.Context(), w.Header())
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			ctx = web.WithClientIP(ctx, peer.Addr())
		}
		mux.ServeHTTP(w, r.WithContext(ctx))
	})
}

// postbox keeps what is sent, or loses it while broken.
type postbox struct {
	mu     sync.Mutex
	sent   []mail.Message
	broken error
}

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.sent = append(p.sent, m)
	}
	return p.broken
}

// delivered works off the outbox and gives what was sent since the last call.
func (s *site) delivered() []mail.Message {
	s.t.Helper()
	if err := s.svc.Deliver(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	out := s.mail.sent
	s.mail.sent = nil
	return out
}

// answer is a response, read.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a answer) get(t *testing.T, key string) any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.Body, &m); err != nil {
		t.Fatalf("read %q of %s: %v", key, a.Body, err)
	}
	return m[key]
}

func (a answer) text(t *testing.T, key string) string {
	t.Helper()
	s, _ := a.get(t, key).(string)
	return s
}

// call sends body as JSON, from addr when given by from.
func (s *site) call(method, path, bearer string, body any) answer {
	return s.callFrom("192.0.2.1", method, path, bearer, body)
}

func (s *site) callFrom(addr, method, path, bearer string, body any) answer {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			panic(fmt.Sprintf("encode %s %s: %v", method, path, err))
		}
		payload = bytes.NewReader(b)
	}
	r := httptest.NewRequestWithContext(context.Background(), method, "/api/v1"+path, payload)
	r.RemoteAddr = addr + ":4711"
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

type fields map[string]any

// login signs in and demands tokens.
func (s *site) login(email, word string) (access, refresh string) {
	s.t.Helper()
	a := s.call("POST", "/auth/login", "", fields{"email": email, "password": word})
	if a.Status != http.StatusOK || a.text(s.t, "access_token") == "" {
		s.t.Fatalf("login %s: got %d %s, want 200 with tokens", email, a.Status, a.Body)
	}
	return a.text(s.t, "access_token"), a.text(s.t, "refresh_token")
}

// want checks a status and, for refusals, the machine word.
func (s *site) want(name string, a answer, status int, code string) {
	s.t.Helper()
	if a.Status != status {
		s.t.Errorf("%s: got %d %s, want %d", name, a.Status, a.Body, status)
		return
	}
	if code != "" && a.text(s.t, "code") != code {
		s.t.Errorf("%s: got code %s, want %s", name, a.Body, code)
	}
}

// parallel runs f n times at one barrier and counts the statuses.
func parallel(n int, f func(i int) answer) map[int]int {
	var wg sync.WaitGroup
	start := make(chan struct{})
	got := make([]int, n)
	for i := range n {
		wg.Go(func() {
			<-start
			got[i] = f(i).Status
		})
	}
	close(start)
	wg.Wait()
	count := map[int]int{}
	for _, status := range got {
		count[status]++
	}
	return count
}
