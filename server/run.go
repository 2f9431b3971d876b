package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/config"
	"vitals/server/telemetry"
)

// Options is what Run needs beside the configuration.
type Options struct {
	Log      io.Writer // lines of the log; nil discards them
	NoColor  bool      // of the console log
	Warnings []string  // of config.Load, for the start-up log
	Version  string    // shown by /health and build_info; "" = "dev"
	// ReadyFile, if set, is written when both listeners are open, as
	// {"addr","admin","pid"}: whole or not at all.
	ReadyFile string
}

// Ready is what ReadyFile says and the log's "ready" line: where the API and its
// admin listener answer, as host:port, and the process that signals go to.
type Ready struct {
	Addr  string `json:"addr"`
	Admin string `json:"admin"`
	PID   int    `json:"pid"`
}

// Run serves until ctx ends, then drains (hardening 2.6) and returns nil. An
// error means it could not start, or broke.
func Run(ctx context.Context, cfg *config.Config, o Options) error {
	p, err := newProcess(cfg, o)
	if err != nil {
		return err
	}
	err = p.single(ctx)
	return errors.Join(err, p.close())
}

// process is what one process of the service has whatever it serves.
type process struct {
	cfg      *config.Config
	o        Options
	log      *slog.Logger // app.server
	root     *slog.Logger
	registry *prometheus.Registry
}

func newProcess(cfg *config.Config, o Options) (*process, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	level, err := telemetry.ParseLevel(cfg.Log.Level)
	if err != nil {
		return nil, err
	}
	root := slog.New(telemetry.NewHandler(o.Log, telemetry.LogOptions{
		Level: level, Console: cfg.Log.Format == "console", NoColor: o.NoColor,
	}))
	return &process{
		cfg: cfg, o: o, root: root, log: telemetry.Named(root, "app.server"),
		registry: telemetry.NewRegistry(o.Version),
	}, nil
}

// close is the last thing a process does.
func (p *process) close() error { return nil }

// single serves in this one process.
func (p *process) single(ctx context.Context) (err error) {
	rooms, err := openRooms(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rooms.close()) }()
	api, err := New(p.cfg, rooms.deps)
	if err != nil {
		return err
	}
	public, err := listen(ctx, publicAddr(p.cfg.Core))
	if err != nil {
		return err
	}
	admin, err := listen(ctx, p.cfg.Core.AdminAddr)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	stop := serveAdmin(admin, adminHandler(p.registry))
	defer func() { err = errors.Join(err, stop()) }()
	if err := p.announce(public.Addr(), admin.Addr()); err != nil {
		return errors.Join(err, public.Close())
	}
	return api.serve(ctx, public)
}

// announce says where the service answers, in the log and in the ready file.
func (p *process) announce(public, admin net.Addr) error {
	for _, w := range p.o.Warnings {
		p.log.Warn("configuration", "warning", w)
	}
	r := Ready{Addr: public.String(), Admin: admin.String(), PID: os.Getpid()}
	p.log.Info("ready", "addr", r.Addr, "admin", r.Admin, "pid", r.PID, "at", time.Now().UTC().Format(telemetry.TimeLayout))
	if p.o.ReadyFile == "" {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	// A reader that polls for the file must never see half of it.
	part := filepath.Join(filepath.Dir(p.o.ReadyFile), "."+filepath.Base(p.o.ReadyFile)+".part")
	if err := errors.Join(os.WriteFile(part, append(text, '\n'), 0o600), os.Rename(part, p.o.ReadyFile)); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	return nil
}
