package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vitals/internal/stack"
)

// API says how the reference API is started as child processes of this machine.
type API struct {
	Binary  string            // the vitals binary, which is also the API
	Dir     string            // where it says that it is ready, and logs
	LogFile string            // the log of a single replica; "" = in Dir, one for each
	Args    []string          // of the program; nil = serve
	CPUs    int               // processors it may use; 0 = all
	Env     map[string]string // its whole environment; without PORT, or with 0, one that is free
}

// startPatience bounds a start on a machine that has other work as well.
const startPatience = 40 * time.Second

// drainPatience bounds the wait for a replica that was asked to leave.
const drainPatience = 10 * time.Second

// Replica is one process of the API, which may be started more than once and is
// then found where it was.
type Replica struct {
	api          API
	ready        string
	URL, Metrics *url.URL
	Log          string // a file
	child
}

// Start starts the n-th replica, counted from 1, and returns once it listens or
// has ended: Process().Ended() tells. One that refused to start is no error.
func (a API) Start(ctx context.Context, n int) (*Replica, error) {
	r := &Replica{
		api: a, ready: filepath.Join(a.Dir, fmt.Sprintf("ready-%d.json", n)), Log: a.LogFile,
		URL: &url.URL{Scheme: "http", Host: "127.0.0.1:0"}, Metrics: &url.URL{Scheme: "http", Host: "127.0.0.1:0", Path: "/metrics"},
	}
	if r.Log == "" {
		r.Log = filepath.Join(a.Dir, fmt.Sprintf("api-%d.log", n))
	}
	if _, set := a.Env["PORT"]; !set { // 0 is refused in production
		ports, err := FreePorts(2)
		if err != nil {
			return nil, err
		}
		r.URL.Host, r.Metrics.Host = net.JoinHostPort("127.0.0.1", ports[0]), net.JoinHostPort("127.0.0.1", ports[1])
	}
	if err := os.WriteFile(r.Log, nil, 0o644); err != nil {
		return nil, fmt.Errorf("open the API's log: %w", err)
	}
	if err := r.Start(ctx); err != nil {
		_ = r.Close(context.WithoutCancel(ctx)) // the start's error is the one to report
		return nil, err
	}
	return r, nil
}

// Process is the process that was started last.
func (r *Replica) Process() *Process { return r.now.Load() }

// Start starts it again where it was.
func (r *Replica) Start(ctx context.Context) error {
	log, err := os.OpenFile(r.Log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the API's log: %w", err)
	}
	defer log.Close()      // the child has its own
	_ = os.Remove(r.ready) // of an earlier start
	name, args := r.api.Binary, r.api.Args
	if args == nil {
		args = []string{"serve", "--ready-file", r.ready}
	}
	if r.api.CPUs > 0 {
		args = append([]string{"-c", "0-" + strconv.Itoa(r.api.CPUs-1), name}, args...)
		name = "taskset"
	}
	cmd := exec.Command(name, args...) // not CommandContext: it is ended gracefully
	cmd.Env, cmd.Stdout, cmd.Stderr = Flat(r.api.Env), log, log
	if port := r.api.Env["PORT"]; port == "" || port == "0" {
		cmd.Env = append(cmd.Env, "PORT="+r.URL.Port(), "ADMIN_ADDR="+r.Metrics.Host)
	}
	p, err := Start(cmd)
	if err != nil {
		return fmt.Errorf("start the API: %w", err)
	}
	r.now.Store(p)
	return r.listening(ctx, p)
}

// listening waits until the process has written where it listens, or has ended.
func (r *Replica) listening(ctx context.Context, p *Process) error {
	patience := time.NewTimer(startPatience)
	defer patience.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(r.ready); err == nil {
			var at struct{ Addr, Admin string }
			if json.Unmarshal(b, &at) == nil && at.Addr != "" {
				r.URL.Host, r.Metrics.Host = at.Addr, at.Admin
				return nil
			}
		}
		select {
		case <-p.Done():
			return nil
		case <-patience.C:
			return fmt.Errorf("start the API: it does not listen after %v%s", startPatience, tail(r.Log, 5))
		case <-ctx.Done():
			return fmt.Errorf("start the API: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// Close asks the replica to leave and waits until it has.
func (r *Replica) Close(ctx context.Context) error {
	r.end(ctx, syscall.SIGTERM, drainPatience)
	return nil
}

// Flat is an environment as a process takes it.
func Flat(vars map[string]string) []string {
	env := make([]string, 0, len(vars))
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	return env
}

// Seed runs the API's own seeding command and names the accounts that it makes.
// The password travels in the environment: a flag would land in the process list.
func Seed(ctx context.Context, binary string, env map[string]string, n int, password string) ([]stack.Account, error) {
	cmd := exec.CommandContext(ctx, binary, "serve", "seed", "--accounts", strconv.Itoa(n))
	cmd.Env = append(Flat(env), "VITALS_SEED_PASSWORD="+password)
	if out, err := Output(cmd); err != nil {
		return nil, fmt.Errorf("seed %d accounts: %w: %s", n, err, lastLines(out, 5))
	}
	return SeededAccounts(n, password), nil
}

// SeededAccounts names the accounts that the API's seeding command makes.
func SeededAccounts(n int, password string) []stack.Account {
	made := make([]stack.Account, n)
	for i := range made {
		made[i] = stack.Account{Email: fmt.Sprintf("patient-%06d@clinic.test", i+1), Password: password}
	}
	return made
}

func lastLines(b []byte, n int) string {
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// tail is the end of a log, for the person who must act on a failed start.
func tail(file string, n int) string {
	b, err := os.ReadFile(file)
	if err != nil || len(b) == 0 {
		return ""
	}
	return "; the end of its log:\n" + lastLines(b, n)
}
