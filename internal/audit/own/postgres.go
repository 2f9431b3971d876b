package own

import (
	"context"
	"crypto/rand"
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
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver under the name pgx

	"vitals/internal/audit"
)

// postgres is a cluster: of one launch, so that a probe may stop it without
// another's noticing, or of all that only use it.
type postgres struct {
	bin, dir, port, password string
	who                      *syscall.Credential
	box                      *box // nil = a process of this machine

	mu   sync.Mutex
	proc *process
}

// database is the name of the API's database in a cluster of its own.
const database = "clinic"

// postgres gives a launch a database: in a cluster of its own when it is to be
// broken, else in the one that all others share.
func (o *Owner) postgres(ctx context.Context, f *fleet, env map[string]string, api *audit.API, alone bool) error {
	pg, name := (*postgres)(nil), database
	var err error
	if o.o.Postgres != nil && !alone {
		pg, name, err = o.shared(ctx, f)
	} else if pg, err = o.cluster(ctx, f); err == nil {
		api.Fault = faults(api.Fault, "postgres", pg.act)
	}
	if err != nil {
		return err
	}
	env["DATABASE_URL"] = pg.dsn(name)
	api.SQL = func(ctx context.Context, q string, args ...any) ([][]string, error) {
		return pg.query(ctx, name, q, args...)
	}
	return nil
}

// shared is a database for a launch in the container of all, which is started at
// the first need: a cluster takes seconds to make, a database a moment.
func (o *Owner) shared(ctx context.Context, f *fleet) (*postgres, string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pg == nil {
		pg, err := o.container(ctx, &o.common)
		if err != nil {
			return nil, "", err
		}
		o.pg = pg
	}
	pg, name := o.pg, database+"_"+filepath.Base(f.dir)
	if _, err := pg.query(ctx, database, "CREATE DATABASE "+name); err != nil {
		return nil, "", fmt.Errorf("make a database: %w", err)
	}
	f.closers = append(f.closers, func(ctx context.Context) error {
		_, err := pg.query(ctx, database, "DROP DATABASE "+name+" WITH (FORCE)")
		return err
	})
	return pg, name, nil
}

// container starts a cluster as a container.
func (o *Owner) container(ctx context.Context, closers *[]func(context.Context) error) (*postgres, error) {
	pg := &postgres{password: rand.Text()}
	b, err := startBox(ctx, closers, o.o.Postgres, "5432", map[string]string{"POSTGRES_USER": "audit", "POSTGRES_PASSWORD": pg.password, "POSTGRES_DB": database})
	if err != nil {
		return nil, err
	}
	pg.box, pg.port = b, b.port
	return pg, patience(ctx, "Postgres", pg.ping)
}

// cluster starts one for a launch, as a container or from the template.
func (o *Owner) cluster(ctx context.Context, f *fleet) (*postgres, error) {
	if o.o.Postgres != nil {
		return o.container(ctx, &f.closers)
	}
	template, err := o.template(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	pg := template.clone(filepath.Join(filepath.Dir(f.dir), filepath.Base(f.dir)+"-pg"), ports[0])
	if out, err := exec.CommandContext(ctx, "cp", "-a", template.dir, pg.dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the cluster: %w: %s", err, out)
	}
	f.closers = append(f.closers, pg.close)
	return pg, pg.start(ctx)
}

// template is a cluster that never runs again, made at the first need.
func (o *Owner) template(ctx context.Context) (*postgres, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pg != nil {
		return o.pg, nil
	}
	pg, err := newCluster(ctx, filepath.Join(o.dir, "template"))
	if err != nil {
		return nil, err
	}
	_, err = pg.query(ctx, "postgres", "CREATE DATABASE "+database)
	pg.process().end(ctx, syscall.SIGINT, 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("make a database: %w", err)
	}
	o.pg = pg
	return pg, nil
}

func (p *postgres) clone(dir, port string) *postgres {
	return &postgres{bin: p.bin, dir: dir, port: port, password: p.password, who: p.who}
}

func (p *postgres) dsn(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword("audit", p.password), Host: "127.0.0.1:" + p.port, Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

// newCluster makes a cluster in a folder and starts it.
func newCluster(ctx context.Context, dir string) (*postgres, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, &audit.Missing{What: "Postgres", Install: "Debian: postgresql"}
	}
	slices.Sort(found)
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	p := &postgres{bin: filepath.Dir(found[len(found)-1]), dir: dir, port: ports[0], password: rand.Text()}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if p.who, err = nobody(); err == nil && p.who != nil {
		err = os.Chown(p.dir, int(p.who.Uid), int(p.who.Gid))
	}
	word := filepath.Join(p.dir, "password")
	if err == nil {
		err = os.WriteFile(word, []byte(p.password), 0o644)
	}
	if err == nil {
		cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "-D", filepath.Join(p.dir, "data"), "-U", "audit", "--pwfile", word,
			"--auth-host", "scram-sha-256", "--auth-local", "reject", "-E", "UTF8", "--locale=C", "--no-sync")
		cmd.Dir, cmd.SysProcAttr = p.dir, p.attr()
		var out []byte
		if out, err = output(cmd); err != nil {
			err = fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	err = errors.Join(err, os.Remove(word))
	if err == nil {
		err = p.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Postgres: %w", err), os.RemoveAll(p.dir))
	}
	return p, nil
}

func (p *postgres) attr() *syscall.SysProcAttr {
	a := childAttr()
	a.Credential = p.who
	return a
}

func (p *postgres) process() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.proc
}

func (p *postgres) start(ctx context.Context) error {
	cmd := exec.Command(filepath.Join(p.bin, "postgres"), "-D", filepath.Join(p.dir, "data"), "-p", p.port, "-k", "", "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "autovacuum=off")
	cmd.Dir, cmd.SysProcAttr = p.dir, p.attr()
	proc, err := spawn(cmd)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.proc = proc
	p.mu.Unlock()
	return patiently(ctx, "Postgres", proc, p.ping)
}

func (p *postgres) ping(ctx context.Context) error {
	_, err := p.query(ctx, "postgres", "SELECT 1")
	return err
}

// query runs one statement over a connection of its own and gives its rows as
// text.
func (p *postgres) query(ctx context.Context, database, q string, args ...any) (_ [][]string, err error) {
	db, err := sql.Open("pgx", p.dsn(database))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for rows.Next() {
		texts, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range texts {
			into[i] = &texts[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make([]string, len(texts))
		for i, s := range texts {
			row[i] = s.String
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func (p *postgres) act(ctx context.Context, action string) error {
	if p.box != nil {
		if err := p.box.act(ctx, action); err != nil || action != "start" {
			return err
		}
		return patience(ctx, "Postgres", p.ping)
	}
	switch action {
	case "stop": // fast: connections are ended
		p.process().end(ctx, syscall.SIGINT, 10*time.Second)
	case "kill":
		p.process().end(ctx, syscall.SIGQUIT, 5*time.Second) // SIGKILL would leave its children and their memory
	case "start":
		return p.start(ctx)
	default:
		return fmt.Errorf("no action %q for Postgres", action)
	}
	return nil
}

func (p *postgres) close(ctx context.Context) error {
	if proc := p.process(); proc != nil {
		proc.end(ctx, syscall.SIGINT, 10*time.Second)
	}
	return os.RemoveAll(p.dir)
}

// nobody is whom Postgres runs as when we are root, which it refuses to be.
func nobody() (*syscall.Credential, error) {
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
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uerr, gerr)
}
