package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vitals/internal/observe"
	"vitals/server/config"
	"vitals/server/fault"
)

// Embedded starts the reference API as a child process of its own, so that its
// processor time and memory are its own: SQLite in a temporary folder, limiter
// in process, every production limit on. Nothing needs to be installed.
type Embedded struct {
	Binary   string            // the vitals binary, which is also the API
	Accounts int               // seeded accounts
	LogFile  string            // where the API's log is kept; "" = in the temporary folder
	Env      map[string]string // replaces or adds variables of the API
	Talk     io.Writer         // progress in words; nil = none
}

// startPatience bounds the wait for the API's two listeners.
const startPatience = 20 * time.Second

// Start seeds the accounts, starts the API and waits until it is ready.
func (e Embedded) Start(ctx context.Context) (_ *Stack, err error) {
	dir, where, err := scratch()
	if err != nil {
		return nil, fmt.Errorf("make a folder for the embedded database: %w", err)
	}
	s := &Stack{
		Kind: "embedded", Cores: float64(runtime.NumCPU()),
		Source: Loopback,
		Info: map[string]string{
			"database":  "SQLite " + where,
			"limiter":   "in process",
			"addresses": "each user and each intruder has a source address of its own in 127.0.0.0/8",
		},
	}
	s.OnClose(func(context.Context) error { return os.RemoveAll(dir) })
	defer func() {
		if err != nil {
			_ = s.Close(context.WithoutCancel(ctx)) // the start's error is the one to report
		}
	}()

	password := rand.Text()
	vars := e.environment(dir)
	if s.Settings, s.Deviations, err = Describe(vars); err != nil {
		return nil, err
	}
	env := Flat(vars)
	began := time.Now()
	if err := Seed(ctx, e.Binary, env, e.Accounts, password); err != nil {
		return nil, err
	}
	talk(e.Talk, "seeded %d accounts in %.1f s\n", e.Accounts, time.Since(began).Seconds())
	s.Accounts = Seeded(e.Accounts, password)

	s.Log = e.LogFile
	if s.Log == "" {
		s.Log = filepath.Join(dir, "api.log")
	}
	return s, e.serve(ctx, s, dir, env)
}

// scratch makes the folder of a database that is thrown away afterwards: in
// memory where the system has such a folder, for a shared disk's moods would
// otherwise stand in the report as the API's.
func scratch() (dir, where string, err error) {
	const shm = "/dev/shm" // tmpfs, Linux
	if dir, err = os.MkdirTemp(shm, "vitals-embedded-"); err == nil {
		return dir, "in a temporary folder held in memory", nil
	}
	dir, err = os.MkdirTemp("", "vitals-embedded-")
	return dir, "in a temporary folder on disk", err
}

// environment is the whole environment of the API: nothing is inherited that
// could change a limit unnoticed.
func (e Embedded) environment(dir string) map[string]string {
	vars := map[string]string{
		"ENV": "test", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO",
		"HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "127.0.0.1:0",
		"SECRET_KEY":   rand.Text() + rand.Text(),
		"DATABASE_URL": "sqlite:" + filepath.Join(dir, "clinic.db"),
		"CORS_DISABLE": "true", "MAIL_SINK": "none",
		"SHUTDOWN_DRAIN_DELAY": "0",
		"PATH":                 os.Getenv("PATH"), "TMPDIR": dir, "HOME": dir,
	}
	fault.Pass(vars)
	maps.Copy(vars, e.Env)
	return vars
}

// Flat is an environment as a process takes it.
func Flat(vars map[string]string) []string {
	env := make([]string, 0, len(vars))
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	return env
}

