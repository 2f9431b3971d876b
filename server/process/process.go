// Package process is how the API runs: as one process, or as a supervisor and its
// workers on one listener, with the admin listener beside them, from start to drain.
// What a request passes is the package server's.
package process

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/internal/atomicfile"
	"vitals/server"
	"vitals/server/config"
	"vitals/server/telemetry"
)

// Options is what Run needs beside the configuration.
type Options struct {
	Log      io.Writer // lines of the log; nil discards them
	NoColor  bool      // of the console log
	Warnings []string  // of config.Load, for the start-up log
	Version  string    // shown by /health and build_info; "" = "dev"
	Env      []string  // environment of worker processes, as os.Environ; nil = this process's own
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

// Run serves until ctx ends, then drains and returns nil. An
// error means it could not start, or broke. With WORKERS above 1 it starts this
// same program again, with the same arguments, once per worker.
func Run(ctx context.Context, cfg *config.Config, o Options) error {
	p, err := newProcess(cfg, o)
	if err != nil {
		return err
	}
	defer p.close()
	role := p.single
	switch number := workerNumber(os.Getenv); {
	case number > 0:
		role = p.worker
	case cfg.Workers.Count > 1:
		role = p.supervise
	}
	if err := role(ctx); err != nil {
		p.log.Log(ctx, telemetry.LevelCritical, "the service ends", "error", err)
		return err
	}
	p.log.Info("ended")
	return nil
}

// process is what one process of the service has whatever it serves.
type process struct {
	cfg      *config.Config
	o        Options
	log      *slog.Logger // app.server
	root     *slog.Logger
	registry *prometheus.Registry
	sentry   *telemetry.Sentry // nil = none
	workers  *prometheus.GaugeVec
}

// sentryFlush is how long the end waits for reports under way.
const sentryFlush = 2 * time.Second

func newProcess(cfg *config.Config, o Options) (*process, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if _, file := o.Log.(*os.File); !file {
		o.Log = &syncWriter{to: o.Log}
	}
	o.Version = cmp.Or(o.Version, "dev")
	level, err := telemetry.ParseLevel(cfg.Log.Level)
	if err != nil {
		return nil, err
	}
	p := &process{cfg: cfg, o: o, registry: telemetry.NewRegistry(o.Version)}
	p.sentry, err = newSentry(cfg.Sentry, o.Version, p.registry)
	if err != nil {
		return nil, err
	}
	p.root = slog.New(slog.NewMultiHandler(
		telemetry.NewHandler(o.Log, telemetry.LogOptions{
			Level: level, Console: cfg.Log.Format == "console", NoColor: o.NoColor,
		}),
		p.sentry.Handler(),
	))
	if n := workerNumber(os.Getenv); n > 0 {
		p.root = p.root.With("worker", n)
		return p.named(), nil // its supervisor counts the workers
	}
	p.workers = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "process_workers", Help: "Processes that accept requests: as configured, and as running now.",
	}, []string{"state"})
	p.registry.MustRegister(p.workers)
	p.workers.WithLabelValues("configured").Set(float64(cfg.Workers.Count))
	return p.named(), nil
}

func (p *process) named() *process {
	p.log = telemetry.Named(p.root, "app.server")
	return p
}

func newSentry(c config.Sentry, version string, reg prometheus.Registerer) (*telemetry.Sentry, error) {
	return telemetry.NewSentry(telemetry.SentryOptions{
		DSN: c.DSN.Reveal(), SampleRate: c.SampleRate, TracesSampleRate: c.TracesSampleRate,
		Environment: c.Environment, Release: cmp.Or(c.Release, version),
	}, reg)
}

// SendTestEvent sends one event to the configured Sentry, waiting at most until ctx
// ends.
func SendTestEvent(ctx context.Context, cfg *config.Config, version string) error {
	s, err := newSentry(cfg.Sentry, version, nil)
	if err != nil {
		return err
	}
	defer s.Close(0)
	return s.Test(ctx)
}

// host is what the services get of this process.
func (p *process) host() server.Host {
	return server.Host{Log: p.root, Registry: p.registry, Version: p.o.Version, Trace: p.sentry.Trace}
}

// close is the last thing a process does: what is still on its way to Sentry.
func (p *process) close() { p.sentry.Close(sentryFlush) }

// single serves in this one process.
func (p *process) single(ctx context.Context) (err error) {
	services, err := server.OpenServices(ctx, p.cfg, p.host(), true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, services.Close()) }()
	api, err := services.New(p.cfg)
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
	p.workers.WithLabelValues("running").Set(1)
	return api.Serve(ctx, public, nil)
}

// logLimits says which limits are in force, and where they depart from the
// published table.
func (p *process) logLimits() {
	l := p.cfg.Limits
	quota := func(q config.Quota) string { return fmt.Sprintf("%d/%s", q.Limit, q.Window) }
	p.log.Info("limits in force", "enabled", l.Enabled,
		"login", quota(l.Login), "two_factor", quota(l.TwoFactor),
		"password_reset", quota(l.PasswordReset), "password_change", quota(l.PasswordChange),
		"api", quota(l.API), "lockout", l.Lockout.String(), "api_key", l.APIKey,
		"max_conns", p.cfg.HTTP.MaxConns, "max_in_flight", p.cfg.HTTP.MaxInFlight, "workers", p.cfg.Workers.Count)
	for _, d := range p.cfg.Deviations() {
		p.log.Warn("a limit departs from the published table", "deviation", d.String())
	}
}

// announce says where the service answers, in the log and in the ready file.
func (p *process) announce(public, admin net.Addr) error {
	for _, w := range p.o.Warnings {
		p.log.Warn("configuration", "warning", w)
	}
	p.logLimits()
	r := Ready{Addr: public.String(), Admin: admin.String(), PID: os.Getpid()}
	p.log.Info("ready", "addr", r.Addr, "admin", r.Admin, "pid", r.PID)
	if p.o.ReadyFile == "" {
		return nil
	}
	if err := atomicfile.Write(p.o.ReadyFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	return nil
}
