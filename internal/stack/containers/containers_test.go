package containers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"vitals/internal/stack"
	"vitals/internal/stack/containers"
)

// build makes the binary that becomes the API image.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "vitals")
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "vitals/cmd/vitals")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build vitals: %v\n%s", err, out)
	}
	return bin
}

func start(t *testing.T, c containers.Starter) *stack.Stack {
	t.Helper()
	if err := containers.Available(t.Context()); err != nil {
		t.Skipf("the container stack was not tried: %v", err)
	}
	c.Binary = build(t)
	c.Talk = t.Output()
	s, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		if left := ours(t); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return s
}

// ours are the containers and networks that carry this process's label.
func ours(t *testing.T) []string {
	t.Helper()
	engine, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	mine := client.Filters{}.Add("label", "vitals.pid="+pid())
	boxes, err := engine.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: mine})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, c := range boxes.Items {
		left = append(left, c.Names...)
	}
	nets, err := engine.NetworkList(context.Background(), client.NetworkListOptions{Filters: mine})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nets.Items {
		left = append(left, n.Name)
	}
	return left
}

func TestContainerStack(t *testing.T) {
	s := start(t, containers.Starter{Accounts: 20, Replicas: 2, LogFile: filepath.Join(t.TempDir(), "api.log")})

	t.Run("is up and says so", func(t *testing.T) {
		for _, base := range s.Replicas {
			resp, err := http.Get(base.JoinPath("ready").String())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var body struct{ Checks map[string]bool }
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusOK || !body.Checks["database"] {
				t.Errorf("%s/ready: got %d %v, want 200 and database true", base, resp.StatusCode, body.Checks)
			}
		}
		if len(s.Replicas) != 2 {
			t.Errorf("got %d replicas, want 2", len(s.Replicas))
		}
		if len(s.Deviations) != 0 {
			t.Errorf("got deviations %v, want every production limit in force", s.Deviations)
		}
	})
	t.Run("really uses Postgres and Redis", func(t *testing.T) {
		e, err := s.Evidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e["rows.users"] < 20 || e["rows.medications"] < 20 {
			t.Errorf("rows: got %v users and %v medications, want at least 20 of each", e["rows.users"], e["rows.medications"])
		}
		before := redisCalls(e)
		login(t, s, stack.Benchmark(1), s.Accounts[0].Password)
		if e, err = s.Evidence(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := redisCalls(e); after <= before {
			t.Errorf("Redis script calls: got %v after a sign-in, %v before", after, before)
		}
	})
	t.Run("meters the API", func(t *testing.T) {
		u, err := s.Meter(t.Context())
		if err != nil || u.CPU <= 0 || u.RSS <= 0 {
			t.Errorf("got %+v, %v, want processor time and memory", u, err)
		}
	})
	t.Run("a part that was killed comes back at its address", func(t *testing.T) {
		for _, a := range []stack.Action{stack.Kill, stack.Start} {
			if err := s.Fault(t.Context(), "api-2", a); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, 20*time.Second, func() bool {
			resp, err := http.Get(s.Replicas[1].JoinPath("ready").String())
			if err != nil {
				return false
			}
			resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
		if err := s.Fault(t.Context(), "api-3", stack.Stop); err == nil || !strings.Contains(err.Error(), "api-2") {
			t.Errorf("an unknown part: got %v, want an error that names the parts", err)
		}
	})
}

func redisCalls(e map[string]float64) (n float64) {
	for name, v := range e {
		if strings.HasPrefix(name, "redis.eval") {
			n += v
		}
	}
	return n
}
