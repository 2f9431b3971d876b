package observe_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/observe"
)

// series is n slices whose p95 (ms) and gauges f gives; noise is some per cent.
func series(n int, seed uint64, f func(i int, noise func(float64) float64) (p95 float64, gauges map[string]float64)) measure.Series {
	r := rand.New(rand.NewPCG(seed, 7))
	noise := func(v float64) float64 { return v * math.Exp(r.NormFloat64()*0.08) }
	s := measure.Series{Every: time.Second}
	for i := range n {
		p95, gauges := f(i, noise)
		s.Slices = append(s.Slices, measure.Slice{
			At: time.Duration(i) * time.Second, Counts: measure.Counts{Sent: 100, Served: 100}, P95: time.Duration(p95 * float64(time.Millisecond)), Gauges: gauges,
		})
	}
	return s
}

// healthy are gauges of a system that has room.
func healthy(noise func(float64) float64) map[string]float64 {
	return map[string]float64{
		"cpu": noise(0.30), "db_pool_acquired": noise(3), "db_pool_acquire_ms": noise(0.02), "redis_call_ms": noise(0.4), "password_hash_ms": noise(50),
		"password_hash_queue_depth": 0, "gc_pause_ms": noise(0.2), "rss_mib": noise(150), "go_goroutines": noise(60), "http_in_flight": noise(8), "users": 50,
	}
}

// A planted bottleneck is named first, however the noise falls; what merely grows
// because requests wait is not.
func TestAttributionNamesThePlanted(t *testing.T) {
	for gauge, plant := range map[string]func(load float64, noise func(float64) float64, g map[string]float64) (p95 float64){
		"db_pool_acquire_ms": func(load float64, noise func(float64) float64, g map[string]float64) float64 {
			wait := noise(120 * load)
			g["db_pool_acquire_ms"], g["db_pool_acquired"], g["cpu"] = wait, noise(2+2*load), noise(0.30+0.15*load)
			return 20 + wait*1.4
		},
		"password_hash_queue_depth": func(load float64, noise func(float64) float64, g map[string]float64) float64 {
			depth := noise(12 * load)
			g["password_hash_queue_depth"], g["cpu"], g["password_hash_ms"] = depth, noise(0.45+0.1*load), noise(50+3*load)
			return 20 + 55*depth
		},
		"redis_call_ms": func(load float64, noise func(float64) float64, g map[string]float64) float64 {
			took := noise(0.4 + 20*load)
			g["redis_call_ms"] = took
			return 20 + 2*took
		},
		"cpu": func(load float64, noise func(float64) float64, g map[string]float64) float64 {
			g["cpu"] = min(1, noise(0.35+0.63*load))
			g["password_hash_ms"], g["redis_call_ms"] = noise(50+20*load), noise(0.4+1.5*load)
			g["db_pool_acquire_ms"], g["gc_pause_ms"] = noise(0.02+0.5*load), noise(0.2+2*load)
			return 20 + noise(180*load)
		},
	} {
		right := 0
		for seed := range uint64(20) {
			s := series(60, seed, func(i int, noise func(float64) float64) (float64, map[string]float64) {
				g := healthy(noise)
				load := 0.0
				if i > 30 {
					load = float64(i-30) / 30
				}
				p95 := plant(load, noise, g)
				g["http_in_flight"], g["go_goroutines"], g["users"] = p95/3, 50+p95/3, 50+100*load
				return noise(p95), g
			})
			causes := observe.Attribute(s)
			if len(causes) > 0 && causes[0].Gauge == gauge {
				right++
			} else if seed < 2 {
				t.Logf("%s, seed %d: got %+v", gauge, seed, causes)
			}
		}
		if right < 18 {
			t.Errorf("%s: named first in %d of 20 runs, want 18", gauge, right)
		}
	}
}

