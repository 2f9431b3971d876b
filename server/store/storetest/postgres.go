package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// ServerVariable names an existing Postgres to test against.
const ServerVariable = "VITALS_TEST_POSTGRES"

// PostgresURL makes an empty database that is dropped when the test ends, and
// gives its URL. Without a server it skips the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	admin, err := server()
	if missing, ok := errors.AsType[*local.Missing](err); ok {
		t.Skipf("%v: install it, or name a server in %s", missing, ServerVariable)
	}
	if err != nil {
		t.Fatal(err)
	}
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

// server is the URL of the one server of this test process, for a role that may
// create databases.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv(ServerVariable); u != "" {
		return u, nil
	}
	url, err := start()
	if err != nil {
		return "", fmt.Errorf("start Postgres for tests: %w", err)
	}
	return url, nil
})

// keeper ends the server and removes its folder when its own input closes, which
// the kernel does when the test process ends, however it ends.
const keeper = `
cat >/dev/null
pid=$(head -n 1 "$1/pg/data/postmaster.pid") && kill -INT "$pid"
while [ -e "$1/pg/data/postmaster.pid" ]; do sleep 0.05; done
rm -rf "$1"
`

// life, while open, keeps the server alive, and place its folder: no test process
// closes them, and neither may be collected.
var (
	life  *os.File //lint:ignore U1000 held, not read
	place *stack.Folder
)

// start makes a cluster in a new folder and serves it on a unix socket there, so
// that no port can be taken.
func start() (_ string, err error) {
	folder, err := stack.NewFolder("storetest", false)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, folder.Remove())
		}
	}()
	if err := os.Chmod(folder.Path, 0o755); err != nil { // the server may be another user
		return "", err
	}
	end, begin, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer end.Close()
	keep := exec.Command("/bin/sh", "-c", keeper, "keeper", folder.Path)
	keep.Stdin, keep.SysProcAttr = end, &syscall.SysProcAttr{Setpgid: true} // it outlives us, whatever ends us
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := local.NewPostgres(ctx, filepath.Join(folder.Path, "pg"), true)
	if err != nil {
		return "", errors.Join(err, begin.Close())
	}
	if err := keep.Start(); err != nil {
		return "", errors.Join(err, begin.Close(), db.Close(ctx))
	}
	life, place = begin, folder
	return db.URL("postgres"), nil
}