// serve starts the child and waits for the file in which it says where it listens.
func (e Embedded) serve(ctx context.Context, s *Stack, dir string, env []string) error {
	logFile, err := os.Create(s.Log)
	if err != nil {
		return fmt.Errorf("open the API's log: %w", err)
	}
	s.OnClose(func(context.Context) error { return logFile.Close() })
	ready := filepath.Join(dir, "ready.json")
	cmd := exec.Command(e.Binary, "serve", "--ready-file", ready) // not CommandContext: Close ends it gracefully
	cmd.Env, cmd.Stdout, cmd.Stderr = env, logFile, logFile
	cmd.SysProcAttr = childAttr()
	done, err := start(cmd)
	if err != nil {
		return fmt.Errorf("start the API: %w", err)
	}
	s.OnClose(func(ctx context.Context) error { return stop(ctx, cmd.Process, done) })
	s.Meter = observe.Process(cmd.Process.Pid)

	at, err := listening(ctx, ready, done)
	if err != nil {
		return fmt.Errorf("start the API: %w%s", err, tail(s.Log, 5))
	}
	if s.URL, err = url.Parse("http://" + at.Addr); err != nil {
		return err
	}
	s.Replicas = []*url.URL{s.URL}
	s.Metrics, err = url.Parse("http://" + at.Admin + "/metrics")
	s.Admins = []*url.URL{s.Metrics}
	return err
}

// start starts the child on a thread that stays: the kernel sends the parent's
// death signal when the starting thread ends, not the process (golang/go#27505).
func start(cmd *exec.Cmd) (<-chan struct{}, error) {
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its exit is told by its log
		}
		close(done)
	}()
	return done, <-started
}

type addresses struct {
	Addr  string `json:"addr"`
	Admin string `json:"admin"`
}

// listening waits until the child has written where it listens.
func listening(ctx context.Context, file string, done <-chan struct{}) (addresses, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(file); err == nil {
			var at addresses
			if json.Unmarshal(b, &at) == nil && at.Addr != "" {
				return at, nil
			}
		}
		select {
		case <-done:
			return addresses{}, errors.New("it ended before it listened")
		case <-ctx.Done():
			return addresses{}, fmt.Errorf("it does not listen after %v", startPatience)
		case <-tick.C:
		}
	}
}

// stop asks the child to drain, and ends it when it does not.
func stop(ctx context.Context, p *os.Process, done <-chan struct{}) error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the API: %w", err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	_ = p.Kill() // it may have ended meanwhile
	<-done
	return nil
}

// Seed runs the API's own seeding command. The password travels in the
// environment: a flag would land in the process list.
func Seed(ctx context.Context, binary string, env []string, n int, password string) error {
	cmd := exec.CommandContext(ctx, binary, "serve", "seed", "--accounts", strconv.Itoa(n))
	cmd.Env = append(env, "VITALS_SEED_PASSWORD="+password)
	cmd.SysProcAttr = childAttr()
	// The parent's death signal comes when the thread that started the child ends
	// (golang/go#27505): this one must stay until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("seed %d accounts: %w: %s", n, err, lastLines(out, 5))
	}
	return nil
}

// Seeded names the accounts that the API's seeding command makes.
func Seeded(n int, password string) []Account {
	out := make([]Account, n)
	for i := range out {
		out[i] = Account{Email: fmt.Sprintf("patient-%06d@clinic.test", i+1), Password: password}
	}
	return out
}

// Describe reads the configuration that the API will start with by the API's
// own rules: what is in force, and how it deviates from the published limits.
func Describe(env map[string]string) ([]Setting, []string, error) {
	cfg, _, err := config.Load(env)
	if err != nil {
		return nil, nil, fmt.Errorf("the API's configuration: %w", err)
	}
	var settings []Setting
	for _, l := range cfg.Describe() {
		settings = append(settings, Setting(l))
	}
	var deviations []string
	for _, d := range cfg.Deviations() {
		deviations = append(deviations, d.String())
	}
	return settings, deviations, nil
}

func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// tail is the end of a log, for the person who must act on a failed start.
func tail(file string, n int) string {
	b, err := os.ReadFile(file)
	if err != nil || len(b) == 0 {
		return ""
	}
	return "; its last words:\n" + lastLines(b, n)
}

func talk(w io.Writer, format string, args ...any) {
	if w != nil {
		fmt.Fprintf(w, format, args...)
	}
}
