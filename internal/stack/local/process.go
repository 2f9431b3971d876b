// Package local starts a system under test, or parts of one, as child processes
// of this machine: the reference API, Postgres and Redis. It is the one place
// where a child is started, and it leaves load and judgement to others.
package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a child of ours. It ends with this process, however that ends.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// account is whom a child runs as; nil = as we do.
type account struct{ uid, gid uint32 }

// Start starts a child on a thread that stays: the kernel sends the parent's
// death signal when the starting thread ends, not the process (golang/go#27505).
// The child's attributes are set here; what it runs, where and with which
// environment is the caller's.
func Start(cmd *exec.Cmd) (*Process, error) { return start(cmd, nil, syscall.SIGKILL) }

// StartAsking is Start of a child that has something to keep: the kernel asks it to
// end, by SIGINT, should we die.
func StartAsking(cmd *exec.Cmd) (*Process, error) { return start(cmd, nil, syscall.SIGINT) }

// start is Start as another account, with the signal that the kernel sends the
// child should we die.
func start(cmd *exec.Cmd, as *account, last syscall.Signal) (*Process, error) {
	cmd.SysProcAttr = childAttr(as, last)
	p := &Process{cmd: cmd, done: make(chan struct{})}
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

// Output runs a child to its end and gives what it printed.
func Output(cmd *exec.Cmd) ([]byte, error) { return output(cmd, nil) }

func output(cmd *exec.Cmd, as *account) ([]byte, error) {
	cmd.SysProcAttr = childAttr(as, syscall.SIGKILL)
	runtime.LockOSThread() // see Start
	defer runtime.UnlockOSThread()
	return cmd.CombinedOutput()
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended tells whether the child has ended, by itself or not.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Code is the exit code of a child that has ended; -1 when a signal ended it.
func (p *Process) Code() int { return p.cmd.ProcessState.ExitCode() }

// End asks the child to leave, kills it when it does not within the wait, and
// gives its exit code. A frozen child is let go on first: it would not hear.
func (p *Process) End(ctx context.Context, sig os.Signal, wait time.Duration) int {
	patience := time.NewTimer(wait)
	defer patience.Stop()
	_ = thaw(p.cmd.Process) // it may have ended
	if err := p.cmd.Process.Signal(sig); err == nil || errors.Is(err, os.ErrProcessDone) {
		select {
		case <-p.done:
		case <-patience.C:
		case <-ctx.Done():
		}
	}
	if !p.Ended() {
		_ = p.cmd.Process.Kill() // as above
		<-p.done
	}
	return p.Code()
}

// child is a part's process, which may be started more than once.
type child struct{ now atomic.Pointer[Process] }

// end ends the process that runs, if any.
func (c *child) end(ctx context.Context, sig os.Signal, wait time.Duration) {
	if p := c.now.Load(); p != nil {
		p.End(ctx, sig, wait)
	}
}

func (c *child) freeze() error { return freeze(c.now.Load().cmd.Process) }
func (c *child) thaw() error   { return thaw(c.now.Load().cmd.Process) }

// Missing is a program that a part needs and this machine does not have.
type Missing struct{ What, Install string }

func (m *Missing) Error() string { return "no " + m.What + " on this machine (" + m.Install + ")" }

// FreePorts are n ports of loopback that nobody listens on at this moment.
func FreePorts(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until all are chosen
		if _, out[i], err = net.SplitHostPort(l.Addr().String()); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	return out, nil
}
