package server

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// With every pooled connection taken the service stays ready, and requests get
// their 503 when the pool's patience ends (probes HL6, DB2).
func TestSaturatedPoolStaysReady(t *testing.T) {
	cfg := testConfig(t, "DATABASE_URL="+storetest.PostgresURL(t), "DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=1", "DB_POOL_TIMEOUT=1")
	r, err := OpenServices(t.Context(), cfg, Host{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	bed := newTestbed(t, func(d *Deps) {
		d.CheckDatabase, d.CheckSession = r.deps.CheckDatabase, r.deps.CheckSession
	})
	release := make(chan struct{})
	var held sync.WaitGroup
	taken := make(chan struct{}, 2)
	for range 2 {
		held.Go(func() {
			_ = r.db.Read(t.Context(), func(context.Context, store.Querier) error {
				taken <- struct{}{}
				<-release
				return nil
			})
		})
	}
	<-taken
	<-taken
	for range 5 {
		if a := bed.ask(t, "GET", "/ready", ""); a.StatusCode != 200 {
			t.Errorf("/ready: got %d %s, want 200 beside a saturated pool", a.StatusCode, a.Text)
		}
		time.Sleep(300 * time.Millisecond)
	}
	began := time.Now()
	a := bed.ask(t, "GET", "/api/v1/items/1", "", "Authorization: Bearer patient")
	if took := time.Since(began); a.StatusCode != 503 || a.Problem.Code != "pool_timeout" || a.Header.Get("Retry-After") == "" || took > 2*time.Second {
		t.Errorf("got %d %q retry %q after %v, want 503 pool_timeout after 1 s", a.StatusCode, a.Problem.Code, a.Header.Get("Retry-After"), took)
	}
	close(release)
	held.Wait()
}