// Of a system that is well, and of one whose p95 rose for a reason that no gauge
// shows, nothing is said.
func TestAttributionIsSilent(t *testing.T) {
	spoke := 0
	for seed := range uint64(40) {
		calm := series(60, seed, func(_ int, noise func(float64) float64) (float64, map[string]float64) {
			return noise(20), healthy(noise)
		})
		alone := series(60, seed, func(i int, noise func(float64) float64) (float64, map[string]float64) {
			return noise(20 + 5*float64(i)), healthy(noise)
		})
		// A ramp of a system that keeps up: everything grows with the users, nothing is short.
		ramp := series(60, seed, func(i int, noise func(float64) float64) (float64, map[string]float64) {
			load, g := float64(i)/60, healthy(noise)
			g["cpu"], g["db_pool_acquired"], g["rss_mib"], g["http_in_flight"] = noise(0.05+0.4*load), noise(1+4*load), noise(100+100*load), noise(1+30*load)
			g["gc_pause_ms"], g["redis_call_ms"], g["db_pool_acquire_ms"] = noise(0.1+0.5*load), noise(0.3+0.3*load), noise(0.01+0.05*load)
			return noise(8 + 20*load), g
		})
		for name, s := range map[string]measure.Series{"calm": calm, "alone": alone, "ramp": ramp} {
			if c := observe.Attribute(s); len(c) > 0 {
				spoke++
				t.Logf("%s, seed %d: %s", name, seed, c[0].Words)
			}
		}
	}
	if spoke > 0 {
		t.Errorf("it spoke of %d of 120 runs, want none", spoke)
	}
	few := series(9, 1, func(i int, noise func(float64) float64) (float64, map[string]float64) {
		g := healthy(noise)
		g["cpu"] = float64(i) / 10
		return 20 + 50*float64(i), g
	})
	if c := observe.Attribute(few); len(c) > 0 {
		t.Errorf("got %v from 9 slices", c)
	}
	if c := observe.Attribute(measure.Series{}); c != nil {
		t.Errorf("got %v from nothing", c)
	}
}

// Too little of a processor is named by its direct evidence: a limit that stopped the
// system before all it has being used, and that before the wait that follows from either;
// the wait alone when other work has the machine.
func TestAttributionOfTooLittleProcessor(t *testing.T) {
	for name, c := range map[string]struct {
		busy map[string]float64 // while it is loaded
		want string
	}{
		"a limit":            {map[string]float64{"cpu": 0.97, "cpu_throttled": 0.8, "cpu_wait": 0.9}, "cpu_throttled"},
		"all that it has":    {map[string]float64{"cpu": 0.97, "cpu_wait": 0.7}, "cpu"},
		"other work":         {map[string]float64{"cpu": 0.35, "cpu_throttled": 0, "cpu_wait": 0.8}, "cpu_wait"},
		"a little of a wait": {map[string]float64{"cpu": 0.35, "cpu_wait": 0.2}, ""},
		"half of a little":   {map[string]float64{"cpu": 0.12, "cpu_wait": 0.6}, ""},
		"beside a wait that takes nearly all": {map[string]float64{
			"cpu": 0.5, "cpu_wait": 0.6, "request_ms": 250, "request_redis_ms": 240, "redis_call_ms": 120}, "redis_call_ms"},
		"beside a wait that takes half": {map[string]float64{
			"cpu": 0.5, "cpu_wait": 0.6, "request_ms": 250, "request_redis_ms": 140, "redis_call_ms": 70}, "cpu_wait"},
	} {
		for _, throughout := range []bool{false, true} {
			s := series(20, 5, func(i int, noise func(float64) float64) (float64, map[string]float64) {
				g, p95 := healthy(noise), 20.0
				for gauge := range c.busy {
					g[gauge] = 0.05
				}
				if throughout || i >= 10 {
					p95 = 300
					for gauge, v := range c.busy {
						g[gauge] = v
					}
				}
				return p95, g
			})
			got := ""
			if causes := observe.Attribute(s); len(causes) > 0 {
				got = causes[0].Gauge
			}
			if got != c.want {
				t.Errorf("%s, throughout %v: got %q, want %q", name, throughout, got, c.want)
			}
		}
	}
}

func TestAttributionInWords(t *testing.T) {
	s := series(40, 3, func(i int, _ func(float64) float64) (float64, map[string]float64) {
		load := max(0, float64(i-20)/20)
		return 20 + 200*load, map[string]float64{"db_pool_acquire_ms": 0.1 + 150*load, "cpu": 0.3, "redis_call_ms": 0.4}
	})
	c := observe.Attribute(s)
	if len(c) != 1 {
		t.Fatalf("got %+v, want one cause", c)
	}
	const want = "p95 rose from 20ms to 165ms together with the wait for a database connection, from 0.1ms to 109ms (correlation 1.00); flat stayed CPU, time of a Redis call"
	if c[0].Words != want {
		t.Errorf("got  %s\nwant %s", c[0].Words, want)
	}
}

// Runs of the container stack that make attribution has recorded, on a machine with
// much other work: the planted bottleneck is named first, and none of a healthy run.
func TestAttributionOfRecordedRuns(t *testing.T) {
	for file, want := range map[string]string{"healthy": "", "pool": "db_pool_acquire_ms", "redis": "redis_call_ms", "redis-throughout": "redis_call_ms"} {
		text, err := os.ReadFile("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var s measure.Series
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		switch causes := observe.Attribute(s); {
		case want == "" && len(causes) > 0:
			t.Errorf("%s: got %q, want nothing said", file, causes[0].Words)
		case want != "" && (len(causes) == 0 || causes[0].Gauge != want):
			t.Errorf("%s: got %+v, want %s first", file, causes, want)
		}
	}
}
