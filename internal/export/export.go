// Package export shows a run to others while it lasts: a live page, a Prometheus
// page, and OpenTelemetry metrics. It judges nothing, and that somebody does not
// listen never stops a run.
package export

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"vitals/internal/wire"
	"vitals/report"
)

// Options are what a user asks for; zero fields are not.
type Options struct {
	Live    string // address of the live page; a bare :PORT is of loopback alone
	Metrics string // address of the Prometheus page, likewise
	OTLP    bool   // send metrics as the OTEL_* variables say
	Version string // of this program
	RunID   string
}

// Exporter shows one session. Its methods may be called from several goroutines.
type Exporter struct {
	metrics *metrics
	live    *live
	otlp    *otlp
	servers []*http.Server
	bound   []string
}

// Start begins to listen and to send. The zero Options give an Exporter that does
// nothing. An error says which address could not be had.
func Start(ctx context.Context, o Options) (*Exporter, error) {
	e := &Exporter{}
	if o.Live != "" {
		e.live = newLive()
		if err := e.serve(ctx, "live page", o.Live, e.live.handler()); err != nil {
			return nil, err
		}
	}
	if o.Metrics != "" {
		e.metrics = newMetrics(o)
		if err := e.serve(ctx, "metrics page", o.Metrics, e.metrics.handler()); err != nil {
			return nil, errors.Join(err, e.close(ctx))
		}
	}
	if o.OTLP {
		var err error
		if e.otlp, err = newOTLP(ctx, o); err != nil {
			return nil, errors.Join(err, e.close(ctx))
		}
	}
	return e, nil
}

// Addresses are the pages' URLs, for people.
func (e *Exporter) Addresses() []string { return e.bound }

// See is told of every request when it has ended.
func (e *Exporter) See(scenario string, x *wire.Seen) {
	if e.metrics != nil {
		e.metrics.see(scenario, x)
	}
	if e.otlp != nil {
		e.otlp.see(scenario, x)
	}
}

// Show is told how the run stands, about once a second.
func (e *Exporter) Show(n report.Now) {
	if e.metrics != nil {
		e.metrics.show(n)
	}
	if e.live != nil {
		e.live.show(n)
	}
}

// End tells the verdict (d is nil where nothing was measured), sends what is left, and stays until the metrics page was
// read twice more where somebody read it at all, or ctx ends.
func (e *Exporter) End(ctx context.Context, d *report.Document) error {
	if e.live != nil && d != nil {
		e.live.end(d)
	}
	if e.metrics != nil {
		e.metrics.end(ctx, d)
	}
	return e.close(context.WithoutCancel(ctx)) // what was measured is sent in any case
}

func (e *Exporter) close(ctx context.Context) error {
	var errs []error
	if e.otlp != nil {
		errs = append(errs, e.otlp.close(ctx))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if e.live != nil {
		e.live.close()
	}
	for _, s := range e.servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close() // whoever still reads has had its time
		}
	}
	return errors.Join(errs...)
}

// serve listens at an address; a bare :PORT is loopback's.
func (e *Exporter) serve(ctx context.Context, what, addr string, h http.Handler) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: address %q: want :PORT, which is loopback's alone, or HOST:PORT", what, addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	bound := l.Addr().(*net.TCPAddr)
	if bound.IP.IsLoopback() {
		h = localOnly(h)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	e.servers = append(e.servers, s)
	e.bound = append(e.bound, fmt.Sprintf("%s at http://%s/", what, bound))
	go func() { _ = s.Serve(l) }() // ends with Shutdown
	return nil
}

// localOnly refuses names that are not loopback's: a page from elsewhere that makes
// its own name point here must not read ours.
func localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "this page is for this machine alone", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
