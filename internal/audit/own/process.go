package own

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// startPatience bounds a start on a machine that has other work as well.
const startPatience = 40 * time.Second

// fleet is one launched API: its processes, and what ends with them.
type fleet struct {
	binary, dir string
	args        []string
	cpus        int
	env         map[string]string
	replicas    []*replica
	closers     []func(context.Context) error
}

// replica is one process of the API, which may be started more than once.
type replica struct {
	f     *fleet
	n     int
	port  string
	admin string
	log   string

	mu   sync.Mutex
	proc *process
}

// process is a child of ours.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// spawn starts a child on a thread that stays: the kernel sends the parent's
// death signal when the starting thread ends, not the process (golang/go#27505).
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its code is read from ProcessState
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return p, nil
}

// output runs a child to its end, on a thread that stays as long: see spawn.
func output(cmd *exec.Cmd) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.CombinedOutput()
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end asks a process to leave, kills it when it does not within the wait, and
// gives its exit code.
func (p *process) end(ctx context.Context, sig os.Signal, wait time.Duration) int {
	_ = p.cmd.Process.Signal(sig) // it may have ended
	select {
	case <-p.done:
	case <-time.After(wait):
	case <-ctx.Done():
	}
	if !p.ended() {
		_ = p.cmd.Process.Kill() // as above
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

func (f *fleet) environ() []string {
	out := make([]string, 0, len(f.env))
	for k, v := range f.env {
		out = append(out, k+"="+v)
	}
	return out
}

// seed runs the API's own seeding command; the password travels in the
// environment.
func (f *fleet) seed(ctx context.Context, n int, password string) error {
	cmd := exec.CommandContext(ctx, f.binary, "serve", "seed", "--accounts", strconv.Itoa(n))
	cmd.Env = append(f.environ(), "VITALS_SEED_PASSWORD="+password)
	cmd.SysProcAttr = childAttr()
	if out, err := output(cmd); err != nil {
		return fmt.Errorf("seed %d accounts: %w: %s", n, err, bytes.TrimSpace(out))
	}
	return nil
}

// start starts the replicas one after the other: the first migrates.
func (f *fleet) start(ctx context.Context, n int, api *audit.API) error {
	ports, err := freePorts(2 * n)
	if err != nil {
		return err
	}
	for i := range n {
		r := &replica{f: f, n: i, port: ports[2*i], admin: "127.0.0.1:" + ports[2*i+1], log: filepath.Join(f.dir, fmt.Sprintf("api-%d.log", i+1))}
		f.replicas = append(f.replicas, r)
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	first := f.replicas[0]
	if first.proc.ended() {
		api.Exited, api.Code = true, first.proc.cmd.ProcessState.ExitCode()
	}
	return nil
}

// start starts the process and waits until it listens or ends.
func (r *replica) start(ctx context.Context) error {
	out, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the API's log: %w", err)
	}
	defer out.Close() // the child has its own
	ready := filepath.Join(r.f.dir, fmt.Sprintf("ready-%d.json", r.n+1))
	_ = os.Remove(ready) // of an earlier start
	args := r.f.args
	if args == nil {
		args = []string{"serve", "--ready-file", ready}
	}
	name := r.f.binary
	if r.f.cpus > 0 {
		args = append([]string{"-c", "0-" + strconv.Itoa(r.f.cpus-1), name}, args...)
		name = "taskset"
	}
	cmd := exec.Command(name, args...) // not CommandContext: it is ended gracefully
	cmd.Env = append(r.f.environ(), "PORT="+r.port, "ADMIN_ADDR="+r.admin)
	if _, set := r.f.env["PORT"]; set {
		cmd.Env = cmd.Env[:len(cmd.Env)-2]
	}
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, childAttr()
	p, err := spawn(cmd)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.proc = p
	r.mu.Unlock()
	patience := time.NewTimer(startPatience)
	defer patience.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(ready); err == nil && json.Valid(b) {
			return nil
		}
		select {
		case <-p.done:
			return nil // it refused; whoever asked looks at its code
		case <-patience.C:
			return fmt.Errorf("the API does not listen after %v", startPatience)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// describe fills what can be done to the fleet.
func (f *fleet) describe(api *audit.API, p *profile.Profile, mails string) {
	g := &audit.Target{Profile: p, Origin: Origin, Own: true, Source: source, Mail: Mailbox(mails), Settings: f.env, Limits: p.InForce(f.env)}
	for _, r := range f.replicas {
		g.Replicas = append(g.Replicas, &url.URL{Scheme: "http", Host: "127.0.0.1:" + r.port})
		g.Admins = append(g.Admins, &url.URL{Scheme: "http", Host: r.admin, Path: "/metrics"})
	}
	g.URL, g.Admin = g.Replicas[0], g.Admins[0]
	g.Log = func() ([]byte, error) { return f.logs(), nil }
	api.Target, api.Log = g, f.logs
	api.PIDs = func() []int {
		var out []int
		for _, r := range f.replicas {
			out = append(out, r.process().cmd.Process.Pid)
		}
		return out
	}
	api.Stop = func(ctx context.Context, n int) int {
		return f.replicas[n].process().end(ctx, syscall.SIGTERM, 30*time.Second)
	}
	api.Restart = func(ctx context.Context, n int) error {
		f.replicas[n].process().end(ctx, syscall.SIGKILL, time.Second)
		return f.replicas[n].start(ctx)
	}
	api.Close = f.close
}

func (r *replica) process() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// logs is the output of all replicas.
func (f *fleet) logs() []byte {
	var out []byte
	for _, r := range f.replicas {
		b, _ := os.ReadFile(r.log) // no log yet is none
		out = append(out, b...)
	}
	return out
}

func (f *fleet) close(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, r := range f.replicas {
		if p := r.process(); p != nil {
			wg.Go(func() {
				_ = p.cmd.Process.Signal(syscall.SIGCONT) // a stopped process hears nothing
				p.end(ctx, syscall.SIGTERM, 8*time.Second)
			})
		}
	}
	wg.Wait()
	var err error
	for _, c := range slices.Backward(f.closers) {
		err = errors.Join(err, c(ctx))
	}
	f.closers = nil
	return errors.Join(err, os.RemoveAll(f.dir))
}

// freePorts are n ports of loopback that nobody listens on at this moment.
func freePorts(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until all are chosen
		_, out[i], _ = strings.Cut(l.Addr().String(), ":")
	}
	return out, nil
}
