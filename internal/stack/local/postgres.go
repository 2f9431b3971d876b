package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"vitals/internal/stack"
)

// Postgres is a cluster of ours in a folder, served by a child process.
type Postgres struct {
	stack.Postgres
	bin, dir string
	socket   bool
	as       *account
	child
}

// superuser of every cluster of ours.
const superuser = "vitals"

// NewPostgres makes a cluster in a new folder at dir and serves it, on a free
// port of loopback or, where no port is wanted, on a socket in the folder. A
// *Missing says what to install.
func NewPostgres(ctx context.Context, dir string, socket bool) (_ *Postgres, err error) {
	bin := postgresPrograms()
	if bin == "" {
		return nil, &Missing{What: "Postgres", Install: "Debian: postgresql"}
	}
	p := &Postgres{Postgres: stack.Postgres{User: superuser, Password: rand.Text()}, bin: bin, dir: dir, socket: socket}
	if p.as, err = unprivileged(); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	for _, step := range []func(context.Context) error{p.initdb, p.listen, p.start} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("start Postgres: %w", err), p.Close(context.WithoutCancel(ctx)))
		}
	}
	return p, nil
}

// HasPostgres tells whether NewPostgres finds what it needs.
func HasPostgres() bool { return postgresPrograms() != "" }

// postgresPrograms is the newest folder with initdb, "" if there is none.
func postgresPrograms() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return ""
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // not Debian's folders: 0
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }))
}

// unprivileged is whom Postgres runs as when we are root, which it refuses to be.
func unprivileged() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	return &account{uid: uint32(uid), gid: uint32(gid)}, errors.Join(uerr, gerr)
}

// initdb makes the cluster. The password travels in a file: a flag would land in
// the process list.
func (p *Postgres) initdb(ctx context.Context) (err error) {
	if p.as != nil {
		if err := os.Chown(p.dir, int(p.as.uid), int(p.as.gid)); err != nil {
			return err
		}
	}
	word := filepath.Join(p.dir, "password")
	if err := os.WriteFile(word, []byte(p.Password), 0o644); err != nil { // the folder is closed to others
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(word)) }()
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "-D", p.data(), "-U", p.User, "--pwfile", word,
		"--auth", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")
	cmd.Dir = p.dir
	if out, err := output(cmd, p.as); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// listen chooses where the cluster is reached, for all its starts.
func (p *Postgres) listen(context.Context) error {
	if p.socket {
		p.At = p.dir
		return nil
	}
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	p.At = net.JoinHostPort("127.0.0.1", ports[0])
	return nil
}

// start serves the cluster. Nothing waits for the disk: the data is thrown away
// and outlives a killed process all the same.
func (p *Postgres) start(ctx context.Context) error {
	args := []string{"-D", p.data(), "-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "autovacuum=off"}
	if p.socket {
		args = append(args, "-k", p.dir, "-c", "listen_addresses=")
	} else {
		_, port, err := net.SplitHostPort(p.At)
		if err != nil {
			return err
		}
		args = append(args, "-k", "", "-c", "listen_addresses=127.0.0.1", "-p", port)
	}
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()                                              // the child has its own
	cmd := exec.Command(filepath.Join(p.bin, "postgres"), args...) // not CommandContext: it is ended gracefully
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	proc, err := start(cmd, p.as, syscall.SIGINT) // SIGKILL would leave its shared memory
	if err != nil {
		return err
	}
	p.now.Store(proc)
	if err := stack.Await(ctx, "Postgres", proc.Done(), func(ctx context.Context) error { return p.Ping(ctx, "postgres") }); err != nil {
		return fmt.Errorf("%w%s", err, tail(p.log(), 5))
	}
	return nil
}

func (p *Postgres) log() string { return filepath.Join(p.dir, "log") }

// Clone serves a copy of a cluster in a new folder at dir; the original must have
// been stopped. It takes a fraction of initdb's time.
func (p *Postgres) Clone(ctx context.Context, dir string) (*Postgres, error) {
	c := &Postgres{Postgres: p.Postgres, bin: p.bin, dir: dir, as: p.as}
	if out, err := exec.CommandContext(ctx, "cp", "-a", p.dir, dir).CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("copy the cluster: %w: %s", err, out), os.RemoveAll(dir))
	}
	for _, step := range []func(context.Context) error{c.listen, c.start} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("start Postgres: %w", err), c.Close(context.WithoutCancel(ctx)))
		}
	}
	return c, nil
}

// Act does something to the cluster. It cannot be frozen: it is many processes.
func (p *Postgres) Act(ctx context.Context, a stack.Action) error {
	switch a {
	case stack.Stop: // fast: connections are ended
		p.end(ctx, syscall.SIGINT, 10*time.Second)
	case stack.Kill:
		p.end(ctx, syscall.SIGQUIT, 5*time.Second) // SIGKILL would leave its children and their memory
	case stack.Start:
		return p.start(ctx)
	default:
		return fmt.Errorf("no action %q for Postgres", a)
	}
	return nil
}

// Close ends the cluster and removes its folder.
func (p *Postgres) Close(ctx context.Context) error {
	p.end(ctx, syscall.SIGINT, 10*time.Second)
	return os.RemoveAll(p.dir)
}
