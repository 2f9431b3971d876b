// Package containers starts the reference API beside a real Postgres and a real
// Redis, each in a container of its own on a network of their own, published on
// loopback, and removes all of it afterwards.
package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/moby/moby/client"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/network"

	"vitals/internal/stack"
)

// Images of the three parts. An empty API image is built from Binary.
type Images struct{ API, Postgres, Redis string }

// The public defaults, pinned; images/build.sh makes stand-ins for machines
// that reach no registry, and they are used when the default is not there.
const (
	DefaultPostgres = "postgres:15.14-bookworm"
	DefaultRedis    = "redis:7.4.5-bookworm"
	standInPostgres = "vitals/postgres:15"
	standInRedis    = "vitals/redis:7"
)

// Starter starts the container stack.
type Starter struct {
	Binary   string // the vitals binary, built with CGO_ENABLED=0: it becomes the API image
	Images   Images
	Accounts int
	Replicas int               // API processes side by side, each published on a port of its own; 0 = 1
	CPUs     float64           // processors that each API process may use; 0 = all
	Env      map[string]string // replaces or adds variables of the API
	LogFile  string            // the API's log is saved here at Close; "" = not saved
	Mail     string            // a folder of this machine that the API keeps its mails in; "" = it sends none
	Talk     io.Writer         // progress in words; nil = none
}

// Database is the name of the API's database in a Postgres of ours.
const Database = "clinic"

const (
	dbUser  = "clinic"
	apiPort = "8000/tcp"
	admPort = "9090/tcp"
	dbPort  = "5432/tcp"
	kvPort  = "6379/tcp"
)

// Start starts Postgres, Redis and the API, seeds the accounts, and waits until
// /ready says so. On an error everything is removed again.
func (c Starter) Start(ctx context.Context) (_ *stack.Stack, err error) {
	engine, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &stack.Stack{Kind: "containers", Cores: float64(runtime.NumCPU()), Images: map[string]string{}, Info: map[string]string{}}
	s.OnClose(func(context.Context) error { return engine.Close() })
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			_ = s.Close(ctx) // the start's error is the one to report
		}
	}()
	if err := sweep(ctx, engine); err != nil {
		return nil, err
	}
	quiet()

	nw, err := network.New(ctx, network.WithLabels(labels()))
	if err != nil {
		return nil, fmt.Errorf("make the stack's network: %w%s", err, hint(err))
	}
	s.OnClose(nw.Remove)
	p := parts{c: c, engine: engine, nw: nw, s: s, suffix: fmt.Sprintf("-%.8s-%d-%.8s", boot(), os.Getpid(), nw.ID), boxes: map[string]box{}, frozen: map[string]bool{}}
	if p.gateway, err = gateway(ctx, engine, nw.ID); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{p.postgres, p.redis, p.configure, p.api} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	s.OnClose(p.thaw) // before anything is removed: a frozen process cannot be asked to end
	return s, nil
}

// dial reaches the engine, or says what to do.
func dial(ctx context.Context) (*client.Client, error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("reach Docker: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := engine.Ping(ctx, client.PingOptions{}); err != nil {
		_ = engine.Close()
		return nil, fmt.Errorf("no Docker Engine answers (%w): start Docker, or use --stack embedded, which needs none", err)
	}
	return engine, nil
}

// Available tells whether a Docker Engine answers; the error says what to do.
func Available(ctx context.Context) error {
	engine, err := dial(ctx)
	if err != nil {
		return err
	}
	return engine.Close()
}

// labels mark what is ours, and which process of which boot made it.
func labels() map[string]string {
	return map[string]string{labelPID: fmt.Sprint(os.Getpid()), labelBoot: boot()}
}

// image picks the wanted image, the public default, or the local stand-in.
func image(ctx context.Context, engine *client.Client, want, public, standIn string) string {
	if want != "" {
		return want
	}
	if _, err := engine.ImageInspect(ctx, public); err == nil {
		return public
	}
	if _, err := engine.ImageInspect(ctx, standIn); err == nil {
		return standIn
	}
	return public // the engine pulls it, or the error says that it cannot
}

// gateway is the address under which the host's connections to a published port
// arrive inside the network.
func gateway(ctx context.Context, engine *client.Client, id string) (string, error) {
	n, err := engine.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if err != nil {
		return "", fmt.Errorf("inspect the stack's network: %w", err)
	}
	for _, c := range n.Network.IPAM.Config {
		if c.Gateway.IsValid() && c.Gateway.Is4() {
			return c.Gateway.String(), nil
		}
	}
	return "", errors.New("the stack's network has no IPv4 gateway")
}

// hint adds the way out of the two troubles people have with testcontainers.
func hint(err error) string {
	switch msg := err.Error(); {
	case strings.Contains(msg, "reaper") || strings.Contains(msg, "ryuk"):
		return "; where its reaper image cannot be had, set TESTCONTAINERS_RYUK_DISABLED=true (vitals removes its containers itself)"
	case strings.Contains(msg, "pull") || strings.Contains(msg, "No such image") || strings.Contains(msg, "not found"):
		return "; where no registry can be reached, `make images` builds stand-ins from Debian packages"
	case strings.Contains(msg, "deadline exceeded") && os.Getenv("TESTCONTAINERS_HOST_OVERRIDE") == "":
		return "; when vitals itself runs in a container or a small VM, set TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1"
	}
	return ""
}

// quiet keeps the library's own talk off the user's terminal.
func quiet() { tclog.SetDefault(tclog.NewNoopLogger()) }

// environment is the API's, for the addresses under which it reaches its
// Postgres and Redis.
func (p *parts) environment(db, kv string) map[string]string {
	vars := map[string]string{
		"ENV": "staging", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO",
		"HOST": "0.0.0.0", "PORT": "8000", "ADMIN_ADDR": "0.0.0.0:9090",
		"SECRET_KEY":         p.key,
		"DATABASE_URL":       stack.Postgres{At: db, User: dbUser, Password: p.db.Password}.URL(Database),
		"DB_ALLOW_PLAINTEXT": "true", "DB_POOL_SIZE": "10", "DB_MAX_OVERFLOW": "20",
		"REDIS_URL":       stack.Redis{At: kv}.URL(),
		"TRUSTED_PROXIES": p.gateway + "/32",
		"CORS_DISABLE":    "true", "MAIL_SINK": "none", "SHUTDOWN_DRAIN_DELAY": "0",
		"REPLICAS": fmt.Sprint(max(1, p.c.Replicas)), // each falls back to its share of a limit
	}
	if p.c.Mail != "" {
		vars["MAIL_SINK"] = "dir:" + mailFolder
	}
	maps.Copy(vars, p.c.Env)
	return vars
}
