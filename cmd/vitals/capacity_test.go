package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/capacity"
	"vitals/internal/exit"
	"vitals/internal/measure"
)

// limited is a server that answers 8 requests at once, each after 20 ms: 400 a second
// by arithmetic. A busy machine sleeps longer, so it tells its limit by the times that
// it did take.
func limited(t *testing.T) (url string, limit func() float64) {
	t.Helper()
	slots := make(chan struct{}, 8)
	var held, n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		slots <- struct{}{}
		began := time.Now()
		time.Sleep(20 * time.Millisecond) // the server's work
		held.Add(int64(time.Since(began)))
		n.Add(1)
		<-slots
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() float64 { return 8 / (time.Duration(held.Load()) / time.Duration(max(1, n.Load()))).Seconds() }
}

// The command brackets a limit that is known, CAPACITY times. A machine too busy to
// measure on is no bracket, and says so.
func TestCapacityOfAKnownLimit(t *testing.T) {
	t.Parallel()
	rounds, _ := strconv.Atoi(os.Getenv("CAPACITY"))
	if rounds == 0 {
		t.Skip("CAPACITY is not set: this measures, and must have the machine for itself (make capacity); the search is tested in internal/capacity")
	}
	dir := t.TempDir()
	sc, wanted := filepath.Join(dir, "limited.yaml"), filepath.Join(dir, "wanted.yaml")
	for path, text := range map[string]string{
		sc:     "name: limited\narrivals: {rate: 10/s, run_for: 10s}\njourneys:\n  - name: caller\n    steps: [{name: call, get: /, anonymous: true}]\n",
		wanted: "targets:\n  - p95 < 300ms\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range rounds {
		url, limit := limited(t)
		out := filepath.Join(dir, fmt.Sprint("out", n))
		code, stdout, stderr := vitals(t, nil, "capacity", sc, "--url", url, "--targets", wanted,
			"--start", "300", "--warmup", "1s", "--measure", "6s", "--confirm", "1", "--precision", "0.02", "--out", out)
		text, err := os.ReadFile(filepath.Join(out, "capacity.json"))
		if err != nil {
			t.Fatalf("exit %d: %v\n%s%s", code, err, stdout, stderr)
		}
		var got capacity.Outcome
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		known := limit()
		t.Logf("round %d: exit %d, %s; by its own clock the server's limit was %.1f/s", n+1, code, got.Answer(), known)
		if code == exit.NoAnswer && strings.Contains(got.Open, measure.CauseCPU) {
			t.Skipf("this machine is too busy to measure on: %s", got.Open)
		}
		if code != exit.Pass || got.Low < 0.95*known || got.High > 1.05*known || got.High/got.Low > 1.021 || !strings.Contains(stdout, got.Answer()) {
			t.Errorf("round %d: exit %d, want a bracket within 5 %% of %.1f/s:\n%s%s", n+1, code, known, stdout, stderr)
		}
	}
}
