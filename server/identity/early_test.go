package identity_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/server/identity"
	"vitals/server/identity/password"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// What is known before a sign-in's body is read is refused as the sign-in itself
// would be.
func TestSignInsAreRefusedEarlyAsLate(t *testing.T) {
	narrow, err := password.NewHasher(password.Cost{MemoryKiB: 64, Time: 1, Parallelism: 1}, password.Limits{Concurrency: 1, Wait: time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, storetest.SQLite(t), published(t), func(_ *identity.Options, d *identity.Deps) { d.Hasher = narrow })
	early := func(pattern, addr string) (*web.Problem, http.Header) {
		h := http.Header{}
		ctx := web.WithHeader(web.WithClientIP(context.Background(), netip.MustParseAddr(addr)), h)
		err := s.svc.Early()[pattern](ctx)
		p, _ := err.(*web.Problem)
		return p, h
	}
	const login, verify = "POST /api/v1/auth/login", "POST /api/v1/auth/2fa/verify"
	if p, h := early(login, "192.0.2.1"); p != nil || len(h) != 0 {
		t.Errorf("an unknown client: got %v and %v, want nothing", p, h)
	}
	for range 6 {
		s.try("192.0.2.1", patient, "wrong")
	}
	late := s.try("192.0.2.1", patient, goodWord)
	s.want("locked", late, http.StatusTooManyRequests, "locked_out")
	p, h := early(login, "192.0.2.1")
	if p == nil || p.Status != http.StatusTooManyRequests || p.Code != "locked_out" {
		t.Fatalf("locked: got %v, want 429 locked_out", p)
	}
	for _, name := range []string{"Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Window", "X-RateLimit-Policy"} {
		if diff := cmp.Diff(late.Header.Values(name), h.Values(name)); diff != "" {
			t.Errorf("%s (-late +early):\n%s", name, diff)
		}
	}
	if p, _ := early(login, "192.0.2.2"); p != nil {
		t.Errorf("another address: got %v", p)
	}
	if p, _ := early(verify, "192.0.2.1"); p != nil {
		t.Errorf("another policy: got %v", p)
	}
	turn, err := narrow.Queue() // the only one
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := early(login, "192.0.2.2"); p == nil || p.Code != "hash_capacity" || p.RetryAfter < 1 {
		t.Errorf("no hash to be had: got %v, want 503 hash_capacity", p)
	}
	if p, _ := early(login, "192.0.2.1"); p == nil || p.Code != "locked_out" {
		t.Errorf("no hash to be had, and locked: got %v, want locked_out", p)
	}
	turn.Leave()
	if p, _ := early(login, "192.0.2.2"); p != nil {
		t.Errorf("a hash can be had again: got %v", p)
	}
}
