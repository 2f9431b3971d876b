package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"vitals/server/identity"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/store/storetest"
	"vitals/server/web"
)

// published puts a site behind the limits as they are published.
func published(t *testing.T) func(*identity.Options, *identity.Deps) {
	return func(_ *identity.Options, d *identity.Deps) { d.Gate = gate(t, limit.Published(), nil) }
}

func (s *site) try(addr, email, word string) answer {
	return s.callFrom(addr, "POST", "/auth/login", "", fields{"email": email, "password": word})
}

// LK8: counting after the hash would let all of them be judged.
func TestParallelGuessesAreJudgedFiveTimes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		before := hashes(t, s.metrics)
		got := parallel(200, func(int) answer { return s.try("192.0.2.1", patient, "wrong") })
		if want := map[int]int{401: 5, 429: 195}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := hashes(t, s.metrics) - before; n != 5 {
			t.Errorf("got %d hashes, want 5", n)
		}
	})
}

// LK13: colleagues behind one address are no attackers.
func TestBusyIsNotLocked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		got := parallel(50, func(int) answer { return s.try("192.0.2.1", patient, goodWord) })
		if want := map[int]int{200: 50}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// LK1, LK2: each failure counts once, none trickles back, the sixth locks.
func TestOneAttemptCountsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		for i := range 5 {
			a := s.try("192.0.2.1", patient, "wrong")
			s.want(fmt.Sprintf("failure %d", i+1), a, 401, "invalid_credentials")
			if got, want := a.remaining(), strconv.Itoa(4-i); got != want {
				t.Errorf("failure %d: remaining: got %s, want %s", i+1, got, want)
			}
		}
		a := s.try("192.0.2.1", patient, "wrong")
		s.want("sixth", a, 429, "locked_out")
		if got := a.Header.Get("Retry-After"); got != "900" || a.remaining() != "0" {
			t.Errorf("sixth: got Retry-After %s, remaining %s, want 900, 0", got, a.remaining())
		}
		s.want("another address", s.try("192.0.2.2", patient, goodWord), 200, "")
	})
}

// LK14 and LK15: a success forgives that user's failures and no others.
func TestOwnSuccessClearsOwnFailuresOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		const victim, own = "patient-000002@clinic.test", patient
		for range 3 {
			for range 3 {
				s.want("typo", s.try("192.0.2.1", own, "wrong"), 401, "")
			}
			s.want("own success", s.try("192.0.2.1", own, goodWord), 200, "")
		}
		for range 4 {
			s.want("guess", s.try("198.51.100.1", victim, "wrong"), 401, "")
		}
		s.want("own success between", s.try("198.51.100.1", own, goodWord), 200, "")
		s.want("fifth guess", s.try("198.51.100.1", victim, "wrong"), 401, "")
		s.want("sixth guess", s.try("198.51.100.1", victim, "wrong"), 429, "locked_out")
	})
}

func TestAttemptsDuringALockDoNotExtendIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		for range 5 {
			s.try("192.0.2.1", patient, "wrong")
		}
		end := s.try("192.0.2.1", patient, "wrong").Header.Get("X-RateLimit-Reset")
		for range 50 {
			a := s.try("192.0.2.1", patient, "wrong")
			s.want("during", a, 429, "locked_out")
			got, _ := strconv.Atoi(a.Header.Get("X-RateLimit-Reset"))
			if want, _ := strconv.Atoi(end); got < want-1 || got > want+1 {
				t.Fatalf("the lock ends at %d, was %d", got, want)
			}
		}
	})
}

// LK26: a database that is down is not the client's fault.
func TestDatabaseTroubleIsNoFailure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		lame := &lameDB{DB: db}
		s := open(t, lame, published(t))
		lame.down = web.Fail(503, "pool_timeout", "The database is busy.").WithRetry(time.Second)
		for range 10 {
			s.want("down", s.try("192.0.2.1", patient, goodWord), 503, "pool_timeout")
		}
		lame.down = errors.New("connection refused by db.internal")
		a := s.try("192.0.2.1", patient, goodWord)
		s.want("broken", a, 500, "internal")
		if bytes.Contains(a.Body, []byte("db.internal")) {
			t.Errorf("the cause is sent: %s", a.Body)
		}
		lame.down = nil
		a = s.try("192.0.2.1", patient, goodWord)
		s.want("up", a, 200, "")
		if a.remaining() != "5" {
			t.Errorf("remaining: got %s, want 5", a.remaining())
		}
	})
}

type lameDB struct {
	store.DB
	down error
}

func (l *lameDB) Read(ctx context.Context, fn func(context.Context, store.Querier) error) error {
	if l.down != nil {
		return l.down
	}
	return l.DB.Read(ctx, fn)
}

// LK27: hanging up is no refund.
func TestAnAbortedAttemptIsJudged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			body := &hangUp{Reader: bytes.NewReader([]byte(`{"email":"` + patient + `","password":"wrong"}`)), cancel: cancel}
			r := httptest.NewRequestWithContext(ctx, "POST", "/api/v1/auth/login", body)
			r.RemoteAddr = "192.0.2.1:4711"
			r.Header.Set("Content-Type", "application/json")
			s.http.ServeHTTP(httptest.NewRecorder(), r)
			cancel()
		}
		s.want("sixth", s.try("192.0.2.1", patient, goodWord), 429, "locked_out")
	})
}

// hangUp is a client that goes away as soon as its body is read.
type hangUp struct {
	*bytes.Reader
	cancel context.CancelFunc
}

func (h *hangUp) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if h.Len() == 0 {
		h.cancel()
	}
	return n, err
}

// LK29: guesses from everywhere wait, the owner at a known address does not, and
// a reset ends it.
func TestAccountThrottleSparesKnownAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db, published(t))
		s.want("the owner, once", s.try("192.0.2.1", patient, goodWord), 200, "")
		guess := func(i int) answer { return s.try(fmt.Sprintf("198.51.100.%d", i), patient, "wrong") }
		for i := range 20 {
			s.want("guess", guess(i), 401, "invalid_credentials")
		}
		before := hashes(t, s.metrics)
		a := s.try("198.51.100.200", patient, goodWord)
		s.want("right, from an unknown address", a, 429, "locked_out")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if n := hashes(t, s.metrics) - before; n != 0 {
			t.Errorf("got %d hashes, want 0", n)
		}
		s.want("the owner, at home", s.try("192.0.2.1", patient, goodWord), 200, "")
		s.want("other accounts", s.try("198.51.100.201", "patient-000002@clinic.test", goodWord), 200, "")

		s.want("reset", s.confirmReset(s.resetToken(patient), newWord), 204, "")
		s.want("after the reset", s.try("198.51.100.202", patient, newWord), 200, "")
	})
}
