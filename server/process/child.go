package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// child is one worker process as its supervisor holds it.
type child struct {
	n         int
	cmd       *exec.Cmd
	heartbeat *os.File // read end
	lifeline  *os.File // write end; never written to
	http      *http.Client
	exited    chan struct{} // closed once the process is reaped
	exitErr   error         // read after exited
}

// newChild starts worker n on the public listener. dir holds its unix socket.
func (s *supervisor) newChild(n int, generation int) (*child, error) {
	socket := filepath.Join(s.dir, fmt.Sprintf("worker-%d-%d", n, generation))
	metrics, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open worker %d's metrics socket: %w", n, err)
	}
	metrics.SetUnlinkOnClose(false) // the worker's copy goes on
	defer metrics.Close()
	metricsFile, err := metrics.File()
	if err != nil {
		return nil, fmt.Errorf("pass worker %d its metrics socket: %w", n, err)
	}
	defer metricsFile.Close()
	beatRead, beatWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make worker %d's heartbeat: %w", n, err)
	}
	defer beatWrite.Close()
	lifeRead, lifeWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make worker %d's lifeline: %w", n, err), beatRead.Close())
	}
	defer lifeRead.Close()

	cmd := exec.Command(s.program, os.Args[1:]...)
	cmd.Env = append(s.env[:len(s.env):len(s.env)], WorkerEnv+"="+strconv.Itoa(n), "GOMAXPROCS=1")
	cmd.ExtraFiles = []*os.File{s.publicFile, metricsFile, beatWrite, lifeRead} // the order of fdPublic…
	cmd.Stdout, cmd.Stderr = workerLog(s.o.Log), os.Stderr
	// A terminal's Ctrl-C goes to the whole group: the workers drain when the
	// supervisor says so, and once.
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start worker %d: %w", n, err), beatRead.Close(), lifeWrite.Close())
	}
	c := &child{
		n: n, cmd: cmd, heartbeat: beatRead, lifeline: lifeWrite, exited: make(chan struct{}),
		http: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
		}},
	}
	go func() { defer close(c.exited); c.exitErr = cmd.Wait() }()
	return c, nil
}

// watch blocks until the worker exits or is silent for timeout; a silent one is
// killed. beaten is called at its first beat.
func (c *child) watch(timeout time.Duration, beaten func()) error {
	defer func() {
		_ = c.lifeline.Close()
		_ = c.heartbeat.Close()
		c.http.CloseIdleConnections()
	}()
	buf := make([]byte, 64)
	for {
		_ = c.heartbeat.SetReadDeadline(time.Now().Add(timeout)) // pipes have deadlines on every system with fork
		_, err := c.heartbeat.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = c.cmd.Process.Kill()
			<-c.exited
			return fmt.Errorf("worker %d was silent for %s and was killed", c.n, timeout)
		case err != nil: // its end closed
			<-c.exited
			return c.exitErr
		}
		beaten()
	}
}

// scrape asks the worker for its metrics.
func (c *child) scrape(ctx context.Context) (families []*dto.MetricFamily, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://worker/metrics", nil)
	if err != nil {
		return nil, err
	}
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	req.Header.Set("Accept", string(format))
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("scrape worker %d: %w", c.n, err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	dec := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header))
	for {
		family := new(dto.MetricFamily)
		if err := dec.Decode(family); err != nil {
			if isEOF(err) {
				return families, nil
			}
			return nil, fmt.Errorf("scrape worker %d: %w", c.n, err)
		}
		families = append(families, family)
	}
}
