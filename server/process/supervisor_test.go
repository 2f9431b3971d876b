package process

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitals/server/config"
	"vitals/server/servertest"
)

// startWorkers runs n workers on SQLite and a real Redis: the configuration
// refuses several processes without a shared limiter.
func startWorkers(t *testing.T, n int, vars ...string) (*live, *config.Config) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	vars = append([]string{
		"WORKERS=" + strconv.Itoa(n), "REDIS_URL=" + servertest.Redis(t), "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "clinic.db"),
		"DB_POOL_SIZE=1", "DB_MAX_OVERFLOW=3", "ENV=test", "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:0",
		"SECRET_KEY=b64-9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu", "LOG_FORMAT=json", "SHUTDOWN_DRAIN_DELAY=1", "SHUTDOWN_TIMEOUT=5",
	}, vars...)
	cfg := testConfig(t, vars...)
	seed(t, cfg, 5)
	env := append(vars, "PATH="+os.Getenv("PATH"), "TMPDIR="+os.TempDir(), "HOME="+os.Getenv("HOME"))
	return startLive(t, cfg, env...), cfg
}

// workersOf are the process ids of the workers that accept.
func workersOf(t *testing.T, l *live) (pids []int) {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(l.PID)).Output()
	if err != nil {
		t.Skipf("pgrep does not work here (%v): install procps", err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && strings.Contains(string(text), WorkerEnv+"=") {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// eventually waits for what a moment changes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// As many processes as claimed, one limit for all of them, their metrics added
// up, and a killed or hung one replaced (probes CF6, LK9).
func TestWorkersAreRealAndShareLimits(t *testing.T) {
	// A generous Redis timeout: on a loaded machine the degraded mode would
	// (rightly) judge a few more, and this test is about the shared count.
	s, _ := startWorkers(t, 3, "RATE_LIMIT_REDIS_TIMEOUT=2000", "WORKER_TIMEOUT=3", "REQUEST_TIMEOUT=2", "DB_POOL_TIMEOUT=1")
	pids := workersOf(t, s)
	if len(pids) != 3 {
		t.Fatalf("got %d worker processes, want 3", len(pids))
	}
	if c, r := scrape(t, s, "process_workers", "state", "configured"), scrape(t, s, "process_workers", "state", "running"); c != 3 || r != 3 {
		t.Errorf("process_workers: got configured %v, running %v, want 3 and 3", c, r)
	}

	// 60 parallel guesses from one address, over connections to all workers.
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 60 {
		c := from(t, "127.0.0.66")
		wg.Go(func() {
			a := login(t, c, s.url(), patient(1), "wrong")
			mu.Lock()
			defer mu.Unlock()
			statuses[a.StatusCode]++
		})
	}
	wg.Wait()
	if statuses[401] != 5 || statuses[429] != 55 {
		t.Errorf("got %v, want 5 judged and 55 refused over all workers; degraded %v, Redis errors %v", statuses,
			scrape(t, s, "rate_limit_degraded"), scrape(t, s, "ratelimit_backend_errors_total"))
	}
	if got := scrape(t, s, "http_requests_total", "route", "/api/v1/auth/login", "status", "401"); got != 5 {
		t.Errorf("merged metrics: got %v answers of 401, want 5", got)
	}
	// Whichever worker is awake accepts: one may be quick enough for all of them.
	served := map[any]bool{}
	for crowd := 0; len(served) < 2 && crowd < 50; crowd++ {
		for range 60 {
			wg.Go(func() { ask(t, from(t, "127.0.0.88"), "GET", s.url()+"/live", "") })
		}
		wg.Wait()
		for _, line := range s.log.Lines(t) {
			if line["logger"] == "app.access" {
				served[line["worker"]] = true
			}
		}
	}
	if len(served) < 2 {
		t.Errorf("got workers %v serving, want several", served)
	}
	// A token signed by one worker is good at every other.
	access := accessToken(t, from(t, "127.0.0.77"), s.url(), 2)
	for range 12 {
		if a := ask(t, from(t, "127.0.0.77"), "GET", s.url()+"/api/v1/auth/me", "", "Authorization: Bearer "+access); a.StatusCode != 200 {
			t.Errorf("token: got %d, want 200 at every worker", a.StatusCode)
		}
	}

	before := scrape(t, s, "http_requests_total", "route", "/api/v1/auth/login", "status", "429")
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a killed worker is replaced", func() bool {
		now := workersOf(t, s)
		return len(now) == 3 && !slices.Contains(now, pids[0]) && scrape(t, s, "process_workers", "state", "running") == 3
	})
	if got := scrape(t, s, "http_requests_total", "route", "/api/v1/auth/login", "status", "429"); got != before {
		t.Errorf("after a restart: got %v answers of 429, want %v: counters must not fall", got, before)
	}
	if err := syscall.Kill(pids[1], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a hung worker is replaced", func() bool { return !slices.Contains(workersOf(t, s), pids[1]) })
	eventually(t, "all workers are back", func() bool { return scrape(t, s, "process_workers", "state", "running") == 3 })
	if got := scrape(t, s, "process_worker_restarts_total"); got != 2 {
		t.Errorf("got %v restarts counted, want 2", got)
	}
	a := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/workers/2/debug/pprof/cmdline", "")
	if a.StatusCode != 200 {
		t.Errorf("profile of worker 2: got %d, want 200", a.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := s.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if left := workersOf(t, s); len(left) > 0 {
		t.Errorf("workers %v are left", left)
	}
}

// The workers drain together and nobody fails meanwhile.
func TestWorkersDrain(t *testing.T) {
	s, _ := startWorkers(t, 2, "SHUTDOWN_DRAIN_DELAY=2")
	ctx, stopLoad := context.WithCancel(t.Context())
	var failed, asked int
	done := make(chan struct{})
	go func() {
		defer close(done)
		c := from(t, "127.0.0.77")
		for ctx.Err() == nil {
			asked++
			res, err := c.Get(s.url() + "/health")
			if err != nil {
				failed++
				continue
			}
			_ = res.Body.Close()
			if res.StatusCode != 200 {
				failed++
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	eventually(t, "/ready says 503", func() bool {
		return ask(t, from(t, "127.0.0.78"), "GET", s.url()+"/ready", "").StatusCode == 503
	})
	time.Sleep(time.Second)
	stopLoad()
	<-done
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
	if failed > 0 || asked < 50 {
		t.Errorf("got %d failures of %d requests while draining, want none", failed, asked)
	}
}

// A worker whose supervisor is killed does not live on.
func TestOrphanedWorkersEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready.json")
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{
		supervisorMark + "=" + ready, "WORKERS=2", "REDIS_URL=" + servertest.Redis(t), "DATABASE_URL=sqlite:" + filepath.Join(dir, "c.db"),
		"ENV=test", "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:0", "SECRET_KEY=b64-9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu",
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir,
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the supervisor is ready", func() bool { _, err := os.Stat(ready); return err == nil })
	workers := workersOf(t, &live{Ready: Ready{PID: cmd.Process.Pid}})
	if len(workers) != 2 {
		t.Fatalf("got %d workers, want 2", len(workers))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, pid := range workers {
		eventually(t, "an orphaned worker ends", func() bool {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(text), ") Z ")
		})
	}
}

// A worker that cannot start ends the service with its reason.
func TestWorkersThatCannotStart(t *testing.T) {
	cfg := testConfig(t, "WORKERS=2", "REDIS_URL="+servertest.Redis(t))
	log := new(logBuffer)
	// Without a database address the workers refuse their configuration.
	err := Run(t.Context(), cfg, Options{Log: log, Env: []string{"ENV=nonsense"}})
	if err == nil || !strings.Contains(err.Error(), "did not come up") {
		t.Errorf("got %v, want the workers' failure", err)
	}
}
