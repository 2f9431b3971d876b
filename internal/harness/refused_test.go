package harness

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"vitals/internal/exit"
)

// When no user can sign in before the measured window, nothing runs during it: the
// connections that the intruders had made by then are closed all the same.
func TestRefusedSignInLeavesNoConnection(t *testing.T) {
	var mu sync.Mutex
	signingIn, made := map[string]bool{}, 0 // connections that a sign-in came on, while they are open
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			mu.Lock()
			if !signingIn[r.RemoteAddr] {
				made++
			}
			signingIn[r.RemoteAddr] = true
			mu.Unlock()
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			mu.Lock()
			delete(signingIn, c.RemoteAddr().String())
			mu.Unlock()
		}
	}
	left := func() (open, all int) { mu.Lock(); defer mu.Unlock(); return len(signingIn), made }
	s.Start()
	defer s.Close()
	refused := file(t, "refused.yaml", reads(`users: 2
run_for: 2s
sign_in: before
intruders:
  - {name: spray, kind: password spraying, addresses: 2, accounts: 2, rate: 10/s, after: 100ms, for: 1s}`+signIn))
	r := carryOut(t, refused, "--url", s.URL, "--accounts", accounts(t, 20), "--targets", "none")
	_, all := left()
	if r.code == exit.Pass || r.code == exit.Usage || all < 2 {
		t.Fatalf("got exit %d after %d connections, want a run whose users and intruders were refused:\n%s%s", r.code, all, r.out, r.talk)
	}
	open := all
	for end := time.Now().Add(10 * time.Second); open > 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		open, _ = left()
	}
	if open > 0 {
		t.Errorf("%d of %d connections are left open", open, all)
	}
}
