package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthShapes(t *testing.T) {
	bed := newTestbed(t, nil)
	for path, want := range map[string][]string{
		"/health": {"env", "status", "timestamp", "version"},
		"/ready":  {"checks", "status", "timestamp", "version"},
		"/live":   {"status", "timestamp"},
	} {
		a := bed.ask(t, "GET", path, "")
		var got map[string]any
		if err := json.Unmarshal([]byte(a.Text), &got); err != nil || a.StatusCode != 200 {
			t.Fatalf("%s: got %d %q", path, a.StatusCode, a.Text)
		}
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
			t.Errorf("%s: got fields %v, want %v", path, keys, want)
		}
		at, err := time.Parse("2006-01-02T15:04:05.000000Z", fmt.Sprint(got["timestamp"]))
		if err != nil || time.Since(at).Abs() > 5*time.Second {
			t.Errorf("%s: timestamp %v, want now with six decimals and Z", path, got["timestamp"])
		}
		status := map[string]string{"/health": "healthy", "/ready": "ready", "/live": "alive"}[path]
		if got["status"] != status {
			t.Errorf("%s: got status %v, want %s", path, got["status"], status)
		}
		head := bed.ask(t, "HEAD", path, "")
		if head.StatusCode != 200 || head.Text != "" || head.ContentLength != a.ContentLength {
			t.Errorf("HEAD %s: got %d, %d bytes announced, want 200 and %d", path, head.StatusCode, head.ContentLength, a.ContentLength)
		}
	}
	var health struct{ Version, Env string }
	_ = json.Unmarshal([]byte(bed.ask(t, "GET", "/health", "").Text), &health)
	if health.Version != "1.2.3" || health.Env != "test" {
		t.Errorf("got %+v, want version 1.2.3 in test", health)
	}
}

func TestNotReady(t *testing.T) {
	bed := newTestbed(t, func(d *Deps) {
		d.CheckDatabase = func(context.Context) error { return errors.New("dial canary-host:5432 refused") }
	})
	a := bed.ask(t, "GET", "/ready", "")
	var got readyAnswer
	if err := json.Unmarshal([]byte(a.Text), &got); err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != 503 || got.Status != "not_ready" || got.Checks != (readyChecks{Database: false, Config: true}) {
		t.Errorf("got %d %s, want 503 not_ready with the database false", a.StatusCode, a.Text)
	}
	for _, path := range []string{"/live", "/health"} {
		if a := bed.ask(t, "GET", path, ""); a.StatusCode != 200 {
			t.Errorf("%s: got %d, want 200 without a database", path, a.StatusCode)
		}
	}
}

// A storm of probes is one question to the database, and one that hangs costs a
// second.
func TestReadinessIsOneQuestionASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := newReadiness(func(ctx context.Context) error {
			asked.Add(1)
			<-ctx.Done() // a hung database
			return ctx.Err()
		})
		began := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if c.ok(t.Context()) {
					t.Error("got ready, want not")
				}
			})
		}
		wg.Wait()
		if asked.Load() != 1 || time.Since(began) != readyTimeout {
			t.Errorf("got %d questions in %v, want 1 in %v", asked.Load(), time.Since(began), readyTimeout)
		}
		time.Sleep(readyTTL)
		c.ok(t.Context())
		if asked.Load() != 2 {
			t.Errorf("got %d questions after the answer grew old, want 2", asked.Load())
		}
	})
}

func TestProbesPassTheLimiterAndTheShedder(t *testing.T) {
	gate := &fakeGate{}
	bed := newTestbed(t, func(d *Deps) { d.Gate = gate }, "MAX_IN_FLIGHT=1")
	for range 300 {
		for _, path := range []string{"/health", "/ready", "/live"} {
			if a := bed.ask(t, "GET", path, ""); a.StatusCode != 200 || a.Header.Get("X-RateLimit-Limit") != "" {
				t.Fatalf("%s: got %d", path, a.StatusCode)
			}
		}
	}
	if got := gate.counted.Load(); got != 0 {
		t.Errorf("got %d probes counted by the limiter, want 0", got)
	}
}
