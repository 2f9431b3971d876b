package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	rounds int
	length time.Duration
	k6     bool
}

// The server has one processor and the generator the other, where there are two
// and taskset can say so.
const (
	serverCPU    = 1
	generatorCPU = 0
)

// bench is one sitting.
type bench struct {
	opt     options
	self    string
	dir     string
	taskset string // "" = not pinned
	tools   []tool
	log     io.Writer
}

func newBench(_ context.Context, opt options, log io.Writer) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "peers-")
	if err != nil {
		return nil, err
	}
	b := &bench{opt: opt, self: self, dir: dir, log: log}
	if path, err := exec.LookPath("taskset"); err == nil {
		b.taskset = path
	}
	b.find()
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

func (b *bench) skip(name, why string) { fmt.Fprintf(b.log, "peers: %s is skipped: %s\n", name, why) }

func (b *bench) placing() string {
	if b.taskset == "" {
		return "sharing all processors (no taskset)"
	}
	return "pinned to a processor each"
}

// build makes a peer from the module proxy, in a module of its own: a plain go
// install would ask for lists of versions that not every proxy gives.
func (b *bench) build(name, module, version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "vitals-peers", name+"-"+version)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	mod := fmt.Sprintf("module peer\n\ngo 1.26\n\nrequire %s %s\n", module, version)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		return "", err
	}
	fmt.Fprintf(b.log, "peers: building %s %s\n", name, version)
	cmd := exec.Command("go", "build", "-mod=mod", "-o", path, module)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Errorf("build %s %s: %s", module, version, lines[len(lines)-1])
	}
	return path, nil
}

func (b *bench) pinned(cpu int, name string, args ...string) *exec.Cmd {
	if b.taskset == "" || cpu < 0 {
		return exec.Command(name, args...)
	}
	return exec.Command(b.taskset, append([]string{"-c", strconv.Itoa(cpu), name}, args...)...)
}

// result is one round of one tool, counted by the server and the kernel.
type result struct {
	requests int64
	conns    int
	perReq   time.Duration // CPU of the generator
	rate     float64       // answers per second of the tool's wall time, start and end included
	rss      int64         // kB at most
	slowed   int64         // arrivals while the server was slow
	said     string        // on its standard error: the first line of trouble
	figures  figures
}

// round starts a fresh server and lets the tool do the job; meanwhile, if given,
// happens beside it. cpu -1 = not pinned.
func (b *bench) round(t tool, j job, cpu int, meanwhile func(*server)) (result, error) {
	s, err := startServer(b)
	if err != nil {
		return result{}, err
	}
	defer s.close()
	j.addr, j.dir = s.addr, b.dir
	args := t.args(j)
	cmd := b.pinned(cpu, args[0], args[1:]...)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	if meanwhile != nil {
		meanwhile(s)
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("%s: %w: %s", t.name, err, trouble.String())
	}
	r := result{figures: t.read(j, out.Bytes())}
	took := time.Since(began)
	if r.requests, r.conns, err = s.count(); err != nil || r.requests == 0 {
		return result{}, fmt.Errorf("%s: no answers counted: %v", t.name, err)
	}
	if r.slowed, err = s.slowed(); err != nil {
		return result{}, err
	}
	r.said = complaint(trouble.String())
	r.perReq = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()) / time.Duration(r.requests)
	r.rate = float64(r.requests) / took.Seconds()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.rss = u.Maxrss
	}
	return r, nil
}

// rounds plays all tools in turns and keeps each one's cheapest round, with the
// figures of its most punctual one: noise of the machine only ever adds.
func (b *bench) rounds(j job, cpu int, meanwhile func(*server)) (map[string]result, error) {
	best := map[string]result{}
	j.dir = b.dir // arguments are made, and files with them, to see whether a tool can do the job
	for range b.opt.rounds {
		for _, t := range b.tools {
			if t.args(j) == nil {
				continue
			}
			r, err := b.round(t, j, cpu, meanwhile)
			if err != nil {
				return nil, err
			}
			old, ok := best[t.name]
			if !ok {
				best[t.name] = r
				continue
			}
			if old.figures.P99 > 0 && old.figures.P99 < r.figures.P99 {
				r.figures = old.figures
			}
			if old.perReq < r.perReq {
				old.figures = r.figures
				r = old
			}
			best[t.name] = r
		}
	}
	return best, nil
}
