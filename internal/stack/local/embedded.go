package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"vitals/internal/observe"
	"vitals/internal/stack"
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

// Start seeds the accounts, starts the API and waits until it listens.
func (e Embedded) Start(ctx context.Context) (_ *stack.Stack, err error) {
	folder, err := stack.NewFolder("embedded", true)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the embedded database: %w", err)
	}
	where := "in a temporary folder on disk"
	if folder.Memory {
		where = "in a temporary folder held in memory"
	}
	s := &stack.Stack{
		Kind: "embedded", Cores: float64(runtime.NumCPU()),
		Source: stack.Loopback,
		Info: map[string]string{
			"database":  "SQLite " + where,
			"limiter":   "in process",
			"addresses": "each user and each intruder has a source address of its own in 127.0.0.0/8",
		},
	}
	s.OnClose(func(context.Context) error { return folder.Remove() })
	defer func() {
		if err != nil {
			_ = s.Close(context.WithoutCancel(ctx)) // the start's error is the one to report
		}
	}()

	env := Environment(folder.Path)
	maps.Copy(env, map[string]string{"PORT": "0", "ADMIN_ADDR": "127.0.0.1:0", "CORS_DISABLE": "true", "MAIL_SINK": "none"})
	maps.Copy(env, e.Env)
	if s.Settings, s.Deviations, err = stack.Describe(env); err != nil {
		return nil, err
	}
	began := time.Now()
	if s.Accounts, err = Seed(ctx, e.Binary, env, e.Accounts, rand.Text()); err != nil {
		return nil, err
	}
	if e.Talk != nil {
		fmt.Fprintf(e.Talk, "seeded %d accounts in %.1f s\n", e.Accounts, time.Since(began).Seconds())
	}
	r, err := API{Binary: e.Binary, Dir: folder.Path, LogFile: e.LogFile, Env: env}.Start(ctx, 1)
	if err != nil {
		return nil, err
	}
	s.OnClose(r.Close)
	if s.Log = r.Log; r.Process().Ended() {
		return nil, errors.New("start the API: it ended before it listened" + tail(r.Log, 5))
	}
	s.Meter = observe.Process(r.Process().PID())
	s.URL, s.Replicas = r.URL, []*url.URL{r.URL}
	s.Metrics, s.Admins = r.Metrics, []*url.URL{r.Metrics}
	return s, nil
}

// Environment is the whole environment of an API with a SQLite in a folder:
// nothing is inherited that could change a limit unnoticed.
func Environment(dir string) map[string]string {
	env := map[string]string{
		"ENV": "test", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "HOST": "127.0.0.1",
		"SECRET_KEY":           rand.Text() + rand.Text(),
		"DATABASE_URL":         "sqlite:" + filepath.Join(dir, "clinic.db"),
		"SHUTDOWN_DRAIN_DELAY": "0",
		"PATH":                 os.Getenv("PATH"), "TMPDIR": dir, "HOME": dir,
	}
	fault.Pass(env)
	return env
}
