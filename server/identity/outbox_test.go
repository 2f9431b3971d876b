package identity_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// Run is woken by the request that leaves it work, and ends with its context.
func TestRunDeliversAndEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.svc.Run(ctx) }()
		s.want("ask", s.requestReset(patient), 202, "")
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			s.mail.mu.Lock()
			n := len(s.mail.sent)
			s.mail.mu.Unlock()
			if n == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no mail after 20 s")
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: got %v, want nil", err)
		}
	})
}

// Any number of processes may deliver: each mail goes out once.
func TestParallelDeliverySendsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		for i := range 2 {
			s.want("ask", s.requestReset(fmt.Sprintf("patient-%06d@clinic.test", i+1)), 202, "")
		}
		errs := make(chan error, 8)
		for range 8 {
			go func() { errs <- s.svc.Deliver(t.Context()) }()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Errorf("deliver: %v", err)
			}
		}
		if sent := s.delivered(); len(sent) != 2 {
			t.Errorf("got %d mails, want 2", len(sent))
		}
	})
}

func TestSweepDeletesWhatExpired(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		s.enrolled(patient)
		s.challenge(patient)
		_, refresh := s.login("patient-000002@clinic.test", goodWord)
		s.clock.forward(6 * 24 * time.Hour)
		s.want("renewed", s.refresh(refresh), 200, "")
		s.clock.forward(25 * time.Hour)
		if err := s.svc.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"sessions": 1, "refresh_tokens": 1, "challenges": 0, "known_ips": 2} {
			var got int
			s.scan(&got, `SELECT COUNT(*) FROM `+table)
			if got != want {
				t.Errorf("%s: got %d rows, want %d", table, got, want)
			}
		}
		s.clock.forward(30 * 24 * time.Hour)
		if err := s.svc.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var known int
		s.scan(&known, `SELECT COUNT(*) FROM known_ips`)
		if known != 0 {
			t.Errorf("known_ips: got %d rows, want 0", known)
		}
	})
}
