package audit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// A wait that grows is told and kept as it is promised, or LK2 fails: one that is shorter, one
// that does not grow, and one that is told shorter than it is.
func TestAWaitThatGrowsIsTried(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, c := range []struct {
		name          string
		promised      string
		first, second time.Duration // that are kept
		told          bool
		less          int // seconds that Retry-After is short of
		want          audit.Status
		words         string
	}{
		{"kept", "from: 2s, to: 8s", 2 * s, 4 * s, true, 0, audit.Pass, ""},
		{"kept, untold", "from: 2s, to: 8s", 2 * s, 4 * s, false, 0, audit.Pass, ""},
		{"kept, of a minute", "from: 1m, to: 15m", time.Minute, 2 * time.Minute, true, 0, audit.Pass, ""},
		{"longer", "from: 2s, to: 8s", 6 * s, 9 * s, false, 0, audit.Pass, ""},
		{"shorter", "from: 30s, to: 15m", s / 3, s / 3, false, 0, audit.Fail, "the wait is to be 30s"},
		{"does not grow", "from: 2s, to: 8s", 2 * s, 2 * s, false, 0, audit.Fail, "the wait is to be 4s"},
		{"told too short", "from: 30s, to: 15m", 30 * s, 60 * s, true, 20, audit.Fail, "of a wait of 30s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			failed, until := map[string]int{}, map[string]time.Time{}
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/login" {
					w.WriteHeader(http.StatusOK)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				who := r.FormValue("user")
				if left := time.Until(until[who]); left > 0 {
					if c.told {
						w.Header().Set("Retry-After", fmt.Sprint(max(1, int((left+s-1)/s)-c.less)))
					}
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				switch failed[who]++; failed[who] {
				case 1, 2:
				case 3:
					until[who] = time.Now().Add(c.first)
				default:
					until[who] = time.Now().Add(c.second)
				}
				w.WriteHeader(http.StatusUnauthorized)
			}))
			defer api.Close()
			u, _ := url.Parse(api.URL)
			p, err := profile.Read(strings.NewReader(fmt.Sprintf("profile: waits\nlimits: {login: {limit: 3, delay: {%s}, counts: failures, by: account}}\npromises: {limit_headers: {form: none, retry_after: %v}}\noperations:\n"+
				"  health: {path: /health, policy: none}\n  login: {method: POST, path: /login, form: true, body: {user: \"{{email}}\", password: \"{{password}}\"}, policy: login}\n", c.promised, c.told)), "waits.yaml")
			if err != nil {
				t.Fatal(err)
			}
			g := &audit.Target{URL: u, Profile: p, Own: true, Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 8, byte(n >> 8), byte(n)}) }}
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2"), g, audit.Options{Patience: time.Minute})
			if f := rep.Findings[0]; f.Status != c.want || !strings.Contains(f.Reason, c.words) {
				t.Errorf("got %v %q, want %v and %q", f.Status, f.Reason, c.want, c.words)
			}
		})
	}
}
