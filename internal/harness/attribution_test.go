package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
)

// planted are bottlenecks of the container stack, each with the load that shows it
// and the figures one of which must be named first; none for a system that is well.
var planted = []struct {
	name     string
	load     string // of the scenario
	env      map[string]string
	cpus     float64
	redis    time.Duration // added to every answer of Redis
	postgres time.Duration // and of Postgres
	fresh    bool          // each run on a stack of its own: sessions are kept from run to run, and a sign-in is what shows this one
	want     []string
}{
	{name: "healthy", load: "stages:\n  - {name: even, from: 40, for: 14s, judged: true}\nsign_in: before\n"},
	{
		// Of a database 5 ms away, or two connections are enough for all that the machine can do.
		name: "pool of 2", load: step(5, 300, "before"), postgres: 5 * time.Millisecond,
		env: map[string]string{"DB_POOL_SIZE": "2", "DB_MAX_OVERFLOW": "0"}, want: []string{"db_pool_acquire_ms"},
	},
	{name: "hash concurrency 1", load: strings.Replace(signIns, "to: 290", "to: 640", 1), fresh: true, env: map[string]string{"HASH_CONCURRENCY": "1"}, want: []string{"password_hash_wait_ms"}},
	{name: "redis 20 ms away", load: step(20, 60, "before"), redis: 20 * time.Millisecond, want: []string{"redis_call_ms"}},
	{name: "half a core", load: signIns, fresh: true, cpus: 0.5, want: []string{"cpu", "cpu_throttled"}},
}

// signIns is a load of few users, then of 40 more in every second, who sign in: a
// password hash takes most of the processor time there is.
const signIns = "stages:\n  - {name: calm, from: 5, for: 7s, judged: true}\n  - {name: busy, to: 290, for: 7s, judged: true}\nsign_in: inside\n"

// step is a load of few users, and then of many at once.
func step(few, many int, signIn string) string {
	return fmt.Sprintf("stages:\n  - {name: calm, from: %d, for: 7s, judged: true}\n  - {name: busy, from: %d, for: 7s, judged: true}\nsign_in: %s\n", few, many, signIn)
}

// TestAttributionOfPlanted runs each ATTRIBUTION_ROUNDS times (make attribution): the
// planted one must be named first in nine runs of ten, and none in a healthy run.
// ATTRIBUTION_KEEP is a folder that keeps what was measured.
func TestAttributionOfPlanted(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("ATTRIBUTION_ROUNDS"))
	if rounds == 0 {
		t.Skip("ATTRIBUTION_ROUNDS is not set: this takes minutes (make attribution); recorded runs are judged in internal/observe")
	}
	if err := containers.Available(t.Context()); err != nil {
		t.Skipf("the container stack was not run: %v", err)
	}
	for _, c := range planted {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, "--stack", "containers")
			o.Binary, o.Targets, o.CPUs = program(), noTargets, c.cpus
			folder := t.TempDir()
			files := rounds
			if c.fresh {
				files, o.Repeat = 1, rounds
			}
			for n := range files {
				file := filepath.Join(folder, fmt.Sprintf("run-%d.yaml", n+1))
				if err := os.WriteFile(file, fmt.Appendf(nil, "name: run-%d\nuse: clinic\n%s", n+1, c.load), 0o644); err != nil {
					t.Fatal(err)
				}
				o.Scenarios = append(o.Scenarios, file)
			}
			p, err := Read(o)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range c.env {
				p.set[name] = value
			}
			if c.redis > 0 {
				kv := store(t, (*containers.Stores).Redis)
				p.set["REDIS_URL"] = stack.Redis{At: distant(t, kv.At, c.redis)}.URL()
			}
			if c.postgres > 0 {
				db := store(t, (*containers.Stores).Postgres).Postgres
				db.At = distant(t, db.At, c.postgres)
				p.set["DATABASE_URL"] = db.URL(containers.Database)
			}
			r := carryOutPlan(t, p)
			if r.doc == nil || len(r.doc.Runs) != rounds {
				t.Fatalf("exit %d\n%s", r.code, r.talk)
			}
			right := 0
			for i := range r.doc.Runs {
				series := r.doc.Runs[i].Result.Series
				keep(t, fmt.Sprintf("%s-%d.json", c.name, i+1), series)
				causes := observe.Attribute(series)
				if len(c.want) == 0 && len(causes) == 0 || len(causes) > 0 && slices.Contains(c.want, causes[0].Gauge) {
					right++
					if len(causes) > 0 {
						t.Logf("run %d: %s", i+1, causes[0].Words)
					}
					continue
				}
				t.Logf("run %d, not right: %+v", i+1, causes)
			}
			t.Logf("right in %d of %d runs", right, rounds)
			if least := (9*rounds + 9) / 10; right < least || len(c.want) == 0 && right < rounds {
				t.Errorf("right in %d of %d runs, want %d (all of a healthy system)", right, rounds, least)
			}
		})
	}
}

func keep(t *testing.T, name string, s measure.Series) {
	folder := os.Getenv("ATTRIBUTION_KEEP")
	if folder == "" {
		return
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// store is a Postgres or a Redis of its own.
func store[S interface{ Close(context.Context) error }](t *testing.T, start func(*containers.Stores, context.Context) (S, error)) S {
	t.Helper()
	stores, err := containers.NewStores(t.Context(), containers.Images{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(stores, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(context.Background()), stores.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// distant is an address that containers reach, where what is at another one answers
// late.
func distant(t *testing.T, to string, late time.Duration) string {
	t.Helper()
	bridge, err := net.InterfaceByName("docker0")
	if err != nil {
		t.Skipf("no address of this machine that containers reach: %v", err)
	}
	at, err := bridge.Addrs()
	if err != nil || len(at) == 0 {
		t.Skipf("no address of this machine that containers reach: %v", err)
	}
	ip, _, err := net.ParseCIDR(at[0].String())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go relay(client, to, late)
		}
	}()
	return l.Addr().String()
}

// relay passes one connection on; what comes back is held for a while.
func relay(client net.Conn, to string, late time.Duration) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }() // the end of one is the end of both
	type held struct {
		due  time.Time
		data []byte
	}
	back := make(chan held, 1024)
	go func() {
		for h := range back {
			time.Sleep(time.Until(h.due))
			if _, err := client.Write(h.data); err != nil {
				_ = server.Close()
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if n > 0 {
			back <- held{time.Now().Add(late), bytes.Clone(buf[:n])}
		}
		if err != nil {
			close(back)
			return
		}
	}
}
