package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// ServerVariable names an existing Postgres to test against.
const ServerVariable = "VITALS_TEST_POSTGRES"

// PostgresURL makes an empty database that is dropped when the test ends, and
// gives its URL. Without a server it skips the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	srv, err := server()
	if errors.Is(err, errNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	admin := srv.admin
	name := fmt.Sprintf("vitals_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	execute(t, admin, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	t.Cleanup(func() { execute(t, admin, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)") })
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("%s is not a URL", ServerVariable)
	}
	u.Path = "/" + name
	return u.String()
}

// execute runs one statement outside the test's context, which is over when
// clean-up runs.
func execute(t testing.TB, admin, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatalf("%s: %v", strings.Fields(statement)[0], err)
	}
}

var errNotInstalled = fmt.Errorf("no Postgres: install it (Debian: postgresql), or name a server in %s", ServerVariable)

// cluster is a running server. life, while open, keeps one that is ours alive.
type cluster struct {
	admin string // URL of a role that may create databases
	life  *os.File
}

// server is the one server of this test process.
var server = sync.OnceValues(func() (cluster, error) {
	if u := os.Getenv(ServerVariable); u != "" {
		return cluster{admin: u}, nil
	}
	bin := binaries()
	if bin == "" {
		return cluster{}, errNotInstalled
	}
	c, err := start(bin)
	if err != nil {
		return cluster{}, fmt.Errorf("start Postgres for tests: %w", err)
	}
	return c, nil
})

// binaries is the newest folder with initdb, "" if there is none.
func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return ""
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }))
}

// keeper runs the server and ends it when its own input closes, which the kernel
// does when the test process ends, however it ends. It then removes the folder.
const keeper = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
	-c max_connections=200 -c shared_buffers=64MB -c autovacuum=off >"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"
`

// start makes a cluster in a new folder and serves it on a unix socket there,
// so that no port can be taken and nobody else can connect.
func start(bin string) (c cluster, err error) {
	dir, err := os.MkdirTemp("", "vitals-pg-")
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	who, err := owner()
	if err != nil {
		return c, err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return c, err
		}
	}
	as := func(cmd *exec.Cmd) *exec.Cmd {
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true} // an interrupt at the terminal is not for it
		return cmd
	}
	initdb := as(exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "vitals", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"))
	if out, err := initdb.CombinedOutput(); err != nil {
		return c, fmt.Errorf("initdb: %w: %s", err, out)
	}
	end, life, err := os.Pipe()
	if err != nil {
		return c, err
	}
	keep := as(exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir))
	keep.Stdin = end
	err = errors.Join(keep.Start(), end.Close())
	if err != nil {
		return c, errors.Join(err, life.Close())
	}
	c = cluster{admin: "postgres://vitals@/postgres?host=" + url.QueryEscape(dir), life: life}
	if err := answers(c.admin); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) // "" says as much as the error would
		return cluster{}, errors.Join(fmt.Errorf("%w: %s", err, log), life.Close(), keep.Wait())
	}
	return c, nil
}

// owner is whom the server runs as: Postgres refuses to run as root.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uerr, gerr)
}

// answers waits until the server takes connections.
func answers(admin string) error {
	db, err := sql.Open("pgx", admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
